"""The frame of every import: read into a temporary table by COPY, then set-based statements, all in one transaction.

A crash at any moment leaves nothing behind: the temporary table dies with the session, the rest with the transaction.
A dry run goes the same way and rolls back, so that what it says is what would happen.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import asyncpg

from audiences.importing.columns import Header, Row, find_header
from audiences.importing.differences import RecordChange, differences, first
from audiences.importing.report import Changes, ImportReport, PlaceChanges, Problems, Progress
from audiences.importing.tables import Table

BATCH_ROWS = 4_000
# Reading takes about this share of an import's time; the statements afterwards the rest.
READING = 0.4

Records = list[tuple[object, ...]]
Within = tuple[str, ...] | None
"""The regions (code prefixes) that an import may touch; None: all."""

FOREIGN = "该编号已登记在您的辖区之外；请核对编号，或由上级导入"


async def headed(
    table: Table, fields: Mapping[str, tuple[str, ...]], required: Sequence[str]
) -> tuple[Header, Iterator[Row]]:
    """`find_header`, in a thread: a workbook gives its first row only after all of its texts have been read, which
    takes seconds for a large roster, and who imports may be sending meanwhile."""
    return await asyncio.to_thread(find_header, table.rows(), fields, required)


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
    """One import under way: where it reports to, what it may touch, and what it has seen."""

    kind: str
    problems: Problems
    progress: Progress | None
    dry_run: bool
    started: float
    within: Within = None
    rows: int = 0
    merged: int = 0
    places: dict[tuple[str, str], PlaceChanges] = field(default_factory=dict)
    fields: Mapping[str, int] = field(default_factory=dict)
    differences: list[RecordChange] = field(default_factory=list)
    difference_count: int = 0

    @classmethod
    def start(cls, kind: str, progress: Progress | None, *, dry_run: bool, within: Within = None) -> Run:
        return cls(kind, Problems(), progress, dry_run, time.perf_counter(), within)

    async def write(
        self, connection: asyncpg.Connection, table: str, kind: str, statement: str, *values: object
    ) -> int:
        """Run a statement made by `by_region`, note what it did where, as `kind` of `PlaceChanges`; rows it wrote."""
        return self.note(table, kind, await connection.fetch(statement, *values))

    def note(self, table: str, kind: str, rows: Sequence[Mapping[str, Any]]) -> int:
        """Keep counts by region (`region`, `n`, `example`); their sum."""
        for row in rows:
            key = (table, row["region"])
            known = self.places.get(key) or PlaceChanges(table, row["region"])
            example = known.example or row["example"] or ""
            self.places[key] = replace(known, example=example, **{kind: getattr(known, kind) + row["n"]})
        return sum(row["n"] for row in rows)

    async def compare(self, connection: asyncpg.Connection, table: str, statement: str, *values: object) -> None:
        """Of a dry run: keep what a statement made like `differing` finds, before anything is written."""
        if not self.dry_run:
            return
        rows = await connection.fetch(statement, *values)
        self.difference_count += rows[0]["total"] if rows else 0
        self.differences += differences(table, rows)

    async def refuse_foreign(
        self, connection: asyncpg.Connection, statement: str, column: str, *values: object
    ) -> None:
        """Leave out what is registered outside of the regions that this import may touch."""
        if self.within is None:
            return
        for row in await connection.fetch(statement, list(self.within), *values):
            self.problems.refuse(row["row_number"], column, row["key"], FOREIGN)

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
            places=tuple(sorted(self.places.values(), key=lambda place: (place.region, place.table))),
            fields=self.fields,
            differences=first(self.differences),
            difference_count=self.difference_count,
        )


def affected(status: str) -> int:
    """The number of rows in a command's status ("UPDATE 12", "INSERT 0 12")."""
    return int(status.rpartition(" ")[2])


def by_region(statement: str, region: str, key: str = "''") -> str:
    """A statement that writes, made to tell how many rows it wrote in each village (12 digits, or what is shorter)."""
    return f"""
WITH written AS ({statement} RETURNING left({region}, 12) AS region, {key} AS key)
SELECT region, count(*) AS n, min(key) AS example FROM written GROUP BY region
"""


async def known_regions(connection: asyncpg.Connection, *, shortest: int = 6, within: Within = None) -> frozenset[str]:
    """The region codes of at least `shortest` digits that an import may touch."""
    rows = await connection.fetch("SELECT code FROM region WHERE length(code) >= $1", shortest)
    return frozenset(row["code"] for row in rows if within is None or row["code"].startswith(within))
