"""A timing wheel: hundreds of thousands of things that are due later, for the price of a few timers."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

TICKS_PER_SECOND = 100


class Wheel(Generic[T]):
    """Gives `due` the things whose moment has come, together, within about 10 ms of it."""

    def __init__(self, due: Callable[[list[T]], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._due = due
        self._buckets: dict[int, list[T]] = {}
        self._ticks: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = 0

    def put(self, moment: float, thing: T) -> None:
        """Keep `thing` until the loop's time is `moment`."""
        tick = int(moment * TICKS_PER_SECOND) + 1
        bucket = self._buckets.get(tick)
        if bucket is None:
            self._buckets[tick] = [thing]
            heapq.heappush(self._ticks, tick)
            if self._timer is None or tick < self._armed_for:
                self._arm()
        else:
            bucket.append(thing)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def __len__(self) -> int:
        return sum(len(bucket) for bucket in self._buckets.values())

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed_for = self._ticks[0]
        self._timer = self._loop.call_at(self._armed_for / TICKS_PER_SECOND, self._turn)

    def _turn(self) -> None:
        self._timer = None
        now = self._loop.time() * TICKS_PER_SECOND + 0.001
        things: list[T] = []
        while self._ticks and self._ticks[0] <= now:
            things += self._buckets.pop(heapq.heappop(self._ticks))
        if self._ticks:
            self._arm()
        if things:
            self._due(things)
