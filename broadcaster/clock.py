"""Time, injected: aware UTC datetimes inside, Asia/Shanghai only at the edge."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """What the core knows of time."""

    def now(self) -> datetime:
        """The current moment, aware, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` have passed on this clock."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def since_boot() -> float:
    """Seconds since this machine was started, sleep included; nobody sets it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SteadyClock:
    """The time of one reading (`set`), carried on by the machine's time since its boot: the wall clock may jump as it
    likes. Before the first reading it is the wall clock's."""

    def __init__(self, wall: Clock) -> None:
        self._wall = wall
        self._booted: datetime | None = None

    def set(self, moment: datetime, at: float) -> None:
        """It was `moment` when `since_boot` was `at`."""
        self._booted = moment.astimezone(UTC) - timedelta(seconds=at)

    def now(self) -> datetime:
        return self._wall.now() if self._booted is None else self._booted + timedelta(seconds=since_boot())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that moves only when told: rehearsals and tests turn it by hand."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("A clock starts at an aware datetime.")
        self._now = start.astimezone(UTC)
        self._sleepers: list[tuple[datetime, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        due = self._now + timedelta(seconds=seconds)
        if due <= self._now:
            await asyncio.sleep(0)
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((due, waiter))
        await waiter

    def advance(self, seconds: float) -> None:
        """Move time forward and wake whoever slept until then."""
        if seconds < 0:
            raise ValueError("A manual clock moves forward only.")
        self._now += timedelta(seconds=seconds)
        for due, waiter in self._sleepers:
            if due <= self._now and not waiter.done():
                waiter.set_result(None)
        self._sleepers = [(due, waiter) for due, waiter in self._sleepers if not waiter.done()]


_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)


def told(at: datetime, now: datetime) -> datetime:
    """When somebody else says that something was; `now` for a time that nobody can have meant.

    Programs write the year 1 where they know no time, and no database keeps that.
    """
    return at if _EARLIEST <= at <= now + _AHEAD else now
