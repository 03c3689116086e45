"""A step of the ladder that is due begins at once, also while households are being told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from audiences.generator.places import DISTRICT_CODE
from broadcaster.ports import Medium
from tests.harness.ground import TOWN, VILLAGES, Ground, ground, quantile, row
from tests.harness.waiting import wait_until


def policies(wait: float, last: float) -> str:
    return f"""
[policies.red]
loudspeakers = false
households = [{{ channels = ["sms"], wait = 3600 }}]
units = [
  {{ after = 0, action = "notify_primary", channels = ["sms"] }},
  {{ after = {wait}, action = "notify_primary", channels = ["wechat"] }},
  {{ after = {last}, action = "duty_desk" }},
]
[policies.blue]
loudspeakers = false
households = [{{ channels = ["sms"], wait = 3600 }}]
units = [{{ after = 0, action = "duty_desk" }}]
"""


async def lateness(made: Ground, regions: list[str], units: int) -> list[float]:
    """Seconds from the moment at which the second step was due to its message at the carrier, for each unit."""
    order = await made.send("red", regions, to_heads=True)

    async def due() -> list[float]:
        async with made.house.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT extract(epoch FROM next_at)::float8 AS due FROM unit WHERE alert_id = $1 AND step = 1", order.id
            )
        return [row["due"] for row in rows] if len(rows) == units else []

    moments = await wait_until(due, what="every unit to have taken its first step")
    assert len(set(moments)) == 1, "one bundle"
    await made.taken(order.id, 2 * units)
    return [
        one.at - moments[0]
        for one in (await made.report()).taken
        if one.alert == order.id and one.channel == Medium.WECHAT
    ]


async def test_a_due_step_begins_neither_early_nor_after_the_next(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("due")
    rates = {Medium.SMS: (500.0, 2), Medium.WECHAT: (500.0, 1)}
    async with ground(folder, households=1000, rates=rates, policies=policies(2, 30)) as made:
        await made.hire()
        await made.connected()
        found = await lateness(made, [TOWN], 20)
    assert len(found) == 20
    assert min(found) >= 0
    assert max(found) < 30


@pytest.mark.soak
@pytest.mark.parametrize(("households", "rate"), [(0, 500.0), (300_000, 500.0), (300_000, 100_000.0)])
async def test_a_due_step_begins_within_two_seconds(
    tmp_path_factory: pytest.TempPathFactory, households: int, rate: float
) -> None:
    folder: Path = tmp_path_factory.mktemp("steps")
    rates = {Medium.SMS: (rate, 2), Medium.WECHAT: (2000.0, 1)}
    async with ground(folder, households=max(households, 1000), rates=rates, policies=policies(5, 60)) as made:
        await made.hire()
        await made.connected()
        if households:
            blue = await made.send("blue", [DISTRICT_CODE])
            await made.taken(blue.id, 1)
        found = [late for _ in range(3) for late in await lateness(made, [DISTRICT_CODE], VILLAGES)]
    sys.stdout.write(f"\n{row(f'due step, {households:,} in flight at {rate:,.0f}/s', found)}\n")
    assert min(found) >= 0
    assert quantile(found, 1.0) <= 2.0
