"""`daohu archive` is killed again and again; the ledger and the files together always hold everything."""

from __future__ import annotations

import asyncio
import csv
import gzip
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from broadcaster.embedded import EmbeddedServers
from broadcaster.security import audit
from tests.harness.past import past_alert
from tests.harness.processes import DaohuProcess, last_object, run_daohu

MANY = 60_000
TALKATIVE = {"DAOHU__LOG__LEVEL": "debug"}


@asynccontextmanager
async def office() -> AsyncIterator[tuple[Path, asyncpg.Connection]]:
    """An installation with one large alert that was over two months ago, and one that was over yesterday."""
    with tempfile.TemporaryDirectory(prefix="daohu-") as name, EmbeddedServers(Path(name) / "data") as servers:
        folder = Path(name)
        done = await asyncio.to_thread(run_daohu, "init", "--code", "330212", "--name", "鄞州区", folder=folder)
        assert done.returncode == 0, done.stderr
        connection = await asyncpg.connect(servers.database_url)
        try:
            now = datetime.now(UTC)
            await past_alert(connection, 1, now - timedelta(days=60), deliveries=MANY)
            await past_alert(connection, 2, now - timedelta(days=1))
            yield folder, connection
        finally:
            await connection.close()


async def holds_everything(folder: Path, connection: asyncpg.Connection) -> bool:
    """Whether every delivery of alert 1 is in the ledger or in a file that the ledger vouches for."""
    left = {row["ordinal"] for row in await connection.fetch("SELECT ordinal FROM delivery WHERE alert_id = 1")}
    if await connection.fetchval("SELECT count(*) FROM archive"):
        with gzip.open(folder / "data/archive/alert-1/delivery.csv.gz", "rt", encoding="utf-8") as file:
            left |= {int(row["ordinal"]) for row in csv.DictReader(file)}
    return left == set(range(MANY))


async def test_killed_at_any_moment_nothing_is_lost_and_the_last_run_finishes() -> None:
    chance = random.Random(7)
    async with office() as (folder, connection):
        before = last_object((await asyncio.to_thread(run_daohu, "status", "1", "--json", folder=folder)).stdout)
        assert before["conserved"]
        midst = 0
        for _ in range(5):
            sealed = await connection.fetchval("SELECT count(*) FROM archive")
            event = "archive.emptying" if sealed else "archive.written"
            process = DaohuProcess("archive", folder=folder, name="archive", environment=TALKATIVE).start()
            await asyncio.to_thread(process.wait_for_log, event)
            if event == "archive.emptying":
                await asyncio.sleep(chance.uniform(0, 0.5))
            midst += process.running
            process.kill()
            assert await holds_everything(folder, connection)
            now = last_object((await asyncio.to_thread(run_daohu, "status", "1", "--json", folder=folder)).stdout)
            assert {**now, "archived_at": None} == {**before, "archived_at": None}
            if await connection.fetchval("SELECT count(*) FROM delivery WHERE alert_id = 1") == 0:
                break
        assert midst >= 3, "kills that meet nobody at work prove nothing"
        done = await asyncio.to_thread(run_daohu, "archive", "--json", folder=folder, within=120)
        assert done.returncode == 0, done.stderr
        assert await holds_everything(folder, connection)
        for table in ("delivery", "entry", "message_ref", "batch", "tally"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table} WHERE alert_id = 1") == 0
            assert await connection.fetchval(f"SELECT count(*) FROM {table} WHERE alert_id = 2") > 0
        assert [path.name for path in (folder / "data/archive").iterdir()] == ["alert-1"]
        assert (await audit.verify(connection)).broken is None
        entries = await audit.of_alert(connection, 1)
        assert [entry.action for entry in entries] == ["alert.archive"]


async def test_the_command_says_what_it_would_do_and_why_it_does_not() -> None:
    async with office() as (folder, connection):

        async def answered(*words: str, code: int = 0) -> dict[str, object]:
            done = await asyncio.to_thread(run_daohu, "archive", *words, "--json", folder=folder)
            assert done.returncode == code, done.stderr
            return last_object(done.stdout)

        would = await answered("--dry-run")
        assert would["ripe"] == [{"alert": 1, "deliveries": MANY, "households": MANY}]
        assert await connection.fetchval("SELECT count(*) FROM archive") == 0
        early = (datetime.now(UTC) - timedelta(days=90)).strftime("%Y-%m-%d")
        assert (await answered("--before", early, "--dry-run"))["ripe"] == []
        assert (await answered("--before", "gestern", code=2))["error"]
        kept = await answered("2", code=1)
        assert kept["kept"] == [{"alert": 2, "reasons": ["too_young"]}]
        assert (await answered("99", code=1))["error"]
        assert [one["alert_id"] for one in (await answered("1"))["archived"]] == [1]  # type: ignore[attr-defined]
        shown = await asyncio.to_thread(run_daohu, "status", "1", folder=folder)
        assert shown.returncode == 0
        assert "归档" in shown.stdout
