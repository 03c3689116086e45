"""The seam to PostgreSQL: one pool, one transaction for records and SQL, migrations that are all or nothing."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime

import pytest
from tortoise.connection import get_connection

from broadcaster.database import DATABASE_AWAY, Database, create_database, with_database
from broadcaster.errors import SettingsError, UnavailableError
from broadcaster.migrating import migrate_database
from broadcaster.schema import CHANGES
from broadcaster.security.records import AccountRecord
from tests.harness.ports import socket_folder
from tests.harness.relay import relay


async def count(database: Database, table: str) -> int:
    async with database.connection() as connection:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))


async def test_records_and_sql_share_one_transaction(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("CREATE TABLE probe (id int)")
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO probe VALUES (1)")
            await get_connection("default").execute_query("INSERT INTO probe VALUES (2)")
            assert await connection.fetchval("SELECT count(*) FROM probe") == 2
            raise ZeroDivisionError
    assert await count(database, "probe") == 0


async def test_an_inner_transaction_is_a_savepoint(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("CREATE TABLE probe (id int)")
        with pytest.raises(ZeroDivisionError):
            async with database.transaction() as inner:
                assert inner is connection
                await inner.execute("INSERT INTO probe VALUES (1)")
                raise ZeroDivisionError
        await connection.execute("INSERT INTO probe VALUES (2)")
    assert await count(database, "probe") == 1


async def test_transactions_in_parallel_tasks_do_not_mix(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("CREATE TABLE probe (id int)")

    async def insert(number: int) -> None:
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO probe VALUES ($1)", number)
            await get_connection("default").execute_query("SELECT pg_sleep(0)")
            if number % 2:
                raise ValueError(number)

    await asyncio.gather(*(insert(number) for number in range(20)), return_exceptions=True)
    assert await count(database, "probe") == 10


async def test_a_lost_connection_does_not_shrink_the_pool(database_url: str) -> None:
    database = await Database.open(database_url, pool_max=2)
    try:
        for _ in range(5):
            with pytest.raises(Exception, match=r"terminat|closed"):
                async with database.transaction() as connection:
                    await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            async with asyncio.timeout(60), database.connection() as connection:
                assert await connection.fetchval("SELECT 1") == 1
    finally:
        await database.close()


async def test_migrating_again_and_at_once_changes_nothing(postgres_url: str, database_url: str) -> None:
    fresh = with_database(postgres_url, database_url.partition("?")[0].rpartition("/")[2] + "_fresh")
    created = await asyncio.gather(*(create_database(fresh) for _ in range(3)))
    assert created.count(True) == 1
    shares = await asyncio.gather(*(migrate_database(fresh) for _ in range(3)))
    assert sorted(itertools.chain(*shares)) == [f"{change.app}.{change.name}" for change in CHANGES]
    assert await migrate_database(fresh) == []
    async with asyncio.timeout(60):
        database = await Database.open(postgres_url)
        async with database.connection() as connection:
            await connection.execute(f'DROP DATABASE "{fresh.partition("?")[0].rpartition("/")[2]}" WITH (FORCE)')
        await database.close()


async def test_two_open_databases_stay_apart(postgres_url: str, database: Database) -> None:
    other = await Database.open(postgres_url)
    async with other.connection() as connection:
        elsewhere = await connection.fetchval("SELECT current_database()")
    await other.close()
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT current_database()") != elsewhere
        assert get_connection("default") is not None


async def test_no_answer_is_an_error_with_a_remedy_and_without_the_password() -> None:
    with pytest.raises(UnavailableError) as caught:
        await Database.open("postgres://daohu:geheim@127.0.0.1:1/daohu")
    assert "geheim" not in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("url", ["", "sqlite://x.db", "postgres://host", "postgres://host:port/name", "redis://host/1"])
async def test_a_wrong_url_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        await Database.open(url)


async def test_a_connection_whose_server_is_dying_counts_as_a_database_that_is_away(database_url: str) -> None:
    with socket_folder() as folder:
        async with relay(database_url, folder) as between:
            database = await Database.open(between.url, pool_max=1)
            between.dying()
            await asyncio.sleep(0.05)
            with pytest.raises(DATABASE_AWAY):
                async with database.transaction() as connection:
                    await connection.fetchval("SELECT 1")
            await database.close()


async def test_a_refused_write_of_a_record_counts_as_a_database_that_is_away(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("SET TRANSACTION READ ONLY")
        with pytest.raises(DATABASE_AWAY):
            await AccountRecord.create(name="somebody", password_hash="", active=True, created_at=datetime.now(UTC))
