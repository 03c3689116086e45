"""Writing in real time: each piece at its own moment, counted from the first, so that no delay adds up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

MOST_LATE = 0.2
"""Seconds by which pieces may be late and are made up for; after a longer halt, the rest is played later."""


class Pacer:
    """A piece every `period` seconds, the first one at once; `ahead` seconds' worth of pieces may go before their
    time, for a receiver that keeps some in store."""

    def __init__(
        self,
        period: float,
        *,
        ahead: float = 0.0,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._period = period
        self._ahead = ahead
        self._now = now
        self._sleep = sleep
        self._next = now()

    async def turn(self) -> None:
        """Return when the next piece may be written."""
        wait = self._next - self._ahead - self._now()
        if wait > 0:
            await self._sleep(wait)
        elif wait < -self._ahead - MOST_LATE:
            self._next = self._now()
        self._next += self._period

    def skipped(self) -> int:
        """How many pieces have missed their time, after an interruption: the next one is due now."""
        missed = max(0, int((self._now() - self._next) / self._period))
        self._next += missed * self._period
        return missed

    async def rest(self) -> None:
        """Return when what was written has had its time."""
        wait = self._next - self._now()
        if wait > 0:
            await self._sleep(wait)
