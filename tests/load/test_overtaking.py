"""People on duty are told of a red alert while a large blue one is on its way to households."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from audiences.generator.places import DISTRICT_CODE
from broadcaster.ports import Medium
from tests.harness.ground import TOWN, VILLAGES, Ground, Sent, first_attempts, ground, quantile, row

POLICIES = """
[policies.red]
loudspeakers = false
households = [{ channels = ["sms"], wait = 3600 }]
units = [{ after = 0, action = "notify_primary", channels = ["sms"] }]
[policies.blue]
loudspeakers = false
households = [{ channels = ["sms"], wait = 3600 }]
units = [{ after = 0, action = "duty_desk" }]
"""


async def test_a_red_alert_overtakes_a_blue_one_within_three_seconds_of_its_rate(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    rate = 100
    folder: Path = tmp_path_factory.mktemp("overtake")
    async with ground(folder, households=5000, rates={Medium.SMS: (rate, 2)}, policies=POLICIES) as made:
        await made.hire()
        await made.connected()
        blue = await made.send("blue", [DISTRICT_CODE])
        await made.taken(blue.id, 2 * rate)
        red = await made.send("red", [TOWN], to_heads=True)
        await made.taken(red.id, 20)
        taken = (await made.report()).taken
    last = max(place for place, one in enumerate(taken) if one.alert == red.id)
    since = [one for one in taken[:last] if one.alert == blue.id and one.at >= red.pressed]
    assert sum(one.alert == red.id for one in taken) == 20
    assert len(since) <= 3 * rate, "counted in messages, so that a slow machine is no fault"


@pytest.mark.soak
@pytest.mark.parametrize(
    ("households", "rate"),
    [(100_000, 500.0), (100_000, 100_000.0), (1_000_000, 500.0), (1_000_000, 100_000.0)],
    ids=["100k-realistic", "100k-full-speed", "1M-realistic", "1M-full-speed"],
)
async def test_every_duty_holder_is_tried_within_three_seconds(
    tmp_path_factory: pytest.TempPathFactory, households: int, rate: float
) -> None:
    folder: Path = tmp_path_factory.mktemp("duty")
    async with ground(folder, households=households, rates={Medium.SMS: (rate, 2)}, policies=POLICIES) as made:
        await made.hire()
        await made.connected()
        blue = await made.send("blue", [DISTRICT_CODE])
        orders = await orders_in_flight(made, blue)
        report = await made.report()
    found = [at - order.pressed for order in orders for at in first_attempts(report, order.id).values()]
    left = households - sum(one.alert == blue.id for one in report.taken)
    sys.stdout.write(
        f"\n{row(f'{households:,} in flight at {rate:,.0f}/s, {len(orders)} orders', found)} left {left:,}\n"
    )
    assert len(found) == VILLAGES * len(orders)
    assert quantile(found, 1.0) <= 3.0


async def orders_in_flight(made: Ground, blue: Sent, most: int = 10) -> list[Sent]:
    """Red orders to every village's head, one after the other, as long as the blue alert is on its way."""
    await made.taken(blue.id, 1)
    orders: list[Sent] = []
    while len(orders) < most:
        states = (await made.progress(blue.id)).deliveries
        if orders and not states["queued"]:
            break
        order = await made.send("red", [DISTRICT_CODE], to_heads=True)
        orders.append(order)
        await made.taken(order.id, VILLAGES)
        await asyncio.sleep(0.5)
    return orders
