"""A gateway's conversation log in memory: the last exchanges, so that a fault at three in the morning is seen, not
guessed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from broadcaster.clock import Clock

LINES = 200
WIDTH = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One exchange: `direction` is → sent, ← received, ! fault; the driver has redacted `text`."""

    at: datetime
    direction: str
    text: str


class GatewayJournal:
    """The last lines of one gateway; bounded in number and width."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: deque[Line] = deque(maxlen=LINES)

    def note(self, direction: str, text: str) -> None:
        self._lines.append(Line(self._clock.now(), direction, text[:WIDTH]))

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(self._lines)
