"""Presence: a long-running process tells the others through the database that it lives, which schema it knows and how
it fares, and learns there that the database has come to demand a newer program.

It is then outdated: what it does is ended in order (what is on the wire is finished, slots are given back), and the row
goes last, so that whoever waits for its end (see migrating.py) waits for all of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from broadcaster.database import DATABASE_AWAY, Database
from broadcaster.errors import OutdatedError
from broadcaster.migrating import demand
from broadcaster.schema import VERSION
from broadcaster.tasks import ended

log = structlog.get_logger()

Figures = Callable[[], Mapping[str, float]]
"""How a process fares: gauges by name."""

_APPEAR = """
INSERT INTO process (name, kind, knows, figures) VALUES ($1, $2, $3, $4::text::jsonb)
ON CONFLICT (name) DO UPDATE SET seen_at = clock_timestamp(), figures = excluded.figures
"""
_FORGET = "DELETE FROM process WHERE seen_at < clock_timestamp() - interval '1 day'"


@dataclass(frozen=True, slots=True)
class Process:
    """Who it is: a name that no other ever has, `kind` worker | serve, how it fares, and the schema version that its
    program `knows`. It says so every `seconds`."""

    name: str
    kind: str
    figures: Figures
    seconds: float = 5.0
    knows: int = VERSION


async def attend(database: Database, process: Process, work: Coroutine[Any, Any, None]) -> None:
    """Do `work` with the process present from its beginning to its end.

    Raises what `work` raises; `OutdatedError`, when `work` has been ended, once the database demands a newer program.
    """
    outdated: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    with suppress(*DATABASE_AWAY):
        await _appear(database, process)
    working: asyncio.Future[Any] = asyncio.create_task(work, name=process.kind)
    pulse = asyncio.create_task(_pulse(database, process, outdated), name="presence")
    try:
        await asyncio.wait([working, outdated], return_when=asyncio.FIRST_COMPLETED)
    finally:
        working.cancel()
        await asyncio.wait({working})
        if not working.cancelled():
            working.exception()  # looked at; `result` raises it below
        await ended(pulse)
        with suppress(*DATABASE_AWAY):
            async with database.connection() as connection:
                await connection.execute("DELETE FROM process WHERE name = $1", process.name)
    if outdated.done():
        raise outdated.result()
    working.result()


async def _pulse(database: Database, process: Process, outdated: asyncio.Future[OutdatedError]) -> None:
    while True:
        try:
            await _appear(database, process)
        except DATABASE_AWAY as error:
            log.debug("presence.database_away", error=type(error).__name__)
        except OutdatedError as error:
            if not outdated.done():
                log.error("process.outdated", process=process.name, knows=error.knows, needed=error.needed)
                outdated.set_result(error)
        await asyncio.sleep(process.seconds)


async def _appear(database: Database, process: Process) -> None:
    figures = msgspec.json.encode(process.figures()).decode()
    async with database.connection() as connection:
        await connection.execute(_APPEAR, process.name, process.kind, process.knows, figures)
        await connection.execute(_FORGET)
        await demand(connection, process.knows)
