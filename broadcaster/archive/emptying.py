"""Emptying: the rows of an archived alert leave the ledger, few at a time, with a rest between.

Slices follow the order in which the rows lie, so that whole pages become free and are used again. A slice is a short
transaction that holds nothing but the rows it deletes; what a crash takes back of it is deleted by the next run.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from broadcaster.archive.standing import SQL
from broadcaster.archive.tables import LEAVING, Leaves, Table
from broadcaster.database import Database

SLICE = 2000
"""Rows of one transaction; about 20 ms."""

PAGES = 128
"""Pages of one transaction, where there is no key: 1 MB."""

SHORTEST_REST = 0.005

Rest = Callable[[float], Awaitable[None]]
"""Waits for some seconds, so that others come first."""


async def empty(database: Database, alert_id: int, rest: Rest) -> int:
    """Delete what leaves; returns how many rows did."""
    gone = 0
    for table in LEAVING:
        by = _by_key if table.leaves is Leaves.BY_KEY else _by_page
        gone += await by(database, table, alert_id, rest)
    await _segments(database, rest)
    return gone


async def _by_key(database: Database, table: Table, alert_id: int, rest: Rest) -> int:
    statement = SQL["delete_by_key"].format(table=table.name, key=table.key, which=table.which)
    last, gone = -1, 0
    while True:
        began = time.monotonic()
        async with database.transaction() as connection:
            await connection.execute("SET LOCAL synchronous_commit = off")  # whatever a crash takes back is done again
            row = await connection.fetchrow(statement, alert_id, last, SLICE)
        if row["last"] is None:
            return gone
        last, gone = row["last"], gone + row["gone"]
        await rest(max(SHORTEST_REST, time.monotonic() - began))


async def _by_page(database: Database, table: Table, alert_id: int, rest: Rest) -> int:
    statement = SQL["delete_by_page"].format(table=table.name, which=table.which)
    async with database.connection() as connection:
        pages: int = await connection.fetchval(SQL["pages"], table.name)
    gone = 0
    for first in range(0, pages, PAGES):
        began = time.monotonic()
        async with database.transaction() as connection:
            await connection.execute("SET LOCAL synchronous_commit = off")
            gone += await connection.fetchval(statement, alert_id, first, first + PAGES)
        await rest(max(SHORTEST_REST, time.monotonic() - began))
    return gone


async def _segments(database: Database, rest: Rest) -> None:
    last: int | None = 0
    while last is not None:
        async with database.transaction() as connection:
            last = await connection.fetchval(SQL["forget_segments"], last, SLICE)
        await rest(SHORTEST_REST)


async def vacuum(database: Database) -> None:
    """Have the room used again at once, gently; a table that somebody else is vacuuming is left to them."""
    async with database.connection() as connection:
        await connection.execute("SET vacuum_cost_delay = '2ms'")
        try:
            for table in LEAVING:
                # no truncation: it would take the table for itself alone
                await connection.execute(f"VACUUM (ANALYZE, TRUNCATE FALSE, SKIP_LOCKED) {table.name}")
        finally:
            await connection.execute("RESET vacuum_cost_delay")
