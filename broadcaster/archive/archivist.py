"""The archivist takes alerts that are over out of the ledger, one by one, in steps that may be cut off anywhere.

Before the seal everything is in the ledger and a folder under its working name counts for nothing. The seal is one
transaction: the counts are the archive's from then on, and the audit knows the manifest's digest. After it the folder
is read again, by its digests, before a row is deleted.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from broadcaster.archive import emptying, writing
from broadcaster.archive.emptying import Rest
from broadcaster.archive.manifest import Counts, Manifest, digest, faults
from broadcaster.archive.standing import SQL, Kept, Reason, Ripe, standing
from broadcaster.clock import Clock
from broadcaster.database import Connection, Database
from broadcaster.dispatch import course
from broadcaster.dispatch.ledger import lock_states
from broadcaster.errors import ConflictError, UnavailableError
from broadcaster.security import audit
from broadcaster.security.permissions import SYSTEM

log = structlog.get_logger()

ACTION = "alert.archive"

_LOCK = 0x6461_6F68_7561  # "daohua": one archivist at a time in the whole installation


@dataclass(frozen=True, slots=True)
class Archived:
    """One alert that has left: its folder, how many rows it wrote, the bytes they take, and how many were deleted."""

    alert_id: int
    folder: str
    rows: int
    bytes: int
    deleted: int


class Archivist:
    """`folder` holds one folder per archived alert."""

    def __init__(self, database: Database, clock: Clock, folder: Path, rest: Rest = asyncio.sleep) -> None:
        self._database = database
        self._clock = clock
        self._folder = folder
        self._rest = rest

    async def candidates(self, closed_before: datetime) -> list[int]:
        """Alerts that may be ripe: those begun first."""
        async with self._database.connection() as connection:
            return [row["alert_id"] for row in await connection.fetch(SQL["candidates"], closed_before)]

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """While this holds nobody else archives; `ConflictError` when somebody does."""
        async with self._database.connection() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
                raise ConflictError("另一个进程正在归档。", remedy="请等它结束后再试。")
            try:
                yield
            finally:
                await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)

    async def archive(self, alert_id: int, closed_before: datetime) -> Archived | Kept:
        """Take one alert out of the ledger, or say what keeps it there."""
        async with self._database.connection() as connection:
            found = await standing(connection, alert_id, closed_before)
        if isinstance(found, Ripe):
            kept = await self._write_and_seal(alert_id, closed_before)
            if kept is not None:
                return kept
        elif isinstance(found, Kept):
            return found
        return await self._empty(alert_id)

    async def _write_and_seal(self, alert_id: int, closed_before: datetime) -> Kept | None:
        name = f"alert-{alert_id}"
        draft, final = self._folder / f"{name}.partial", self._folder / name
        try:
            manifest = await writing.write(self._database, alert_id, draft, self._clock.now())
            log.info("archive.written", alert=alert_id, rows=manifest.rows, bytes=manifest.size)
            shutil.rmtree(final, ignore_errors=True)  # of a run that was cut off before its seal
            draft.rename(final)
            writing.sync(self._folder)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise UnavailableError(
                f"写不了归档文件 {draft}：{error.strerror}。", remedy="请检查磁盘空间和权限；数据库中的内容没有改动。"
            ) from error
        return await self._seal(alert_id, closed_before, manifest)

    async def _seal(self, alert_id: int, closed_before: datetime, manifest: Manifest) -> Kept | None:
        sealed = digest(manifest.encoded())
        async with self._database.connection() as connection:
            over_time = await course.derive(connection, alert_id)  # before the lock: it takes its time
        async with self._database.transaction() as connection:
            await lock_states(connection)
            found = await standing(connection, alert_id, closed_before)
            if isinstance(found, Kept):
                return found
            if await _counts(connection, alert_id) != manifest.counts:
                return Kept((Reason.UNFOLDED,))  # a receipt came while we wrote; the next run takes it
            if not manifest.balanced:
                return Kept((Reason.UNBALANCED,))
            now = self._clock.now()
            values = (f"alert-{alert_id}", sealed, manifest.rows, manifest.size, now)
            await connection.execute(SQL["sealed"], alert_id, *values)
            if over_time is not None:
                await course.keep(connection, alert_id, over_time)
            for one in manifest.counts:
                await connection.execute(
                    SQL["keep_counts"], alert_id, *(getattr(one, column) for column in Counts.__struct_fields__)
                )
            detail = {"by": "command-line", "rows": manifest.rows, "manifest": sealed}
            await audit.append(connection, SYSTEM.account_id, ACTION, now, alert_id=alert_id, detail=detail)
        log.info("archive.sealed", alert=alert_id, manifest=sealed)
        return None

    async def _empty(self, alert_id: int) -> Archived:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT folder, digest, rows, bytes FROM archive WHERE alert_id = $1", alert_id
            )
        folder = self._folder / row["folder"]
        wrong = await asyncio.to_thread(faults, folder, row["digest"])
        if wrong:
            raise UnavailableError(
                f"预警 {alert_id} 的归档文件不完整（{folder}：{'；'.join(wrong)}），没有删除任何记录。",
                remedy="请在写出归档的那台机器上运行，或从备份恢复这个目录。",
            )
        log.info("archive.emptying", alert=alert_id)
        gone = await emptying.empty(self._database, alert_id, self._rest)
        async with self._database.connection() as connection:
            await connection.execute(SQL["emptied"], alert_id, self._clock.now())
        log.info("archive.emptied", alert=alert_id, rows=gone)
        return Archived(alert_id, row["folder"], row["rows"], row["bytes"], gone)

    async def vacuum(self) -> None:
        """Have the room that was left used again."""
        await emptying.vacuum(self._database)


async def _counts(connection: Connection, alert_id: int) -> Sequence[Counts]:
    return tuple(Counts(**dict(row)) for row in await connection.fetch(SQL["counts"], alert_id))
