"""Presence: a long-running process tells the others through the database that it lives, which schema it knows and how
it fares, and learns there that the database has come to demand a newer program.

It is then outdated: what it does is ended in order (what is on the wire is finished, slots are given back), and the row
goes last, so that whoever waits for its end (see migrating.py) waits for all of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from broadcaster.database import DATABASE_AWAY, Connection, Database
from broadcaster.errors import OutdatedError
from broadcaster.migrating import demand
from broadcaster.schema import VERSION
from broadcaster.tasks import ended

log = structlog.get_logger()

Tell = Callable[[Connection, str], Awaitable[None]]
"""What else a process of that name tells with each sign of life."""


async def nothing_more(_connection: Connection, _name: str) -> None:
    """It tells nothing else."""


Figures = Callable[[], Mapping[str, float]]
"""How a process fares: gauges by name."""

_APPEAR = """
INSERT INTO process (name, kind, knows, figures) VALUES ($1, $2, $3, $4::text::jsonb)
ON CONFLICT (name) DO UPDATE SET seen_at = clock_timestamp(), figures = excluded.figures
"""
_FORGET = "DELETE FROM process WHERE seen_at < clock_timestamp() - interval '1 day'"

_LAST_SIGN = 3.0  # seconds that a sign under way may take when the work is over


@dataclass(frozen=True, slots=True)
class Process:
    """Who it is: a name that no other ever has, `kind` worker | serve, how it fares, and the schema version that its
    program `knows`. It says so every `seconds`, and `tell`s what else there is."""

    name: str
    kind: str
    figures: Figures
    seconds: float = 5.0
    knows: int = VERSION
    tell: Tell = nothing_more


async def attend(database: Database, process: Process, work: Coroutine[Any, Any, None]) -> None:
    """Do `work` with the process present from its beginning to its end.

    Raises what `work` raises; `OutdatedError`, when `work` has been ended, once the database demands a newer program.
    """
    sign = _Sign(database, process)
    signs = asyncio.create_task(sign.run(), name="presence")
    working: asyncio.Future[Any] | None = None
    try:
        await sign.given.wait()
        working = asyncio.create_task(work, name=process.kind)
        await asyncio.wait([working, sign.outdated], return_when=asyncio.FIRST_COMPLETED)
    finally:
        if working is None:
            work.close()
        else:
            working.cancel()
            await asyncio.wait({working})
            if not working.cancelled():
                working.exception()  # looked at; `result` raises it below
        await _to_its_end(asyncio.create_task(_leave(sign, signs), name="presence-leaving"))
    if sign.outdated.done():
        raise sign.outdated.result()
    working.result()


async def _leave(sign: _Sign, signs: asyncio.Task[None]) -> None:
    """Give no sign any more, and take the last one back."""
    sign.stop.set()
    await asyncio.wait({signs}, timeout=_LAST_SIGN)
    await ended(signs)
    await sign.take_back()


async def _to_its_end(task: asyncio.Task[None]) -> None:
    """Wait for `task` also where somebody cancels the waiting: several parts of a process end at the same time, and
    each ends the others."""
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


class _Sign:
    """The sign of life of one process: `given` once it was tried for the first time, `outdated` once the database
    demands more. It is told to `stop`, not cancelled: a statement that was cut off may still be done, after the row was
    taken back."""

    def __init__(self, database: Database, process: Process) -> None:
        self._database = database
        self._process = process
        self.given = asyncio.Event()
        self.stop = asyncio.Event()
        self.outdated: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        while not self.stop.is_set():
            try:
                await self._give()
            except DATABASE_AWAY as error:
                log.debug("presence.database_away", error=type(error).__name__)
            except OutdatedError as error:
                if not self.outdated.done():
                    log.error("process.outdated", process=self._process.name, knows=error.knows, needed=error.needed)
                    self.outdated.set_result(error)
            except Exception:
                log.exception("presence.fault")
            self.given.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._process.seconds):
                    await self.stop.wait()

    async def _give(self) -> None:
        process = self._process
        figures = msgspec.json.encode(process.figures()).decode()
        async with self._database.connection() as connection:
            await connection.execute(_APPEAR, process.name, process.kind, process.knows, figures)
            await connection.execute(_FORGET)
            await process.tell(connection, process.name)
            await demand(connection, process.knows)

    async def take_back(self) -> None:
        with suppress(*DATABASE_AWAY):
            async with self._database.connection() as connection:
                await connection.execute("DELETE FROM process WHERE name = $1", self._process.name)
