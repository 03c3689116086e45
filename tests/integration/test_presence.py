"""A process is known to the others from the beginning of its work to its end, and ends in order when it is outdated."""

from __future__ import annotations

import asyncio
import json

import pytest

from broadcaster.cli.running import run_until_stopped
from broadcaster.database import Database
from broadcaster.errors import OutdatedError
from broadcaster.presence import Process, attend
from broadcaster.schema import VERSION
from tests.harness.waiting import wait_until


async def present(database: Database) -> list[str]:
    async with database.connection() as connection:
        return [row["name"] for row in await connection.fetch("SELECT name FROM process ORDER BY name")]


async def forever() -> None:
    await asyncio.Event().wait()


async def test_it_tells_how_it_fares_and_is_gone_when_its_work_is_over(database: Database) -> None:
    buffered = 1.0
    over = asyncio.Event()

    async def work() -> None:
        await over.wait()

    process = Process("p-1", "worker", lambda: {"buffered": buffered}, seconds=0.02)
    attending = asyncio.create_task(attend(database, process, work()))

    async def told() -> float:
        async with database.connection() as connection:
            row = await connection.fetchrow("SELECT knows, figures::text AS figures FROM process WHERE name = 'p-1'")
        assert row is None or row["knows"] == VERSION
        return float(json.loads(row["figures"])["buffered"]) if row else 0.0

    await wait_until(told)
    buffered = 7.0

    async def news() -> bool:
        return await told() == 7.0

    await wait_until(news, what="the figures to be renewed")
    over.set()
    await attending
    assert await present(database) == []


async def test_a_fault_of_the_work_is_the_works_own(database: Database) -> None:
    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await attend(database, Process("p-1", "worker", dict), work())
    assert await present(database) == []


async def test_cancelled_from_outside_it_winds_up_and_is_gone(database: Database) -> None:
    wound_up: list[list[str]] = []

    async def work() -> None:
        try:
            await forever()
        finally:
            wound_up.append(await present(database))

    attending = asyncio.create_task(attend(database, Process("p-1", "worker", dict), work()))

    async def here() -> bool:
        return await present(database) == ["p-1"]

    await wait_until(here)
    attending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attending
    assert wound_up == [["p-1"]]
    assert await present(database) == []


async def test_a_process_that_is_web_and_worker_at_once_ends_whole_and_says_so_once(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    async with database.connection() as connection:
        await connection.execute("INSERT INTO schema_change (version, needs) VALUES (90, 90)")
    parts = [attend(database, Process(kind, kind, dict, seconds=0.02), forever()) for kind in ("serve", "worker")]
    with pytest.raises(OutdatedError):
        await run_until_stopped(parts)
    assert await present(database) == []
    said = capsys.readouterr()
    assert "process.part_failed" not in said.out + said.err
