"""Many watch one large alert: how far behind they are, and what bringing each up to date costs the server."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import pytest

from audiences.generator.places import DISTRICT_CODE, DISTRICT_NAME
from broadcaster.bench import roster
from broadcaster.clock import SystemClock
from broadcaster.database import Database
from broadcaster.dispatch.course import course
from broadcaster.progress import progress
from broadcaster.security import accounts, credentials
from broadcaster.security.permissions import SYSTEM, Grant, Role
from broadcaster.settings import Settings, settings_from
from broadcaster.web.context import Context
from broadcaster.web.metrics import METRICS
from tests.harness.ground import quantile, row
from tests.harness.waiting import wait_until
from tests.harness.web import PASSWORD, Make, Web
from tests.harness.web_fixtures import bells, context, make_web

__all__ = ["bells", "context", "make_web"]

ROUNDS = 20
PATHS = ("", "/unreached?pending=1", "/unreached?why=no_contact", "/doors", "/map.json", "/report", "/report.xlsx")

DELIVERED = """
WITH told AS (
    UPDATE delivery d SET state = 6, attempts = 1, submitted_at = o.opened_at + d.ordinal * interval '1 millisecond',
           settled_at = o.opened_at + d.ordinal * interval '1 millisecond' + interval '2 seconds'
    FROM run o WHERE d.alert_id = $1 AND o.alert_id = $1 AND d.ordinal % 10 < 9
    RETURNING d.batch, d.household_id, d.settled_at
), counted AS (
    UPDATE tally y SET queued = queued - n, delivered = n
    FROM (SELECT batch, count(*)::int AS n FROM told GROUP BY batch) b WHERE y.alert_id = $1 AND y.first = b.batch
), homes AS (
    UPDATE target t SET state = 1, reached_at = told.settled_at, reached_by = 'sms'
    FROM told WHERE t.alert_id = $1 AND t.household_id = told.household_id RETURNING t.village
)
UPDATE chunk k SET reached = n FROM (SELECT village, count(*)::int AS n FROM homes GROUP BY village) v
WHERE k.alert_id = $1 AND k.region = v.village
"""
"""Nine of ten have their message: what a long sending leaves behind, in one statement."""

STEP = """
WITH more AS (
    UPDATE tally SET queued = queued - 1, delivered = delivered + 1 WHERE alert_id = $1 AND queued > 0
    RETURNING first
)
UPDATE chunk k SET reached = reached + n FROM (
    SELECT b.region, count(*)::int AS n FROM more JOIN batch b ON b.alert_id = $1 AND b.first = more.first
    GROUP BY b.region
) v WHERE k.alert_id = $1 AND k.region = v.region
"""
"""Every batch has one more: the counters of a moment later."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Seconds behind of each watcher at each state; seconds until the server had written it, once it knew; seconds of
    processor time for each, all that this process did included."""

    behind: list[float]
    server: list[float]
    cpu: float
    opened: int
    bytes: int
    cookie: str


@pytest.fixture
def district(database: Database) -> Database:
    """Filled by the test, to the size that it is about."""
    return database


@pytest.fixture
def settings() -> Settings:
    """One channel, and an hour before anything else is tried: nothing is planned anew while people watch."""
    red = {"loudspeakers": False, "households": [{"channels": ["sms"], "wait": 3600}], "units": []}
    return settings_from({"district": {"code": DISTRICT_CODE, "name": DISTRICT_NAME}, "policies": {"red": red}})


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


async def sending(web: Web, households: int) -> int:
    """An alert to all of `households`, nine of ten reached."""
    await roster.fill(web.database, households)
    number = await web.issued(regions=[DISTRICT_CODE])
    await web.fan_out()
    async with web.database.connection() as connection:
        await connection.execute(DELIVERED, number)
        await connection.execute("VACUUM ANALYZE delivery, target, tally, batch, chunk")
    return number


async def cookies(web: Web) -> list[str]:
    """Sessions of people with different rights, in both languages."""
    found = []
    for role, region in (("author", DISTRICT_CODE), ("viewer", DISTRICT_CODE), ("author", f"{DISTRICT_CODE}001")):
        name = f"watcher-{role}-{region}"
        now = web.clock.now()
        account = await accounts.create_account(
            web.database, SYSTEM, name, PASSWORD, grants=[Grant(Role(role), region)], now=now
        )
        session = await credentials.open_session(account, now)
        found += [f"daohu_session={session}; daohu_lang={language}" for language in ("zh", "en")]
    return found


@asynccontextmanager
async def people(address: str, watchers: int, sessions: list[str]) -> AsyncIterator[list[dict[str, float]]]:
    """So many watchers in a process of their own; what they say, as it grows."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.load.watchers", address, str(watchers)),
        *sessions,
        stdout=asyncio.subprocess.PIPE,
        limit=2**20,
    )
    lines: list[dict[str, float]] = []
    assert process.stdout is not None
    reading = asyncio.create_task(_read(process.stdout, lines))
    try:
        yield lines
    finally:
        process.terminate()
        await process.wait()
        await reading


async def watched(web: Web, number: int, watchers: int, rounds: int) -> Watched:
    """Let so many watch while the counts change once a second, and read what they saw when."""
    sessions = await cookies(web)
    changed: dict[int, float] = {}
    async with people(str(web.client.make_url(f"/alerts/{number}/live")), watchers, sessions) as lines:

        async def all_there() -> bool:
            return len({line["watcher"] for line in lines if "reached" in line}) == watchers

        async def all_told() -> bool:
            return sum(line.get("reached") == max(changed) for line in lines) == watchers

        await wait_until(all_there, what="every watcher to see the page")
        METRICS.refreshes.clear()
        used = time.process_time()
        for _ in range(rounds):
            async with web.database.connection() as connection:
                await connection.execute(STEP, number)
                at = time.time()
                changed[(await progress(connection, number)).households.reached] = at
            await asyncio.sleep(1.1)
        await wait_until(all_told, what="every watcher to see the last state")
        used = time.process_time() - used
    seen = [line for line in lines if line.get("reached") in changed]
    return Watched(
        behind=[line["at"] - changed[int(line["reached"])] for line in seen],
        server=list(METRICS.refreshes),
        cpu=used / len(METRICS.refreshes),
        opened=sum("open" in line for line in lines),
        bytes=int(sum(line["bytes"] for line in seen) / max(1, len(seen))),
        cookie=sessions[0],
    )


async def _read(stream: asyncio.StreamReader, lines: list[dict[str, float]]) -> None:
    async for line in stream:
        lines.append(json.loads(line))  # noqa: PERF401  # they are read while they grow


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def test_forty_watchers_cost_little_and_none_is_left_behind(make_web: Make, context: Context) -> None:
    web = await make_web(context)
    number = await sending(web, 20_000)
    found = await watched(web, number, 40, 4)
    assert found.opened == 40
    assert quantile(found.behind, 0.99) <= 10.0, "on whatever machine"
    assert found.cpu <= 0.05


@pytest.mark.soak
async def test_two_hundred_watchers_of_a_million_deliveries(make_web: Make, context: Context) -> None:
    web = await make_web(context)
    number = await sending(web, 1_000_000)
    found = await watched(web, number, 200, ROUNDS)
    headers = {"Cookie": found.cookie}

    async def get(path: str) -> None:
        answer = await web.client.get(path, headers=headers)
        assert answer.status == 200, path
        await answer.read()

    table = [
        "| what | n | p50 s | p99 s | max s |",
        "|---|---|---|---|---|",
        row("behind, each watcher at each state", found.behind),
        row("server time of one refresh", found.server),
    ]
    for path in (
        "",
        "/unreached?pending=1",
        "/unreached?why=no_contact",
        "/doors",
        "/map.json",
        "/report",
        "/report.xlsx",
    ):
        took = [await timed(partial(get, f"/alerts/{number}{path}")) for _ in range(3)]
        table.append(row(f"GET {path or 'page'}", took))
    async with web.database.connection() as connection:
        table.append(row("course over time", [await timed(lambda: course(connection, number)) for _ in range(3)]))
        table.append(row("progress", [await timed(lambda: progress(connection, number)) for _ in range(10)]))
    sys.stdout.write(
        "\n" + "\n".join(table) + f"\nbytes of one event: {found.bytes:,}; processor: {found.cpu * 1000:.2f} ms\n"
    )
    assert found.opened == 200
    assert quantile(found.behind, 0.99) <= 1.5, "a look every half second, and what a busy machine adds"
    assert found.cpu <= 0.05
