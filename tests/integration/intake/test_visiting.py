"""Sources are visited by one worker at a time, again and again, less often while they are in trouble."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.cap.source import plugin
from broadcaster.clock import ManualClock
from broadcaster.database import Database
from broadcaster.intake import listing, visiting
from broadcaster.intake.listing import SourceStatus
from broadcaster.sources import Failed, Heard, Judged, Memory, Shelf, SourceSettings, Trouble, Visit
from tests.harness.feed_server import FeedServer, feed_server
from tests.harness.waiting import wait_until
from tests.harness.warnings import foreign, index, xml

SETTINGS = SourceSettings(name="met", kind="cap", interval=60, private=True)


class Scripted:
    """A source of a third party that answers as it is told to."""

    def __init__(self, *visits: Visit | BaseException) -> None:
        self.visits = list(visits)
        self.told: list[Memory] = []

    async def visit(self, shelf: Shelf, memory: Memory) -> Visit:
        self.told.append(memory)
        result = self.visits.pop(0)
        if isinstance(result, BaseException):
            raise result
        return result

    def messages(self, document: bytes) -> Sequence[bytes]:
        return [document]

    def judge(self, document: bytes, now: object) -> Judged:
        raise AssertionError

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(scope="module")
def server() -> Iterator[FeedServer]:
    with feed_server() as running:
        yield running


async def status(database: Database, clock: ManualClock) -> SourceStatus:
    async with database.connection() as connection:
        return (await listing.statuses(connection, [SETTINGS], clock.now()))[0]


async def test_a_source_is_visited_at_its_interval_and_told_what_it_remembered(
    database: Database, clock: ManualClock
) -> None:
    source = Scripted(Heard({"etag": "1"}, offered=3, new=2, remarks=("odd",)), Heard({"etag": "1"}))
    await visiting.appear(database, clock, SETTINGS)
    await visiting.visit(database, clock, SETTINGS, source, "w-1")
    await visiting.visit(database, clock, SETTINGS, source, "w-1")
    clock.advance(59)
    await visiting.visit(database, clock, SETTINGS, source, "w-1")
    assert source.told == [{}]
    found = await status(database, clock)
    assert (found.offered, found.kept, found.remarks, found.trouble) == (3, 2, ("odd",), "")
    clock.advance(1)
    await visiting.visit(database, clock, SETTINGS, source, "w-1")
    assert source.told == [{}, {"etag": "1"}]
    found = await status(database, clock)
    assert (found.offered, found.kept, found.remarks) == (3, 2, ())


async def test_trouble_is_kept_with_its_beginning_and_makes_visits_rarer(
    database: Database, clock: ManualClock
) -> None:
    busy = Failed(Trouble.BUSY, "HTTP 503")
    source = Scripted(Heard({"etag": "1"}), busy, busy, busy, Heard({"etag": "2"}))
    await visiting.appear(database, clock, SETTINGS)
    began, waits = clock.now(), []
    for _ in range(5):
        await visiting.visit(database, clock, SETTINGS, source, "w-1")
        found = await status(database, clock)
        assert found.next_at is not None
        waits.append((found.next_at - clock.now()).total_seconds())
        if found.failures:
            assert (found.trouble, found.since) == ("busy", began + timedelta(seconds=60))
        clock.advance(waits[-1])
    assert waits == [60, 60, 120, 240, 60]
    assert source.told[-1] == {"etag": "1"}
    assert (await status(database, clock)).trouble == ""


async def test_an_adapter_that_fails_is_told_and_tried_again(database: Database, clock: ManualClock) -> None:
    source = Scripted(KeyError("x"), Heard({}))
    await visiting.appear(database, clock, SETTINGS)
    await visiting.visit(database, clock, SETTINGS, source, "w-1")
    found = await status(database, clock)
    assert (found.trouble, found.failures) == ("broken", 1)
    assert "KeyError" in found.reason
    clock.advance(60)
    await visiting.visit(database, clock, SETTINGS, source, "w-1")
    assert (await status(database, clock)).trouble == ""


@pytest.mark.parametrize(
    ("interval", "failures", "asked", "seconds"),
    [(60, 1, None, 60), (60, 2, None, 120), (60, 40, None, 3600), (60, 1, 900, 900), (60, 1, 1e9, 3600),
     (86_400, 5, None, 86_400), (5, 1, 0.0, 5)],
)  # fmt: skip
def test_how_long_a_source_is_left_alone(interval: float, failures: int, asked: float | None, seconds: float) -> None:
    assert visiting.pause(interval, failures, asked) == seconds


async def test_two_workers_never_visit_at_once_and_a_dead_ones_visit_is_begun_anew(
    database: Database, clock: ManualClock
) -> None:
    going, done = asyncio.Event(), asyncio.Event()

    class Slow(Scripted):
        async def visit(self, shelf: Shelf, memory: Memory) -> Visit:
            going.set()
            await done.wait()
            return Heard({"etag": "slow"})

    other = Scripted(Heard({"etag": "other"}))
    await visiting.appear(database, clock, SETTINGS)
    first = asyncio.create_task(visiting.visit(database, clock, SETTINGS, Slow(), "w-1"))
    await going.wait()
    await visiting.visit(database, clock, SETTINGS, other, "w-2")
    assert other.told == []
    async with database.connection() as connection:
        await connection.execute("UPDATE source_state SET lease_until = clock_timestamp() - interval '1 second'")
    await visiting.visit(database, clock, SETTINGS, other, "w-2")
    assert other.told == [{}]
    done.set()
    await first  # comes back from the dead, and changes nothing
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT memory->>'etag' FROM source_state") == "other"


async def test_what_was_kept_before_a_crash_is_not_fetched_again(
    database: Database, clock: ManualClock, server: FeedServer
) -> None:
    links = [server.tell(f"/crash/{number}.xml", xml(foreign(f"QX_{number}"))) for number in (3, 2, 1)]
    server.tell("/crash/3.xml", mood="hang")
    settings = replace(SETTINGS, address=server.tell("/crash.atom", index(*links)))
    source = plugin.build(settings)
    await visiting.appear(database, clock, settings)
    visit = asyncio.create_task(visiting.visit(database, clock, settings, source, "w-1"))
    await wait_until(lambda: server.asked("/crash/3.xml"))
    visit.cancel()
    await asyncio.gather(visit, return_exceptions=True)
    await source.close()
    server.tell("/crash/3.xml", xml(foreign("QX_3")))
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM incoming") == 2
        await connection.execute("UPDATE source_state SET lease_until = clock_timestamp() - interval '1 second'")
    source = plugin.build(settings)
    await visiting.visit(database, clock, settings, source, "w-2")
    await source.close()
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM incoming") == 3
    assert [len(server.asked(f"/crash/{number}.xml")) for number in (1, 2, 3)] == [1, 1, 2]


async def test_what_led_to_nothing_is_forgotten_after_its_time(
    database: Database, clock: ManualClock, server: FeedServer
) -> None:
    settings = replace(SETTINGS, address=server.tell("/old.xml", xml(foreign())))
    source = plugin.build(settings)
    await visiting.appear(database, clock, settings)
    await visiting.visit(database, clock, settings, source, "w-1")
    async with database.connection() as connection:
        await connection.execute("UPDATE incoming SET state = 'outside'")
        await connection.execute(
            "INSERT INTO incoming (source, document, digest, received_at, state)"
            " SELECT 'met', 'x', $1, received_at, 'waiting' FROM incoming",
            b"w",
        )
    clock.advance(visiting.KEPT.total_seconds() + 1)
    server.tell("/old.xml", xml(foreign("QX_2")))
    await visiting.visit(database, clock, settings, source, "w-1")
    await source.close()
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT state FROM incoming ORDER BY id")
    assert [row["state"] for row in rows] == ["waiting", "new"]
