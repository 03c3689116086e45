"""The frame of every import: read into a temporary table by COPY, then set-based statements, all in one transaction.

A crash at any moment leaves nothing behind: the temporary table dies with the session, the rest with the transaction.
A dry run goes the same way and rolls back, so that what it says is what would happen.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from audiences.importing.columns import Header
from audiences.importing.report import Changes, ImportReport, Problems, Progress
from audiences.importing.tables import Table

BATCH_ROWS = 4_000
# Reading takes about this share of an import's time; the statements afterwards the rest.
READING = 0.4

Records = list[tuple[object, ...]]


@asynccontextmanager
async def import_transaction(connection: asyncpg.Connection, *, dry_run: bool) -> AsyncIterator[None]:
    """One import at a time; rolled back for a dry run. Works inside a caller's transaction as a savepoint."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('audiences.import'))")
        await connection.execute("SET LOCAL work_mem = '128MB'")
        yield
    except BaseException:
        await transaction.rollback()
        raise
    if dry_run:
        await transaction.rollback()
    else:
        await transaction.commit()


@dataclass(slots=True)
class Run:
    """One import under way: where it reports to, and what it has seen."""

    kind: str
    problems: Problems
    progress: Progress | None
    dry_run: bool
    started: float
    rows: int = 0
    merged: int = 0

    @classmethod
    def start(cls, kind: str, progress: Progress | None, *, dry_run: bool) -> Run:
        return cls(kind, Problems(), progress, dry_run, time.perf_counter())

    def tell(self, fraction: float) -> None:
        if self.progress is not None:
            self.progress(self.rows, fraction)

    async def load(
        self,
        connection: asyncpg.Connection,
        table: str,
        columns: Sequence[str],
        batches: Iterator[tuple[int, Records]],
        source: Table | None = None,
    ) -> None:
        """COPY the batches into `table`; the next one is read (in a thread) while the last one is written."""
        reading = asyncio.create_task(asyncio.to_thread(next, batches, None))
        try:
            while (batch := await reading) is not None:
                reading = asyncio.create_task(asyncio.to_thread(next, batches, None))
                self.rows, records = batch
                if records:
                    await connection.copy_records_to_table(table, records=records, columns=columns)
                self.tell(READING * (source.fraction if source else 1.0))
        finally:
            await asyncio.wait([reading])
            if not reading.cancelled():
                reading.exception()
        await connection.execute(f"ANALYZE {table}")

    def report(self, changes: Mapping[str, Changes], header: Header | None = None) -> ImportReport:
        self.tell(1.0)
        return ImportReport(
            kind=self.kind,
            rows=self.rows,
            refused=self.problems.refused,
            merged=self.merged,
            changes=changes,
            problems=tuple(sorted(self.problems.kept, key=lambda problem: problem.row)),
            problem_count=self.problems.count,
            ignored_columns=header.ignored if header else (),
            seconds=time.perf_counter() - self.started,
            dry_run=self.dry_run,
        )


def affected(status: str) -> int:
    """The number of rows in a command's status ("UPDATE 12", "INSERT 0 12")."""
    return int(status.rpartition(" ")[2])


async def known_regions(connection: asyncpg.Connection, *, shortest: int = 6) -> frozenset[str]:
    """The region codes of at least `shortest` digits."""
    rows = await connection.fetch("SELECT code FROM region WHERE length(code) >= $1", shortest)
    return frozenset(row["code"] for row in rows)
