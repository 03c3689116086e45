"""What a gateway's result codes say about a submitted part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from channels.sms.session.events import Answered, Verdict


@dataclass(frozen=True, slots=True)
class Results:
    """A protocol's codes: `words` for people, those that mean "not now", those that mean "not from this account", where
    no other message would fare better. Any other than 0 refuses this message. `other` names codes without a word."""

    words: Mapping[int, str]
    throttled: frozenset[int]
    unfit: frozenset[int]
    other: str = "网关错误 {}"

    def also_throttled(self, codes: Iterable[int]) -> Results:
        """With a carrier's own codes for flow control."""
        return replace(self, throttled=self.throttled | set(codes))

    def why(self, code: int) -> str:
        """In words; "" for 0."""
        return (self.words.get(code) or self.other.format(code)) if code else ""

    def answered(self, sequence: int, ref: str, code: int) -> Answered:
        """The answer to submit `sequence`, whose part is `ref` to the gateway."""
        if code == 0:
            return Answered(sequence, Verdict.ACCEPTED, ref, "")
        if code in self.throttled:
            verdict = Verdict.THROTTLED
        else:
            verdict = Verdict.UNFIT if code in self.unfit else Verdict.REFUSED
        return Answered(sequence, verdict, ref, self.why(code))
