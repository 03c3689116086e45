"""What a provider's code means for a message that was not taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from broadcaster.ports import Deferred, DeliveryKey, Rejected, Unknown
from channels.http.provider import UNFIT_AFTER, Halt, Reading
from channels.redaction import redacted


class Kind(Enum):
    """What becomes of the message."""

    REFUSED = auto()  # never, on this gateway
    LATER = auto()  # not now; others may fare better
    HALT = auto()  # not now, and no other message would fare better
    UNCERTAIN = auto()  # the provider itself does not know


@dataclass(frozen=True, slots=True)
class Meaning:
    """`words` for operators; `after` seconds for what may be tried again."""

    kind: Kind
    words: str
    after: float = UNFIT_AFTER

    def reading(self, key: DeliveryKey, code: str) -> Reading:
        """What to make of a request for the one message `key` that was answered with `code`."""
        reason = f"{self.words}（{redacted(code)}）"
        match self.kind:
            case Kind.REFUSED:
                return [Rejected(key, reason)]
            case Kind.LATER:
                return [Deferred(key, reason, self.after)]
            case Kind.HALT:
                return Halt(reason, self.after)
            case Kind.UNCERTAIN:
                return [Unknown(key, reason)]


UNLISTED = Meaning(Kind.LATER, "服务商没有接受，原因不明，请查服务商的错误码表")
"""Of a code that is in no table of ours: nothing was sent, somebody should look, no household is given up for it."""


FAULTY = Meaning(Kind.UNCERTAIN, "服务商系统错误")
"""The same where the provider says by its status that the fault is its own."""


def meaning(table: Mapping[str, Meaning], code: str, status: int = 200) -> Meaning:
    """What `code` means: its own line in `table`, else that of what stands before its last dot, and so on."""
    while code:
        if (found := table.get(code)) is not None:
            return found
        code = code.rpartition(".")[0]
    return UNLISTED if status < 500 else FAULTY
