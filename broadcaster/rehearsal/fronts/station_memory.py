"""What a river station has measured and the centre has not confirmed, and when each of it is said: a centre that is
slow is asked less often, not more."""

from __future__ import annotations

from dataclasses import dataclass

MOST_OWED = 10_000
"""Reports that a station's memory holds; then the oldest is lost."""

UNDER_WAY = 32
"""Reports on one connection that wait to be confirmed; the others wait to be said."""

MOST_PATIENCE = 16
"""Times a station's patience: the longest that it waits before it says a report again."""


@dataclass(slots=True)
class Owed:
    """A report that the centre has not confirmed: its frame, when it was measured, how often it was said, and when and
    how often on this connection."""

    frame: bytes
    at: float
    tries: int = 0
    here: int = 0
    said: float = 0.0


class Memory:
    """Moments are the caller's, in seconds."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._wait = patience
        self._owed: dict[int, Owed] = {}

    def put(self, serial: int, frame: bytes, at: float) -> None:
        """Remember a report."""
        self._owed[serial] = Owed(frame, at)
        if len(self._owed) > MOST_OWED:
            del self._owed[next(iter(self._owed))]

    def connected(self) -> None:
        """A connection begins: nobody knows what became of what was said on the one before."""
        for one in self._owed.values():
            one.here = 0

    def due(self, now: float) -> list[Owed]:
        """What is to be said now: what never was on this connection, and of what was not confirmed in time only the
        oldest. Each that has to be said again doubles the wait."""
        under_way = [one for one in self._owed.values() if one.here]
        room = max(0, UNDER_WAY - len(under_way))
        again = [one for one in under_way if now - one.said >= self._wait][:1]
        if again:
            self._wait = min(2 * self._wait, MOST_PATIENCE * self._patience)
        return again + [one for one in self._owed.values() if not one.here][:room]

    def confirmed(self, serial: int, now: float) -> Owed | None:
        """The centre has stored a report; None if that is known. Only what was said once tells how long the centre
        takes: of what was said twice nobody knows which was confirmed (as TCP reckons, RFC 6298 section 3)."""
        one = self._owed.pop(serial, None)
        if one is not None and one.here == 1:
            wait = max(self._patience, 2 * (now - one.said))
            self._wait = min(wait, MOST_PATIENCE * self._patience)
        return one


def told(one: Owed, now: float) -> bytes:
    """The frame of a report that is said now."""
    one.said, one.tries, one.here = now, one.tries + 1, one.here + 1
    return one.frame
