"""Pace: holds a slot to its share of an account's rate, as the gateway at the other end counts it."""

from __future__ import annotations

import asyncio
import time
from collections import deque

SLICES = 20
"""A second is sent in this many slices, so that messages flow rather than burst."""


class Pace:
    """At most `tokens` messages in any `period` seconds, measured at the gateway.

    A message's token comes back one period after its *answer*. The gateway took the message before it answered, and
    takes the next holder of the token after that was written; so between the two lies at least a period, whatever the
    network, this process or the gateway delayed meanwhile. The cost is the answer's delay: with 50 ms, 5 % of the rate.
    Beside that, messages are spread evenly over the period.
    """

    def __init__(self, tokens: int, period: float = 1.0) -> None:
        self._period = period
        self._spacing = period / tokens
        self._free = tokens
        self._free_at = 0.0
        self._resting: deque[tuple[float, int]] = deque()
        self._came_back = asyncio.Event()
        self.slice = max(1, min(tokens // SLICES, tokens))
        """How many messages go out together."""

    async def turn(self, count: int) -> None:
        """Return when `count` messages (at most a slice) may be written now. Each must be `answered`, come what may."""
        while True:
            self._collect()
            if self._free >= count:
                break
            self._came_back.clear()
            await self._until(self._resting[0][0] if self._resting else None)
        self._free -= count
        now = time.monotonic()
        start = max(now, self._free_at)
        self._free_at = start + count * self._spacing
        if start > now:
            await asyncio.sleep(start - now)

    def short_of(self, count: int) -> bool:
        """Whether `count` messages have to wait for an answer to one that was written before."""
        return self._free + sum(resting for _, resting in self._resting) < count

    def answered(self, count: int) -> None:
        """`count` messages that had their turn were answered, or their connection is over."""
        self._resting.append((time.monotonic() + self._period, count))
        self._came_back.set()

    def _collect(self) -> None:
        now = time.monotonic()
        while self._resting and self._resting[0][0] <= now:
            self._free += self._resting.popleft()[1]

    async def _until(self, moment: float | None) -> None:
        """Wait until `moment`, or until something is answered when there is nothing to wait for."""
        if moment is None:
            await self._came_back.wait()
        else:
            await asyncio.sleep(max(0.0, moment - time.monotonic()))
