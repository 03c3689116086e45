"""Migrating: the schema is brought up to this program's version while others are at work on the database.

Each change is one transaction under an advisory lock, so that processes which start at once do not collide and a killed
one leaves a whole number of changes. A change never waits in line for a table: behind it everybody else would. It asks
for its locks for a moment, gives up, and comes back. A change that older programs cannot live with is announced first,
and applied when the last of them has stopped itself (see presence.py).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asyncpg
import structlog
from tortoise.context import TortoiseContext
from tortoise.exceptions import DBConnectionError
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget

from broadcaster.database import Connection, Database, tortoise_config, unavailable
from broadcaster.errors import OutdatedError, UnavailableError
from broadcaster.phrase import joined
from broadcaster.schema import CHANGES, Change

log = structlog.get_logger()

_LOCK = 0x64616F6875  # "daohu": the advisory lock that one migrating process holds

SILENT = 45.0
"""Seconds without a sign of life after which a process counts as dead: more than winding up in order takes."""

_BOOKS = """
CREATE TABLE IF NOT EXISTS schema_change (
    version      integer PRIMARY KEY,
    needs        integer NOT NULL,             -- the least version a program must know, announced or applied
    announced_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    applied_at   timestamptz                   -- NULL: older programs are still leaving
)
"""

_NOTE = """
INSERT INTO schema_change (version, needs, applied_at) VALUES ($1, $2, CASE WHEN $3 THEN clock_timestamp() END)
ON CONFLICT (version) DO UPDATE SET applied_at = coalesce(schema_change.applied_at, excluded.applied_at)
"""

_OLDER = """
SELECT name, knows FROM process WHERE knows < $1 AND seen_at > clock_timestamp() - make_interval(secs => $2)
ORDER BY name
"""


@dataclass(frozen=True, slots=True)
class Haste:
    """How long what may take, in seconds: `lock` waiting for a table, `patience` in all for the right moment, `pause`
    between two attempts."""

    lock: float = 0.5
    patience: float = 120.0
    pause: float = 0.5


UNHURRIED = Haste()


async def migrate_database(url: str, *, changes: Sequence[Change] = CHANGES, haste: Haste = UNHURRIED) -> list[str]:
    """Bring the schema at `url` up to the last of `changes`; returns the names of the migrations applied.

    `OutdatedError` when the database demands a newer program, `UnavailableError` when it does not answer, or was too
    busy all the time.
    """
    config = tortoise_config(url, pool_max=2, application="daohu-migrate")
    async with TortoiseContext() as context:
        try:
            await context.init(config=config)
            database = Database(context)
            async with database.connection() as connection:
                await demand(connection, changes[-1].version)
                if not await missing(connection, changes):
                    return []

            def executor() -> MigrationExecutor:
                """One that works on the connection of the transaction it is made in."""
                return MigrationExecutor(context.connections.get("default"), config["apps"])

            return await _Migration(database, executor, changes, haste).run()
        except (OSError, TimeoutError, DBConnectionError, asyncpg.InvalidAuthorizationSpecificationError) as error:
            raise unavailable(url, error) from error


async def demand(connection: Connection, knows: int) -> None:
    """Raise `OutdatedError` when the database demands a newer program than one that `knows` this version."""
    if await _exists(connection, "schema_change"):
        needed: int = await connection.fetchval("SELECT coalesce(max(needs), 0) FROM schema_change")
        if needed > knows:
            raise OutdatedError(knows=knows, needed=needed)


async def missing(connection: Connection, changes: Sequence[Change] = CHANGES) -> list[Change]:
    """Those of `changes` that the database does not have, in their order."""
    applied = await _migrations(connection)
    done: set[int] = set()
    if await _exists(connection, "schema_change"):
        rows = await connection.fetch("SELECT version FROM schema_change WHERE applied_at IS NOT NULL")
        done = {row["version"] for row in rows}
    return [change for change in changes if change.version not in done or (change.app, change.name) not in applied]


async def _migrations(connection: Connection) -> set[tuple[str, str]]:
    if not await _exists(connection, "tortoise_migrations"):
        return set()
    return {(row["app"], row["name"]) for row in await connection.fetch("SELECT app, name FROM tortoise_migrations")}


async def _exists(connection: Connection, table: str) -> bool:
    # not to_regclass: what it once did not find it does not look for again in a transaction that waited for the lock
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT 1 FROM pg_class WHERE relname = $1 AND pg_table_is_visible(oid))", table
    )
    return found


class _Migration:
    """One process's attempt to apply everything that is missing."""

    def __init__(
        self,
        database: Database,
        executor: Callable[[], MigrationExecutor],
        changes: Sequence[Change],
        haste: Haste,
    ) -> None:
        self._database = database
        self._executor = executor
        self._changes = changes
        self._haste = haste
        self._until = time.monotonic() + haste.patience
        self._applied: list[str] = []

    async def run(self) -> list[str]:
        while True:
            try:
                change = await self._announce()
                if change is None:
                    return self._applied
                await self._wait_for_older(change)
                await self._apply(change)
            except asyncpg.LockNotAvailableError:
                busy = UnavailableError(
                    "数据库一直很忙，结构没有升级。", remedy="请在不忙的时候再试；已做的部分不会丢失。"
                )
                await self._again(busy)

    async def _announce(self) -> Change | None:
        """The next change, written down with what it demands, before it is made."""
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            await demand(connection, self._changes[-1].version)
            left = await missing(connection, self._changes)
            if not left:
                return None
            await connection.execute(_BOOKS)
            await connection.execute(_NOTE, left[0].version, left[0].needs, False)
            return left[0]

    async def _wait_for_older(self, change: Change) -> None:
        """Until nobody is at work who could not live with it."""
        while True:
            async with self._database.connection() as connection:
                if not await _exists(connection, "process"):
                    return
                older = await connection.fetch(_OLDER, change.needs, SILENT)
            if not older:
                return
            names = [row["name"] for row in older]
            log.warning("migration.waiting", version=change.version, needs=change.needs, processes=names)
            running = UnavailableError(
                "旧版程序还在运行，结构没有升级：%(names)s。",
                remedy="请停止它们（systemctl stop），再启动新版。",
                names=joined("、", names),
            )
            await self._again(running)

    async def _apply(self, change: Change) -> None:
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            if change not in await missing(connection, self._changes):
                return  # another process was faster
            await connection.execute("SELECT set_config('lock_timeout', $1, true)", f"{self._haste.lock * 1000:.0f}ms")
            executor = self._executor()
            # First of all, because looking into a missing table would spoil the transaction.
            await executor.recorder.ensure_schema(executor._schema_editor(atomic=False))
            if (change.app, change.name) not in await _migrations(connection):
                await executor.migrate([MigrationTarget(change.app, change.name)], direction="forward")
            await connection.execute(_NOTE, change.version, change.needs, True)
        self._applied.append(f"{change.app}.{change.name}")
        log.info("migration.applied", version=change.version, name=change.name, needs=change.needs)

    async def _again(self, otherwise: UnavailableError) -> None:
        """Wait a little, or give up with this error when patience is at an end."""
        if time.monotonic() > self._until:
            raise otherwise
        await asyncio.sleep(self._haste.pause)
