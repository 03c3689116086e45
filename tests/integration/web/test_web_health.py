"""/healthz says that the process lives; /readyz whether the work can be done, by faults that are really made."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broadcaster import readiness
from broadcaster.database import Database, create_database
from broadcaster.doorbell import Doorbell
from broadcaster.embedded import EmbeddedServers
from broadcaster.migrating import migrate_database
from broadcaster.schema import VERSION
from broadcaster.settings import Settings
from broadcaster.web.context import Context
from tests.harness.web import Make, Web


async def ready(web: Web) -> tuple[int, dict[str, dict[str, Any]]]:
    """The status of /readyz, and its checks by name."""
    answer = await web.client.get("/readyz")
    body = await answer.json()
    assert body["status"] in {"ready", "degraded", "unready"}
    return answer.status, {check["name"]: check for check in body["checks"]}


async def spoil(web: Web, statement: str) -> None:
    async with web.database.connection() as connection:
        await connection.execute(statement)


async def test_with_a_worker_alive_everything_is_ready(web: Web) -> None:
    await web.worker_lives()
    status, checks = await ready(web)
    assert status == 200
    assert {check["outcome"] for check in checks.values()} == {"ok"}
    assert checks.keys() >= {"database", "schema", "writable", "workers", "folding", "disk"}
    assert "daohu_ready 1\n" in await (await web.client.get("/metrics")).text()


FAULTS = {
    "no worker": ("workers", "DELETE FROM process"),
    "a worker that fell silent": ("workers", "UPDATE process SET seen_at = now() - interval '30 seconds'"),
    "only a web process": ("workers", "UPDATE process SET kind = 'serve'"),
    "a migration missing": ("schema", "DELETE FROM tortoise_migrations WHERE name = '0004_security'"),
    "a migration announced": ("schema", f"UPDATE schema_change SET applied_at = NULL WHERE version = {VERSION}"),
    "a program too old": ("schema", "INSERT INTO schema_change (version, needs) VALUES (90, 90)"),
    "a log that nobody folds": (
        "folding",
        "INSERT INTO segment (worker, rows, written_at) VALUES ('w', 5, now() - interval '31 seconds')",
    ),
    "a table that cannot be written": (
        "writable",
        "ALTER TABLE process ADD CONSTRAINT never CHECK (kind <> 'probe')",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_makes_it_unready_and_says_what_to_do(fault: str, web: Web) -> None:
    await web.worker_lives()
    name, statement = FAULTS[fault]
    await spoil(web, statement)
    status, checks = await ready(web)
    assert status == 503
    assert [check["name"] for check in checks.values() if check["outcome"] == "failed"] == [name]
    assert checks[name]["what"]
    assert checks[name]["remedy"]
    assert (await web.client.get("/healthz")).status == 200
    text = await (await web.client.get("/metrics")).text()
    assert "daohu_ready 0\n" in text
    assert f'daohu_check{{name="{name}"}} 0\n' in text


async def test_what_has_just_been_logged_is_not_stuck(web: Web) -> None:
    await web.worker_lives()
    await spoil(web, "INSERT INTO segment (worker, rows) VALUES ('w', 5)")
    assert (await ready(web))[0] == 200


async def test_a_database_that_only_reads_makes_it_unready(web: Web) -> None:
    await web.worker_lives()
    await spoil(
        web,
        """DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
        END $$""",
    )
    await spoil(
        web,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    async with web.database.connection() as connection:
        with pytest.raises(Exception, match=r"terminat|clos"):
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    status, checks = await ready(web)
    assert status == 503
    assert {name for name, check in checks.items() if check["outcome"] == "failed"} == {"writable"}
    assert "只读" in checks["writable"]["what"]


@pytest.mark.parametrize(("bound", "outcome", "status"), [("SCARCE", "degraded", 200), ("FULL", "failed", 503)])
async def test_a_disk_that_fills_is_told_before_it_is_full(
    bound: str, outcome: str, status: int, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    await web.worker_lives()
    monkeypatch.setattr(readiness, "SCARCE", 2**62)
    monkeypatch.setattr(readiness, bound, 2**62)
    answered, checks = await ready(web)
    assert (answered, checks["disk"]["outcome"]) == (status, outcome)


async def test_the_disk_of_a_database_elsewhere_is_not_ours(
    make_web: Make, context: Context, settings: Settings
) -> None:
    elsewhere = replace(settings, database=replace(settings.database, url="postgres://db/daohu"))
    web: Web = await make_web(replace(context, settings=elsewhere))
    assert "disk" not in (await ready(web))[1]


@asynccontextmanager
async def doomed() -> AsyncIterator[tuple[EmbeddedServers, Database]]:
    """A server of one's own, and a database on it."""
    with tempfile.TemporaryDirectory(prefix="daohu-") as folder:
        servers = EmbeddedServers(Path(folder), servers=["postgres"], durable=False)
        url = servers.start().database_url
        try:
            await create_database(url)
            await migrate_database(url)
            database = await Database.open(url, pool_max=3)
            try:
                yield servers, database
            finally:
                servers.start()  # so that the pool finds an end
                await database.close()
        finally:
            servers.stop()


async def test_without_the_database_it_is_alive_unready_and_still_has_metrics(make_web: Make, context: Context) -> None:
    async with doomed() as (servers, database):
        web: Web = await make_web(replace(context, database=database))
        servers.stop()
        status, checks = await ready(web)
        assert status == 503
        assert checks["database"]["outcome"] == "failed"
        assert checks["database"]["remedy"]
        assert (await web.client.get("/healthz")).status == 200
        metrics = await web.client.get("/metrics")
        assert metrics.status == 200
        assert "daohu_database_up 0\n" in await metrics.text()


async def test_without_redis_it_is_degraded_and_does_its_work(make_web: Make, context: Context) -> None:
    bell = Doorbell("unix:///nowhere/redis.sock")

    async def answers() -> str:
        return "" if await bell.answers() else "Redis 没有应答"

    web: Web = await make_web(replace(context, probes={"doorbell": answers}))
    await web.worker_lives()
    status, checks = await ready(web)
    await bell.close()
    assert (status, checks["doorbell"]["outcome"]) == (200, "degraded")
    assert checks["doorbell"]["remedy"]
