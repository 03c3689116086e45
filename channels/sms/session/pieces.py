"""Replies that come in several short messages are put together; what never becomes whole is passed on as it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from channels.sms.session.connection import Connection
from channels.sms.session.events import Said
from channels.sms.session.naming import Names

LONGEST_WAIT = timedelta(seconds=20)
"""For the other parts of a reply."""

MOST = 1_000
"""Replies that may be incomplete at a time; beyond, the oldest goes as it is."""

MOST_AGAIN = 16
"""Repetitions of parts of one reply that are acknowledged with it; what comes more often will come again."""


@dataclass(frozen=True, slots=True)
class Came:
    """A short message and the connection that it came on."""

    said: Said
    by: Connection

    def acknowledge(self) -> None:
        """It is stored."""
        self.by.write(self.said.acknowledgement)


@dataclass(frozen=True, slots=True)
class Whole:
    """A reply as it was written; `id` is that of its first part that came, or made of the whole where there is none."""

    id: str
    address: str
    text: str
    at: datetime
    parts: tuple[Came, ...]

    def acknowledge(self) -> None:
        """It is stored."""
        for one in self.parts:
            one.acknowledge()


@dataclass(slots=True)
class _Incomplete:
    since: datetime
    parts: dict[int, Came] = field(default_factory=dict)
    again: list[Came] = field(default_factory=list)

    def whole(self, names: Names) -> Whole:
        ordered = [self.parts[number] for number in sorted(self.parts)]
        first = next(iter(self.parts.values())).said
        text = "".join(one.said.piece.text for one in ordered)
        name = first.id or names.name(first.address, text, self.since)
        return Whole(name, first.address, text, self.since, (*self.parts.values(), *self.again))


class Pieces:
    """What is being put together; the parts of one reply may come on several connections."""

    def __init__(self) -> None:
        self._incomplete: dict[tuple[str, int, int], _Incomplete] = {}
        self._whole: list[Whole] = []
        self._names = Names()

    @property
    def waiting(self) -> bool:
        """Whether a reply waits for its other parts."""
        return bool(self._incomplete)

    def take(self, said: Said, by: Connection, now: datetime) -> None:
        """A short message has come on the connection `by`."""
        piece, came = said.piece, Came(said, by)
        if piece.total == 1:
            name = said.id or self._names.name(said.address, piece.text, now)
            self._whole.append(Whole(name, said.address, piece.text, now, (came,)))
            return
        place = (said.address, piece.reference, piece.total)
        found = self._incomplete.setdefault(place, _Incomplete(now))
        if piece.number not in found.parts:
            found.parts[piece.number] = came
        elif len(found.again) < MOST_AGAIN:
            found.again.append(came)
        if len(found.parts) == piece.total:
            self._whole.append(self._incomplete.pop(place).whole(self._names))
        elif len(self._incomplete) > MOST:
            self._whole.append(self._incomplete.pop(next(iter(self._incomplete))).whole(self._names))

    def whole(self, now: datetime, *, leaving: Connection | None = None) -> list[Whole]:
        """The replies that are whole, or have waited long enough; all of which a part came on the connection
        `leaving`."""
        for place, one in list(self._incomplete.items()):
            if now - one.since > LONGEST_WAIT or any(came.by is leaving for came in one.parts.values()):
                self._whole.append(self._incomplete.pop(place).whole(self._names))
        found, self._whole = self._whole, []
        return found

    def kept(self, whole: Iterable[Whole], now: datetime) -> None:
        """These are stored: acknowledge them."""
        for one in whole:
            one.acknowledge()
            self._names.kept(one.address, one.text, now)
