"""Timers that are moved by hand: what an event loop knows of time, without an event loop."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count


class HandTimer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class HandTimers:
    """`advance` lets time pass; what becomes due is called in its order, at its own moment."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._due: list[tuple[float, int, HandTimer]] = []
        self._numbers = count()

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None]) -> HandTimer:
        return self.call_at(self.now + delay, callback)

    def call_at(self, when: float, callback: Callable[[], None]) -> HandTimer:
        made = HandTimer(callback)
        heapq.heappush(self._due, (when, next(self._numbers), made))
        return made

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self._due and self._due[0][0] <= end:
            when, _, timer = heapq.heappop(self._due)
            self.now = max(self.now, when)
            if timer.callback is not None:
                timer.callback()
        self.now = end
