"""How many readings a second go through judgement, storage and rules, beside a bare COPY of the same rows.

One process, as many writers as there are cores to feed the database; every writer brings batches of its own stations,
as listeners do. Rules are looked at meanwhile, as a worker does.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from broadcaster.alerts import actor as alerts
from broadcaster.alerts.records import AlertRecord
from broadcaster.bench.usage import Meter
from broadcaster.clock import Clock, SystemClock
from broadcaster.database import Database, create_database
from broadcaster.embedded import EmbeddedServers
from broadcaster.issuing import Office
from broadcaster.migrating import migrate_database
from broadcaster.sensing import Reading
from broadcaster.settings import settings_from
from broadcaster.triggers.acting import Hand
from broadcaster.triggers.days import day_of
from broadcaster.triggers.readings import Readings
from broadcaster.triggers.watching import Watch
from templates.issuer import Issuer

DISTRICT = "330212"
_RULE = """
title = "测量"
hazard = "flood"
stations = ["group:g{number}"]
[[levels]]
colour = "red"
do = "notify"
[[levels.when]]
element = "water_level"
above = 90.0
lasting = "10m"
at_least = 2
[[levels.when]]
element = "rainfall"
total = 50
within = "1h"
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """`copy_per_s` is a bare COPY of as many rows of the same shape; `ratio` how much of it is left; `looks` how often
    rules were looked at meanwhile. `cpu_us`: microseconds of CPU that each reading took, the embedded database's and
    the rules' included; what it takes from a machine that does other things as well."""

    readings: int
    stations: int
    rules: int
    seconds: float
    readings_per_s: float
    copy_per_s: float
    ratio: float
    cpu_us: float
    looks: int
    stored: int
    lost: int


async def bench_readings(
    folder: Path, *, readings: int, stations: int, rules: int, writers: int, batch: int, database: str = "embedded"
) -> Figures:
    """Measure on the embedded database in `folder`, or in the one given (in tables of its own database)."""
    servers = None
    if database == "embedded":
        servers = EmbeddedServers(folder)
        database = (await asyncio.to_thread(servers.start)).database_url
    try:
        await create_database(database)
        await migrate_database(database)
        opened = await Database.open(database, pool_max=writers + 4, application="daohu-bench")
        try:
            return await _measured(opened, Meter(_pids(folder)), readings, stations, rules, writers, batch)
        finally:
            await opened.close()
    finally:
        if servers is not None:
            await asyncio.to_thread(servers.stop)


async def _measured(
    database: Database, meter: Meter, readings: int, stations: int, rules: int, writers: int, batch: int
) -> Figures:
    clock = SystemClock()
    await _furnish(database, stations, rules, clock.now())
    batches = _batches(readings, stations, writers, batch, clock.now())
    keeping = Readings(database, clock, 30)
    watch = Watch(_hand(database, clock))
    copied = await _copy(database, readings, batch)
    looking, looks = True, 0

    async def look() -> None:
        nonlocal looks
        while looking:
            await watch.look()
            looks += 1
            await asyncio.sleep(1)

    async def write(own: Sequence[list[Reading]]) -> int:
        return sum([(await keeping.keep(one, source="bench")).stored for one in own])

    watching = asyncio.create_task(look())
    meter.look()
    before = meter.cpu
    started = time.perf_counter()
    stored = sum(await asyncio.gather(*map(write, batches)))
    seconds = time.perf_counter() - started
    meter.look()
    looking = False
    await watching
    rate = readings / seconds
    async with database.connection() as connection:
        there: int = await connection.fetchval("SELECT count(*) FROM reading")
    return Figures(
        readings,
        stations,
        rules,
        seconds,
        rate,
        copied,
        rate / copied,
        (meter.cpu - before) / readings * 1e6,
        looks,
        stored,
        readings - there,
    )


def _pids(folder: Path) -> list[int]:
    """This process, and the embedded database where it is the one that is measured."""
    files = sorted(folder.rglob("postmaster.pid"))
    return [os.getpid(), *(int(file.read_text(encoding="ascii").split()[0]) for file in files)]


async def _furnish(database: Database, stations: int, rules: int, now: datetime) -> None:
    async with database.connection() as connection:
        await connection.execute("TRUNCATE station, reading, rule_standing, rule_event CASCADE")
        await connection.execute(
            "INSERT INTO station (code, name, region_code, kind, clusters, limits)"
            " SELECT 's-' || n, 's-' || n, $1, 'river', ARRAY['g' || n % $3::integer],"
            """ '{"water_level": {"rate": 5}}'::jsonb FROM generate_series(0, $2::integer - 1) n""",
            DISTRICT,
            stations,
            max(rules, 1),
        )
        for number in range(rules):
            await connection.execute(
                "INSERT INTO decision (subject, name, version, body, note, account_id, saved_at)"
                " VALUES ('rule', $1, 1, $2, '', 0, $3) ON CONFLICT (subject, name, version)"
                " DO UPDATE SET body = excluded.body",
                f"bench-{number}",
                _RULE.format(number=number),
                now,
            )
            await connection.execute(
                "INSERT INTO rule_standing (name, version, mode, set_at) VALUES ($1, 1, 'shadow', $2)",
                f"bench-{number}",
                now,
            )


def _batches(readings: int, stations: int, writers: int, batch: int, now: datetime) -> list[list[list[Reading]]]:
    """For each writer the batches of its own stations, in the order of time, the last of about now."""
    dice = random.Random(1)  # noqa: S311 - the same readings at every run
    rounds = -(-readings // stations)
    made: list[list[list[Reading]]] = []
    for writer in range(writers):
        own = [f"s-{number}" for number in range(writer, stations, writers)]
        rows = [
            Reading(
                station,
                "water_level" if turn % 2 else "rainfall",
                now - timedelta(seconds=2 * (rounds - turn)),
                round(dice.random(), 3),
            )
            for turn in range(rounds)
            for station in own
        ][: readings // writers + (writer < readings % writers)]
        made.append([rows[place : place + batch] for place in range(0, len(rows), batch)])
    return made


async def _copy(database: Database, readings: int, batch: int) -> float:
    """Rows a second of a bare COPY into a partition like those of readings."""
    day = datetime(2001, 1, 1, tzinfo=UTC)
    keeping = Readings(database, SystemClock(), 365 * 10)
    await keeping._days.ensure({day_of(day)})
    rows = [(place % 1000, day + timedelta(milliseconds=place), 1.0, 0) for place in range(readings)]
    started = time.perf_counter()
    async with database.connection() as connection:
        for place in range(0, readings, batch):
            await connection.copy_records_to_table(
                "reading", records=rows[place : place + batch], columns=("series_id", "at", "value", "verdict")
            )
    rate = readings / (time.perf_counter() - started)
    await keeping._days.drop_before(day_of(day) + timedelta(days=1))
    return rate


def _hand(database: Database, clock: Clock) -> Hand:
    """Rules on trial write down what they would do; nothing of theirs is sent."""
    settings = settings_from({"district": {"code": DISTRICT, "name": "测量"}})
    office = Office(DISTRICT, Issuer("测量", "测量"), lambda colour: settings.policy(colour.value))

    async def refuse(_alert_id: int, _by: alerts.Actor) -> AlertRecord:
        raise AssertionError("a rule on trial sends nothing")

    async def silent(_alert_id: int) -> None:
        return None

    return Hand(database, clock, office, refuse, silent, frozenset())
