"""What a worker does with the rosters that people give: examines them, takes over what was confirmed.

A claim is a lease that is renewed while the work goes on, so a killed worker's import is taken up by another. Taking
over is one transaction with its own end and its audit entry: it has happened once, or not at all.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import msgspec
import structlog

from audiences import importing
from audiences.errors import AudienceError
from audiences.importing import ImportReport, Progress
from broadcaster.clock import Clock
from broadcaster.database import DATABASE_AWAY, Connection, Database
from broadcaster.rosters.imports import KEPT
from broadcaster.rosters.sql import SQL
from broadcaster.security import audit
from broadcaster.tasks import ended

LEASE = 30.0  # seconds
BEAT = 0.5  # seconds between two words on how far the work is
MOST_TRIES = 3
GIVEN_UP = "处理多次中断。请检查文件后重新上传。"
FAILED = "处理时出错，没有改动任何数据。请重新上传；再次出错请联系管理员。"
_LOG = structlog.get_logger(__name__)


class Read(Protocol):
    """One of the imports, whatever else it needs already given."""

    async def __call__(
        self,
        connection: Connection,
        path: Path,
        *,
        dry_run: bool,
        progress: Progress | None,
        within: tuple[str, ...] | None,
    ) -> ImportReport: ...


class LostError(Exception):
    """Another worker has taken the import up: what was done here is rolled back."""


@dataclass(slots=True)
class _Held:
    """An import that is ours for now, and how far it is."""

    id: int
    account_id: int
    kind: str
    suffix: str
    complete: bool
    within: Sequence[str]
    state: str
    rows: int = 0
    share: float = 0.0

    def tell(self, rows: int, share: float) -> None:
        self.rows, self.share = rows, share


async def work(database: Database, clock: Clock, owner: str) -> bool:
    """Do the next import that is due, if any; whether there was one. Clears away what is over as well."""
    async with database.connection() as connection:
        now = clock.now()
        await connection.execute(SQL["import_give_up"], MOST_TRIES, GIVEN_UP, now)
        await connection.execute(SQL["import_lapse"], now, now - KEPT)
        await connection.execute(SQL["import_sweep"])
        row = await connection.fetchrow(SQL["import_claim"], owner, LEASE, MOST_TRIES)
    if row is None:
        return False
    held = _Held(**row)
    beating = asyncio.create_task(_beat(database, held, owner), name="roster-import")
    try:
        await _carry_out(database, clock, held, owner)
    except LostError:
        _LOG.warning("rosters.lost", roster_import=held.id)
    finally:
        await ended(beating)
    return True


async def _carry_out(database: Database, clock: Clock, held: _Held, owner: str) -> None:
    with tempfile.TemporaryDirectory(prefix="daohu-roster-") as folder:
        path = Path(folder) / f"roster{held.suffix}"
        await _fetch(database, held.id, path)
        try:
            if held.state == "apply":
                await _take_over(database, clock, held, owner, path)
            else:
                await _examine(database, clock, held, owner, path)
        except AudienceError as error:
            await _fail(database, clock, held, owner, str(error))
        except (LostError, *DATABASE_AWAY):
            raise
        except Exception:  # whatever a file makes of our reader, its giver is told and the worker goes on
            _LOG.exception("rosters.fault", roster_import=held.id, kind=held.kind)
            await _fail(database, clock, held, owner, FAILED)


async def _examine(database: Database, clock: Clock, held: _Held, owner: str, path: Path) -> None:
    async with database.connection() as connection:
        report = await _reader(held, clock)(
            connection, path, dry_run=True, progress=held.tell, within=tuple(held.within)
        )
        await _end(connection, held, owner, "examined", report, None)


async def _take_over(database: Database, clock: Clock, held: _Held, owner: str, path: Path) -> None:
    async with database.transaction() as connection:
        report = await _reader(held, clock)(
            connection, path, dry_run=False, progress=held.tell, within=tuple(held.within)
        )
        await _end(connection, held, owner, "done", report, clock)
        await connection.execute(SQL["import_forget"], held.id)
        detail: dict[str, object] = {
            table: f"+{changes.added} ~{changes.updated} -{changes.deactivated}"
            for table, changes in report.changes.items()
        }
        detail["kind"] = held.kind
        await audit.append(
            connection, held.account_id, "roster.import", clock.now(), subject=f"import {held.id}", detail=detail
        )


async def _fail(database: Database, clock: Clock, held: _Held, owner: str, fault: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(SQL["import_end"], held.id, owner, "failed", None, fault[:500], clock.now())
        await connection.execute(SQL["import_forget"], held.id)


async def _end(
    connection: Connection, held: _Held, owner: str, state: str, report: ImportReport, clock: Clock | None
) -> None:
    written = msgspec.json.encode(report).decode()
    at = clock.now() if clock else None
    if not await connection.fetchval(SQL["import_end"], held.id, owner, state, written, "", at):
        raise LostError


def _reader(held: _Held, clock: Clock) -> Read:
    readers: Mapping[str, Any] = {
        "regions": importing.regions,
        "households": importing.households,
        "terminals": importing.terminals,
        "duties": partial(importing.duties, at=clock.now(), complete=held.complete),
    }
    found: Read = readers[held.kind]
    return found


async def _fetch(database: Database, number: int, path: Path) -> None:
    """The file, out of its pieces."""
    with path.open("wb") as file:
        async with database.connection() as connection, connection.transaction():
            async for row in connection.cursor(SQL["import_pieces"], number, prefetch=4):
                file.write(row["bytes"])


async def _beat(database: Database, held: _Held, owner: str) -> None:
    """Keep the lease, and say how far it is, on a connection beside the one at work."""
    while True:
        try:
            async with database.connection() as connection:
                await connection.execute(SQL["import_hold"], held.id, owner, held.rows, held.share, LEASE)
        except DATABASE_AWAY as error:
            _LOG.warning("rosters.database_away", error=type(error).__name__)
        await asyncio.sleep(BEAT)
