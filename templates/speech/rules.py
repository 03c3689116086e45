"""A reading rule, and the scanner that applies a table of them from left to right."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Reading:
    """What has been read so far: `spoken` pieces, and the fragments that no voice can read.

    `keep` holds characters that stand for what is filled in later; they are left where they are.
    """

    keep: str = ""
    spoken: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def tail(self) -> str:
        """The last words spoken, enough to know what the next number belongs to."""
        return "".join(self.spoken[-12:])[-12:]


Say = Callable[[re.Match[str], Reading], str | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """Where `pattern` matches, `say` gives the words; None leaves the match to the rules below."""

    pattern: re.Pattern[str]
    say: Say

    @classmethod
    def of(cls, pattern: str, say: Say) -> Rule:
        return cls(re.compile(pattern, re.ASCII), say)


def scan(text: str, rules: Sequence[Rule], other: Callable[[str, Reading], str], keep: str) -> Reading:
    """Read `text`: at each place the first rule that says something wins, `other` says a single character."""
    reading = Reading(keep)
    place = 0
    while place < len(text):
        for rule in rules:
            match = rule.pattern.match(text, place)
            if match and match.end() > place:
                said = rule.say(match, reading)
                if said is not None:
                    reading.spoken.append(said)
                    place = match.end()
                    break
        else:
            reading.spoken.append(other(text[place], reading))
            place += 1
    return reading
