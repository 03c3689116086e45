"""A worker is killed while it calls: everybody is called all the same, and only who was on the phone is in doubt."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.conservation import breaches
from broadcaster.ports import Medium
from broadcaster.rehearsal.script import Behaviour, Delay, Duty, SipFront
from tests.harness.ground import TOWN, ground
from tests.harness.waiting import wait_until

PEOPLE, LINES = 20, 6
POLICIES = """
[policies.red]
loudspeakers = false
households = [{ channels = ["sms"], wait = 3600 }]
units = [
  { after = 0, action = "notify_primary", channels = ["voice"] },
  { after = 3000, action = "duty_desk" },
]
"""


async def test_nobody_is_left_out_when_a_worker_dies_on_the_phone(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("crash")
    listens = Behaviour(answer=Delay(median=0.02), receipt=Delay(median=0.2), duty=Duty(silent=0))
    async with ground(
        folder,
        households=1000,
        rates={Medium.VOICE: (50.0, 1)},
        policies=POLICIES,
        drivers={Medium.VOICE: "sip"},
        options={Medium.VOICE: {"lines": LINES, "repeats": 1}},
        lease=5.0,
        voice=listens,
        exchange=SipFront(middle=1.0),
    ) as made:
        await made.hire()
        await made.connected()
        order = await made.send("red", [TOWN], to_heads=True)

        async def some() -> bool:
            return len((await made.report()).taken) >= PEOPLE // 2

        await wait_until(some, within=120, what="half of the people to be called")
        await made.kill()
        await made.hire()

        async def settled() -> bool:
            states = (await made.progress(order.id)).deliveries
            over = states["delivered"] + states["failed"]
            return over + states["submitted"] == PEOPLE and over >= PEOPLE - LINES

        await wait_until(settled, within=180, what="every call to be over, but for those that the dead worker made")
        async with made.house.database.connection() as connection:
            assert await breaches(connection, order.id) == []
        report = await made.report()
    assert len({one.address for one in report.taken}) == PEOPLE, "everybody's phone has rung"
    assert report.duplicates <= LINES, "only what was in flight is called twice"
