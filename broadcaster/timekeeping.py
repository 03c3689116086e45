"""Everybody who works on one ledger has its time: the database's, whatever the clock of the machine says.

A worker whose clock is hours ahead would end every alert for all the others; one whose clock is behind would plan
nothing for hours. Leases are compared by the database's clock as well, in SQL.
"""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from broadcaster.clock import Clock, SteadyClock, since_boot
from broadcaster.database import DATABASE_AWAY, Database

log = structlog.get_logger()

EVERY = 10.0
"""Seconds between two readings; in between a machine's own time is off by microseconds."""

PROMPT = 0.5
"""Seconds that a reading may take: one that took longer could be off by as much."""

WRONG = 5.0
"""Seconds by which the machine's clock may differ before that is said."""


async def ledger_clock(database: Database, wall: Clock) -> SteadyClock:
    """A clock that shows the database's time; `keep_time` keeps it."""
    clock = SteadyClock(wall)
    await _read(database, clock)
    difference = (wall.now() - clock.now()).total_seconds()
    if abs(difference) > WRONG:
        log.warning("clock.wrong", seconds=round(difference))
    return clock


async def keep_time(database: Database, clock: SteadyClock) -> None:
    """Read the database's time again and again, until cancelled; while it is away the last reading is carried on."""
    while True:
        await asyncio.sleep(EVERY)
        with contextlib.suppress(*DATABASE_AWAY):
            await _read(database, clock)


async def _read(database: Database, clock: SteadyClock) -> None:
    for _ in range(3):
        async with database.connection() as connection:
            asked = since_boot()
            moment = await connection.fetchval("SELECT clock_timestamp()")
            answered = since_boot()
        if answered - asked < PROMPT:
            break
    clock.set(moment, (asked + answered) / 2)
