"""Replies that come in several short messages are put together; what never becomes whole is passed on as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from channels.sms.session.events import Said

LONGEST_WAIT = timedelta(seconds=20)
"""For the other parts of a reply."""

MOST = 1_000
"""Replies that may be incomplete at a time; beyond, the oldest goes as it is."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A reply as it was written; `id` is that of its first part that came."""

    id: str
    address: str
    text: str
    at: datetime
    acknowledgement: bytes


@dataclass(slots=True)
class _Incomplete:
    since: datetime
    parts: dict[int, Said] = field(default_factory=dict)
    again: list[Said] = field(default_factory=list)

    def whole(self) -> Whole:
        ordered = [self.parts[number] for number in sorted(self.parts)]
        first = next(iter(self.parts.values()))
        text = "".join(one.piece.text for one in ordered)
        acknowledgement = b"".join(one.acknowledgement for one in [*self.parts.values(), *self.again])
        return Whole(first.id, first.address, text, self.since, acknowledgement)


class Pieces:
    """What is being put together on one connection."""

    def __init__(self) -> None:
        self._incomplete: dict[tuple[str, int, int], _Incomplete] = {}
        self._whole: list[Whole] = []

    @property
    def waiting(self) -> bool:
        """Whether a reply waits for its other parts."""
        return bool(self._incomplete)

    def take(self, said: Said) -> None:
        """A short message has come."""
        now, piece = datetime.now(UTC), said.piece
        if piece.total == 1:
            self._whole.append(Whole(said.id, said.address, piece.text, now, said.acknowledgement))
            return
        place = (said.address, piece.reference, piece.total)
        found = self._incomplete.setdefault(place, _Incomplete(now))
        if piece.number in found.parts:
            found.again.append(said)
        else:
            found.parts[piece.number] = said
        if len(found.parts) == piece.total:
            self._whole.append(self._incomplete.pop(place).whole())
        elif len(self._incomplete) > MOST:
            self._whole.append(self._incomplete.pop(next(iter(self._incomplete))).whole())

    def whole(self, now: datetime, *, all_of_them: bool) -> list[Whole]:
        """The replies that are whole, or have waited long enough; at the end, all of them."""
        for place, one in list(self._incomplete.items()):
            if all_of_them or now - one.since > LONGEST_WAIT:
                self._whole.append(self._incomplete.pop(place).whole())
        found, self._whole = self._whole, []
        return found
