"""From the button to the first message at the carrier, on an installation that has nothing else to do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from broadcaster.ports import Medium
from tests.harness.ground import Ground, by_alert, ground, quantile, row, village

POLICIES = """
[policies.red]
loudspeakers = false
households = [{ channels = ["sms"], wait = 3600 }]
units = [{ after = 0, action = "notify_primary", channels = ["sms"] }]
"""
RATES = {Medium.SMS: (500.0, 2)}


async def delays(made: Ground, alerts: int) -> list[float]:
    """Seconds from each button to the first message at the carrier, one alert after the other."""
    sent = []
    for number in range(alerts):
        one = await made.send("red", [village(number % 400)])
        await made.taken(one.id, 1)
        sent.append(one)
    found = by_alert(await made.report())
    return [found[one.id][0].at - one.pressed for one in sent]


async def test_the_bell_starts_an_alert_and_not_the_sweep(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("bell")
    async with ground(folder, households=1000, rates=RATES, policies=POLICIES, sweep=60) as made:
        await made.hire()
        await made.connected()
        assert max(await delays(made, 3)) < 30, "a sweep comes once a minute here"


@pytest.mark.soak
async def test_the_first_message_is_at_the_carrier_within_a_second(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("first")
    async with ground(folder, households=10_000, rates=RATES, policies=POLICIES) as made:
        await made.hire()
        await made.connected()
        found = await delays(made, 200)
    sys.stdout.write(f"\n{row('button to first message', found)}\n")
    assert quantile(found, 0.99) <= 1.0
