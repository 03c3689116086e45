"""Readings are judged and stored once each, whoever brings them, in whatever order."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

from broadcaster.clock import ManualClock
from broadcaster.database import Database
from broadcaster.sensing import Reading
from broadcaster.triggers import listing, silence
from broadcaster.triggers.gathering import Gathering
from broadcaster.triggers.quality import Verdict
from broadcaster.triggers.readings import Readings
from tests.harness.stations import course, register

TOWN = "330212101"


async def _rows(database: Database) -> list[tuple[str, float, int]]:
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT e.element, d.value, d.verdict FROM reading d JOIN series e ON e.id = d.series_id"
            " ORDER BY e.element, d.at"
        )
    return [tuple(row) for row in rows]


async def test_a_batch_twice_is_stored_once(database: Database, clock: ManualClock) -> None:
    await register(database, "s-1", TOWN)
    readings = Readings(database, clock, 30)
    batch = course("s-1", "water_level", clock.now() - timedelta(minutes=50), [1, 2, 3, 4, 5])
    first = await readings.keep(batch, source="test")
    again = await readings.keep([*batch, *batch], source="test")
    more = await readings.keep([*batch, Reading("s-1", "rainfall", clock.now(), 3.5)], source="test")
    assert (first.stored, first.repeated) == (5, 0)
    assert (again.stored, again.repeated) == (0, 10)
    assert (more.stored, more.repeated) == (1, 5)
    assert [value for _, value, _ in await _rows(database)] == [3.5, 1, 2, 3, 4, 5]


async def test_any_order_over_two_processes_leaves_the_same(database: Database, clock: ManualClock) -> None:
    for name in ("a", "b", "c"):
        await register(database, name, TOWN)
    start = clock.now() - timedelta(hours=30)
    everything = [one for name in "abc" for one in course(name, "water_level", start, [float(n) for n in range(300)])]
    shuffled = everything * 2
    random.Random(7).shuffle(shuffled)
    two = [Readings(database, clock, 30), Readings(database, clock, 30)]
    pieces = [shuffled[place : place + 97] for place in range(0, len(shuffled), 97)]
    await asyncio.gather(*(two[place % 2].keep(piece, source="test") for place, piece in enumerate(pieces)))
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM reading") == 900
        last = await connection.fetch("SELECT last_value FROM series")
    assert [row["last_value"] for row in last] == [299.0] * 3


async def test_what_cannot_be_kept_is_counted_and_the_rest_is_stored(database: Database, clock: ManualClock) -> None:
    await register(database, "s-1", TOWN)
    readings = Readings(database, clock, 30)
    now = clock.now()
    kept = await readings.keep(
        [
            Reading("s-1", "water_level", now, 3),
            Reading("s-1", "water_level", now - timedelta(days=31), 3),
            Reading("s-1", "water_level", now + timedelta(days=2), 3),
            Reading("s-1", "Water Level", now, 3),
            Reading("s-1", "water_level", now - timedelta(minutes=5), float("nan")),
            Reading("s\0", "water_level", now, 3),
            Reading("nobody", "water_level", now, 3),
            Reading("s-1", "water_level", now + timedelta(hours=1), 9999.0),
        ],
        source="test",
    )
    assert (kept.stored, kept.refused, kept.doubtful, kept.unknown) == (2, 5, 1, {"nobody": 1})
    assert [verdict for _, _, verdict in await _rows(database)] == [Verdict.GOOD, Verdict.FUTURE]
    async with database.connection() as connection:
        assert [one.code for one in await listing.strangers(connection)] == ["nobody"]


async def test_days_that_are_kept_no_longer_go(database: Database, clock: ManualClock) -> None:
    await register(database, "s-1", TOWN)
    readings = Readings(database, clock, 3)
    await readings.keep(
        [Reading("s-1", "water_level", clock.now() - timedelta(days=n), n) for n in range(4)], source="t"
    )
    clock.advance(2 * 86_400)
    assert await readings.forget_old() == 2
    assert [value for _, value, _ in await _rows(database)] == [1, 0]
    late = await readings.keep([Reading("s-1", "water_level", clock.now() - timedelta(days=4), 1)], source="t")
    assert late.refused == 1


async def test_a_silent_station_is_told_of_until_it_reports(database: Database, clock: ManualClock) -> None:
    await register(database, "s-1", TOWN, period=600)
    await register(database, "s-2", TOWN, period=600)
    readings = Readings(database, clock, 30)

    async def report(*codes: str) -> None:
        await readings.keep([Reading(code, "water_level", clock.now(), 1) for code in codes], source="t")

    async def told() -> list[str]:
        await silence.fall_silent(database, clock.now(), 3)
        async with database.connection() as connection:
            return [one.code for one in await listing.silent(connection, [TOWN])]

    await report("s-1", "s-2")
    assert await told() == []
    clock.advance(1700)
    await report("s-1")
    clock.advance(200)
    assert await told() == ["s-2"]
    await report("s-2")
    assert await told() == []


async def test_a_station_whose_clock_is_ahead_is_told_of_as_that(database: Database, clock: ManualClock) -> None:
    for code in ("ahead", "new", "right"):
        await register(database, code, TOWN, period=300)
    readings = Readings(database, clock, 30)
    await readings.keep([Reading(code, "water_level", clock.now(), 1) for code in ("ahead", "right")], source="t")
    for _ in range(5):
        clock.advance(300)
        wrong = clock.now() + timedelta(minutes=20)
        said = [Reading("ahead", "water_level", wrong, 1), Reading("new", "water_level", wrong, 1)]
        await readings.keep([*said, Reading("right", "water_level", clock.now(), 1)], source="t")
        await silence.fall_silent(database, clock.now(), 3)
    async with database.connection() as connection:
        silent = await listing.silent(connection, [TOWN])
        assert {one.code for one in silent} == {"ahead", "new"}
        assert await listing.ahead(connection, silent, clock.now()) == {one.id for one in silent}
        clock.advance(3600)
        assert await listing.ahead(connection, silent, clock.now()) == set()
    await readings.keep([Reading("ahead", "water_level", clock.now(), 1)], source="t")
    async with database.connection() as connection:
        assert {one.code for one in await listing.silent(connection, [TOWN])} == {"new"}


async def test_the_sink_returns_when_it_is_stored_and_fails_when_it_is_not(
    database: Database, clock: ManualClock
) -> None:
    await register(database, "s-1", TOWN)
    sink = Gathering(Readings(database, clock, 30), "test")
    storing = asyncio.create_task(sink.run())
    batch = course("s-1", "water_level", clock.now() - timedelta(hours=1), [1, 2, 3])
    await asyncio.gather(*(sink.keep([one]) for one in batch))
    assert len(await _rows(database)) == sink.kept == 3
    async with database.connection() as connection:
        await connection.execute("ALTER TABLE series RENAME TO away")
    failed = await asyncio.gather(sink.keep(batch), return_exceptions=True)
    assert isinstance(failed[0], Exception)
    async with database.connection() as connection:
        await connection.execute("ALTER TABLE away RENAME TO series")
    await sink.keep([Reading("s-1", "water_level", clock.now(), 9)])
    assert len(await _rows(database)) == 4
    storing.cancel()
