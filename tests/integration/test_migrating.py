"""Migrating beside traffic: nobody waits in line behind a change, and it waits for whoever could not live with it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from importlib import import_module
from importlib.resources import files

import asyncpg
import pytest
from tortoise.migrations import operations as ops

from broadcaster.database import Database
from broadcaster.errors import OutdatedError, UnavailableError
from broadcaster.migrating import Haste, migrate_database
from broadcaster.presence import Process, attend
from broadcaster.schema import CHANGES, VERSION, Change
from tests.harness.waiting import wait_until

LAST = CHANGES[-1]
BREAKING = replace(LAST, version=VERSION + 1, needs=VERSION + 1)
QUICK = Haste(lock=0.1, patience=0.5, pause=0.05)


def undone(change: Change) -> list[str]:
    """Statements that take back what a migration makes, adds and drops: tables, columns, indexes."""
    sql = files("broadcaster.migrations").joinpath(f"{change.name}.sql").read_text(encoding="utf-8")
    found = {
        "DROP TABLE {} CASCADE": r"^CREATE TABLE (\w+)",
        "DROP INDEX IF EXISTS {}": r"^CREATE (?:UNIQUE )?INDEX (\w+)",
        "ALTER TABLE {} DROP COLUMN {}": r"^ALTER TABLE (\w+) ADD COLUMN (\w+)",
        "ALTER TABLE {} ADD COLUMN {} text": r"^ALTER TABLE (\w+) DROP COLUMN (\w+)",
    }
    return [
        statement.format(*match.groups())
        for statement, made in found.items()
        for match in re.finditer(made, sql, re.MULTILINE)
    ]


async def roll_back_last(database: Database) -> None:
    """As it was before the last migration."""
    async with database.connection() as connection:
        for statement in undone(LAST):
            await connection.execute(statement)
        await connection.execute("DELETE FROM schema_change WHERE version = $1", LAST.version)
        await connection.execute("DELETE FROM tortoise_migrations WHERE name = $1", LAST.name)


async def applied(database: Database, change: Change) -> bool:
    async with database.connection() as connection:
        found: bool = await connection.fetchval(
            "SELECT EXISTS (SELECT 1 FROM schema_change WHERE version = $1 AND applied_at IS NOT NULL)", change.version
        )
        return found


async def test_only_what_is_missing_is_applied_and_written_down(database: Database, database_url: str) -> None:
    await roll_back_last(database)
    assert await migrate_database(database_url) == [f"{LAST.app}.{LAST.name}"]
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT version, needs, applied_at FROM schema_change ORDER BY version")
    assert [(row["version"], row["needs"]) for row in rows] == [(one.version, one.needs) for one in CHANGES]
    assert all(row["applied_at"] for row in rows)


async def test_a_schema_from_before_versions_were_written_down_is_taken_as_it_is(
    database: Database, database_url: str
) -> None:
    async with database.connection() as connection:
        await connection.execute("DROP TABLE schema_change")
    assert len(await migrate_database(database_url)) == len(CHANGES)
    assert await migrate_database(database_url) == []


async def test_a_database_that_demands_more_than_this_program_knows_is_refused(
    database: Database, database_url: str
) -> None:
    async with database.connection() as connection:
        await connection.execute("INSERT INTO schema_change (version, needs) VALUES (90, 90)")
    with pytest.raises(OutdatedError) as caught:
        await migrate_database(database_url)
    assert (caught.value.needed, caught.value.knows) == (90, VERSION)
    assert caught.value.remedy


async def test_a_newer_schema_that_only_adds_is_no_hindrance(database: Database, database_url: str) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO schema_change (version, needs, applied_at) VALUES (90, $1, now())", VERSION
        )
    assert await migrate_database(database_url) == []


async def test_a_change_gives_up_its_place_in_line_and_comes_back(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long report reads a table; a change needs it alone; a writer that comes after is served all the same."""
    await roll_back_last(database)
    async with database.connection() as connection:
        await connection.execute("CREATE TABLE ledger_of_others (id int)")
    report = await asyncpg.connect(database_url)
    writer = await asyncpg.connect(database_url)
    _stumbles_over(monkeypatch, "ledger_of_others")
    reading = report.transaction()
    await reading.start()
    await report.fetch("SELECT * FROM ledger_of_others")
    upgrade = asyncio.create_task(migrate_database(database_url, haste=Haste(lock=0.1, patience=30, pause=0.05)))

    async def attempted() -> bool:
        async with database.connection() as connection:
            waiting: bool = await connection.fetchval("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
            return waiting

    await wait_until(attempted, what="the change to ask for its lock")
    async with asyncio.timeout(60):
        for _ in range(20):
            await writer.execute("INSERT INTO ledger_of_others VALUES (1)")
    assert not upgrade.done()
    await reading.rollback()
    assert await upgrade == [f"{LAST.app}.{LAST.name}"]
    await report.close()
    await writer.close()


async def test_a_table_that_is_never_free_is_an_error_with_a_remedy(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await roll_back_last(database)
    async with database.connection() as connection:
        await connection.execute("CREATE TABLE ledger_of_others (id int)")
    _stumbles_over(monkeypatch, "ledger_of_others")
    report = await asyncpg.connect(database_url)
    async with report.transaction():
        await report.fetch("SELECT * FROM ledger_of_others")
        with pytest.raises(UnavailableError) as caught:
            await migrate_database(database_url, haste=QUICK)
    assert caught.value.remedy
    assert await migrate_database(database_url, haste=QUICK) == [f"{LAST.app}.{LAST.name}"]
    await report.close()


async def test_a_change_that_breaks_older_programs_waits_until_the_last_has_left(
    database: Database, database_url: str
) -> None:
    """The change is announced at once, the older process sees it, ends its work in order, and only then is it made."""
    made_before_the_end: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            made_before_the_end.append(await applied(database, BREAKING))

    async def here() -> bool:
        async with database.connection() as connection:
            found: bool = await connection.fetchval("SELECT EXISTS (SELECT 1 FROM process WHERE name = 'old-1')")
            return found

    working = asyncio.create_task(attend(database, Process("old-1", "worker", dict, seconds=0.05), work()))
    await wait_until(here, what="the old process to appear")
    haste = Haste(pause=0.05, patience=20)
    upgrade = asyncio.create_task(migrate_database(database_url, changes=(*CHANGES, BREAKING), haste=haste))
    with pytest.raises(OutdatedError):
        await working
    assert len(await upgrade) == 1
    assert made_before_the_end == [False]
    assert await applied(database, BREAKING)
    assert not await here()


async def test_a_change_that_only_adds_is_made_beside_older_programs(database: Database, database_url: str) -> None:
    async with database.connection() as connection:
        await connection.execute("INSERT INTO process (name, kind, knows) VALUES ('old-1', 'worker', $1)", VERSION)
    adding = replace(BREAKING, needs=VERSION)
    assert len(await migrate_database(database_url, changes=(*CHANGES, adding), haste=QUICK)) == 1


async def test_older_programs_that_do_not_leave_are_named(database: Database, database_url: str) -> None:
    async with database.connection() as connection:
        await connection.execute("INSERT INTO process (name, kind, knows) VALUES ('deaf-1', 'worker', $1)", VERSION)
    with pytest.raises(UnavailableError, match="deaf-1"):
        await migrate_database(database_url, changes=(*CHANGES, BREAKING), haste=QUICK)
    assert not await applied(database, BREAKING)


async def test_a_dead_process_is_not_waited_for(database: Database, database_url: str) -> None:
    async with database.connection() as connection:
        await connection.execute(
            """
            INSERT INTO process (name, kind, knows, seen_at)
            VALUES ('dead-1', 'worker', $1, now() - interval '1 minute')
            """,
            VERSION,
        )
    assert len(await migrate_database(database_url, changes=(*CHANGES, BREAKING), haste=QUICK)) == 1


def _stumbles_over(monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    """The last change also needs `table` for itself alone."""
    module = import_module(f"broadcaster.migrations.{LAST.name}")
    added = ops.RunSQL(f"ALTER TABLE {table} ADD COLUMN note text")
    monkeypatch.setattr(module.Migration, "operations", [*module.Migration.operations, added])
