"""Visiting a source: by one worker at a time, as often as its settings say, less often while it is in trouble."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import structlog

from broadcaster.clock import Clock
from broadcaster.database import DATABASE_AWAY, Database
from broadcaster.intake.shelf import LedgerShelf
from broadcaster.intake.sql import SQL
from broadcaster.sources import Failed, Heard, Source, SourceSettings, Trouble, Visit

LONGEST = 180.0
"""Seconds of one visit, whatever the source does; what it has kept by then stays kept."""

LEASE = LONGEST + 30.0

SLOWEST = 3600.0
"""Seconds between two visits at most, however often it has failed; a Retry-After is believed up to as much."""

KEPT = timedelta(days=90)
"""How long messages are kept that led to nothing, and marks that no index lists any more."""

_LOG = structlog.get_logger(__name__)


async def appear(database: Database, clock: Clock, settings: SourceSettings) -> None:
    """Have the source known; it is due at once."""
    async with database.connection() as connection:
        await connection.execute(SQL["appear"], settings.name, clock.now())


async def visit(database: Database, clock: Clock, settings: SourceSettings, source: Source, owner: str) -> bool:
    """Visit the source if it is due and no other worker does; False: not due. What a killed worker was doing is begun
    anew when its lease has run out."""
    async with database.connection() as connection:
        row = await connection.fetchrow(SQL["claim"], settings.name, owner, clock.now(), LEASE)
    if row is None:
        return False
    memory = msgspec.json.decode(row["memory"], type=dict[str, str])
    shelf = LedgerShelf(database, clock, settings.name)
    try:
        async with asyncio.timeout(LONGEST):
            result: Visit = await source.visit(shelf, memory)
    except TimeoutError:
        result = Failed(Trouble.SLOW, f"{LONGEST:g} 秒内没有取完")
    except DATABASE_AWAY:
        raise
    except Exception as problem:  # a third party's adapter may fail in any way; the page says so, and it is tried again
        _LOG.exception("work.fault", work=f"source-{settings.name}")
        result = Failed(Trouble.BROKEN, f"适配器出错（{type(problem).__name__}）")
    await _note(database, clock, settings, owner, result, row["failures"])
    return False  # the next look finds what is due then


async def _note(
    database: Database, clock: Clock, settings: SourceSettings, owner: str, result: Visit, failures: int
) -> None:
    now = clock.now()
    async with database.connection() as connection:
        if isinstance(result, Heard):
            next_at = now + timedelta(seconds=settings.interval)
            offered = result.offered or (None if result.memory else 0)
            values = (_json(result.memory), next_at, list(result.remarks), now, offered, result.new)
            await connection.execute(SQL["heard"], settings.name, owner, *values)
            await connection.execute(SQL["forget"], now - KEPT)
            return
        wait = pause(settings.interval, failures + 1, result.after)
        memory = None if result.memory is None else _json(result.memory)
        reason = result.reason[:300].replace("\0", "")
        values_failed = (memory, now + timedelta(seconds=wait), result.trouble.value, reason, now)
        await connection.execute(SQL["failed"], settings.name, owner, *values_failed)
    if failures == 0:
        _LOG.warning("source.trouble", source=settings.name, trouble=result.trouble.value, reason=reason)


def pause(interval: float, failures: int, asked: float | None) -> float:
    """Seconds until the next visit after `failures` in a row: the interval doubled each time, or what the server asked
    for (Retry-After) if that is longer."""
    backed_off = min(interval * 2.0 ** min(failures - 1, 12), max(SLOWEST, interval))
    return max(backed_off, min(asked or 0.0, SLOWEST))


def _json(memory: object) -> str:
    return msgspec.json.encode(memory).decode()
