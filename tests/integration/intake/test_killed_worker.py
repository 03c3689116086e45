"""A worker that is killed in the midst of a visit: the next one goes on where it was, and nothing is there twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.database import Database
from tests.harness.feed_server import FeedServer, feed_server
from tests.harness.processes import DaohuProcess
from tests.harness.waiting import wait_until
from tests.harness.warnings import foreign, index, xml
from tests.harness.web import DISTRICT

PATIENCE = 180.0
"""Seconds that a command may take to start on a loaded machine."""


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as running:
        yield running


def settings(folder: Path, database_url: str, redis_url: str, address: str) -> None:
    (folder / "daohu.toml").write_text(
        f'[data]\ndir = "{folder / "data"}"\n[database]\nurl = "{database_url}"\n[redis]\nurl = "{redis_url}"\n'
        f'[district]\ncode = "{DISTRICT}"\nname = "鄞州区"\n[worker]\nlease = 5\n'
        f'[[sources]]\nname = "met"\nkind = "cap"\naddress = "{address}"\n'
        'interval = 5\nprivate = true\ntrust = "draft"\n',
        encoding="utf-8",
    )


async def test_nothing_is_lost_and_nothing_is_there_twice(
    server: FeedServer, database: Database, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """The messages have not run out by the wall clock, which commands go by."""

    async def count(condition: str = "true") -> int:
        async with database.connection() as connection:
            found: int = await connection.fetchval(f"SELECT count(*) FROM incoming WHERE {condition}")
            return found

    async def three_drafts() -> bool:
        return await count("state = 'drafted'") == 3

    async with database.connection() as connection:
        await connection.execute("INSERT INTO region (code, name, level) VALUES ($1, '鄞州区', 1)", DISTRICT)
    lasting = foreign().sent.replace(year=2099)
    links = [
        server.tell(f"/{number}.xml", xml(foreign(f"QX_{number}", regions=(f"33021210{number}",), expires=lasting)))
        for number in (3, 2, 1)
    ]
    server.tell("/3.xml", mood="hang")
    settings(tmp_path, database_url, redis_url, server.tell("/feed.atom", index(*links)))
    worker = DaohuProcess("worker", folder=tmp_path)
    with worker:
        await wait_until(lambda: server.asked("/3.xml"), within=PATIENCE, what="the third message is asked for")
        worker.kill()
    assert await count() == 2
    server.tell("/3.xml", xml(foreign("QX_3", regions=("330212103",), expires=lasting)))
    async with database.connection() as connection:  # what time would do: a lease lasts minutes
        await connection.execute("UPDATE source_state SET lease_until = clock_timestamp()")
    with DaohuProcess("worker", folder=tmp_path, name="again"):
        await wait_until(three_drafts, within=PATIENCE, what="three drafts")
    assert await count() == 3
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM draft_form") == 3
    assert [len(server.asked(f"/{number}.xml")) for number in (1, 2, 3)] == [1, 1, 2]
