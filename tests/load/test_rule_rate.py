"""From a reading to the carrier by a rule that sends at once; how many readings a second; a month replayed."""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from math import sin
from pathlib import Path

import pytest

from broadcaster.bench.readings import bench_readings
from broadcaster.doorbell import WORK
from broadcaster.ports import Medium
from broadcaster.security.permissions import SYSTEM
from broadcaster.sensing import Reading
from broadcaster.triggers import rules
from broadcaster.triggers.replaying import replay
from broadcaster.triggers.rule import read
from broadcaster.triggers.window import Course, Site
from tests.harness.ground import Ground, by_alert, ground, quantile, row, village
from tests.harness.stations import register
from tests.harness.waiting import wait_until

SETTINGS = """
[rules]
issue = ["flood"]
[policies.red]
loudspeakers = false
households = [{ channels = ["sms"], wait = 3600 }]
units = [{ after = 0, action = "notify_primary", channels = ["sms"] }]
"""
RATES = {Medium.SMS: (500.0, 2)}
RULE = """
title = "洪水"
hazard = "flood"
stations = ["{station}"]
drill = true
[[levels]]
colour = "red"
do = "issue"
[[levels.when]]
element = "water_level"
above = 5.0
"""


async def delays(made: Ground, count: int) -> list[float]:
    """Seconds from handing in the reading that raises the alert to its first message at the carrier, one after the
    other."""
    house = made.house
    for number in range(count):
        await register(house.database, f"s-{number}", village(number))
        text, name, now = RULE.format(station=f"s-{number}"), f"r-{number}", house.clock.now()
        district = house.settings.district.code
        await rules.save(house.database, SYSTEM, district, name, text, issuing=["flood"], seen=0, note="", now=now)
        await rules.put_to_work(house.database, SYSTEM, district, name, 1, "live", now, own=True)
    pressed: dict[int, float] = {}
    for number in range(count):

        async def raised(rule: str = f"r-{number}") -> int | None:
            async with house.database.connection() as connection:
                found: int | None = await connection.fetchval(
                    "SELECT alert_id FROM rule_event WHERE rule = $1 AND state = 'issued'", rule
                )
                return found

        at = time.time()
        await house.readings.keep([Reading(f"s-{number}", "water_level", house.clock.now(), 6.0)], source="test")
        await house.doorbell.ring(WORK)
        alert = await wait_until(raised, within=120, what="the rule's alert")
        await made.taken(alert, 1)
        pressed[alert] = at
    found = by_alert(await made.report())
    return [found[alert][0].at - at for alert, at in pressed.items()]


async def test_a_reading_becomes_a_message_by_itself(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("rule")
    async with ground(folder, households=1000, rates=RATES, policies=SETTINGS) as made:
        await made.hire()
        await made.connected()
        assert max(await delays(made, 2)) < 100


@pytest.mark.soak
async def test_the_first_message_follows_the_reading_within_seconds(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("rules")
    async with ground(folder, households=10_000, rates=RATES, policies=SETTINGS) as made:
        await made.hire()
        await made.connected()
        found = await delays(made, 100)
    sys.stdout.write(f"\n{row('reading to first message', found)}\n")
    assert quantile(found, 0.99) <= 5.0


async def _rate(readings: int, stations: int, number: int) -> None:
    with tempfile.TemporaryDirectory(prefix="daohu-bench-") as folder:
        found = await bench_readings(
            Path(folder), readings=readings, stations=stations, rules=number, writers=2, batch=5000
        )
    sys.stdout.write(f"\n{found}\n")
    assert (found.stored, found.lost) == (readings, 0)
    assert found.cpu_us * 20_000 < 2e6, "20,000 a second must fit into two cores"


async def test_every_reading_is_stored_and_twenty_thousand_a_second_fit_into_two_cores() -> None:
    await _rate(20_000, 500, 3)


@pytest.mark.soak
async def test_a_million_readings_with_twenty_rules() -> None:
    await _rate(1_000_000, 4000, 20)


def test_a_month_is_replayed() -> None:
    """Ten stations, a value every five minutes: what a page shows while somebody waits."""
    start = datetime(2026, 7, 1, tzinfo=UTC)
    at = [(start + timedelta(minutes=5 * place)).timestamp() for place in range(30 * 288)]
    sites = tuple(Site(number, f"s-{number}", f"站{number}", village(number)) for number in range(10))
    values = [3.0 + 3 * sin(place / 400) for place in range(len(at))]
    windows = {(site.code, "water_level"): Course(at, values) for site in sites}
    text = RULE.format(station="s-0").replace('["s-0"]', str([site.code for site in sites]).replace("'", '"'))
    rule = read(text.replace("above = 5.0", 'above = 5.0\nlasting = "30m"\nat_least = 3'), "330212", ["flood"])
    before = time.process_time()
    steps = replay(rule, sites, windows, start, start + timedelta(days=30))
    seconds = time.process_time() - before
    sys.stdout.write(f"\na month of {len(at) * 10:,} readings: {seconds:.1f} s of CPU, {len(steps)} steps\n")
    assert [step.step.value for step in steps] == ["raise", "clear"] * (len(steps) // 2)
    assert len(steps) >= 6
