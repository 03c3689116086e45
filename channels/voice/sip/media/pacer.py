"""One timer for all calls of a process: every 20 ms each of them sends its packet.

The moments are absolute: what one turn is late, the next one is not. After a standstill of the process no word is left
out: a few packets follow at once, which the other end's buffer takes, and what is more shifts the moments of all.
"""

from __future__ import annotations

from collections.abc import Callable

from channels.voice.sip.timing import Timer, Timers

STEP = 0.02
"""Seconds between two packets of a call."""

MOST_AT_ONCE = 3
"""Packets of a call that may follow each other at once: 60 ms, which any receiver's buffer holds."""

Turn = Callable[[], bool]
"""Sends one packet; False when the call has nothing more to say."""


class Pacer:
    """`shifts`: how often a standstill moved the moments of all."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._turns: dict[Turn, None] = {}
        self._due = 0.0
        self._timer: Timer | None = None
        self.shifts = 0

    def add(self, turn: Turn) -> None:
        """Call `turn` every 20 ms from now on."""
        self._turns[turn] = None
        if self._timer is None:
            self._due = self._timers.time() + STEP
            self._timer = self._timers.call_at(self._due, self._tick)

    def remove(self, turn: Turn) -> None:
        """Call it no more."""
        self._turns.pop(turn, None)

    def __len__(self) -> int:
        return len(self._turns)

    def _tick(self) -> None:
        self._timer = None
        late = self._timers.time() - self._due
        due = 1 + max(0, int(late / STEP))
        if due > MOST_AT_ONCE:
            self._due += (due - MOST_AT_ONCE) * STEP
            due = MOST_AT_ONCE
            self.shifts += 1
        for _ in range(due):
            for turn in list(self._turns):
                if turn in self._turns and not turn():
                    self.remove(turn)
        self._due += due * STEP
        if self._turns:
            self._timer = self._timers.call_at(self._due, self._tick)
