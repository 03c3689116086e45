"""Calls are stopped wherever they are: also those that another worker rings than the one that takes the recall."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from broadcaster import ending
from broadcaster.demo.play import APPROVER
from broadcaster.ports import Medium
from broadcaster.rehearsal.script import Behaviour, Delay, Duty, SipFront
from tests.harness.ground import TOWN, Ground, ground
from tests.harness.waiting import wait_until

PEOPLE = 20
MESSAGE = 100.0
"""Seconds that whoever hears it out has listened at least."""

WITHIN = 120.0
POLICIES = """
[policies.red]
loudspeakers = false
households = [{ channels = ["sms"], wait = 3600 }]
units = [{ after = 0, action = "notify_primary", channels = ["voice"] }]
"""


async def holders(made: Ground) -> set[str]:
    async with made.house.database.connection() as connection:
        rows = await connection.fetch("SELECT owner FROM gateway_slot WHERE owner IS NOT NULL")
    return {row["owner"] for row in rows}


async def came_of(made: Ground, alert: int) -> Counter[str]:
    async with made.house.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT CASE WHEN state < 5 AND gateway_id IS NOT NULL THEN '通话中' ELSE coalesce(reason, '') END AS what"
            " FROM delivery WHERE alert_id = $1",
            alert,
        )
    return Counter(row["what"] for row in rows)


async def test_a_recall_reaches_the_calls_of_every_worker(tmp_path: Path) -> None:
    """All listen to the end, which is far away when the alert is ended."""
    people = Behaviour(answer=Delay(), receipt=Delay(median=0.1), duty=Duty(silent=1))
    async with ground(
        tmp_path, households=500, rates={Medium.VOICE: (50.0, 2)}, policies=POLICIES, drivers={Medium.VOICE: "sip"},
        options={Medium.VOICE: {"lines": 30, "repeats": 10}}, voice=people, exchange=SipFront(),
    ) as made:  # fmt: skip
        await made.hire(2)
        await made.connected()

        async def shared() -> bool:
            return len(await holders(made)) == 2

        await wait_until(shared, within=WITHIN, what="each worker to hold a connection")
        sent = await made.send("red", [TOWN], to_heads=True)

        async def all_called() -> bool:
            return (await came_of(made, sent.id))["通话中"] == PEOPLE

        await wait_until(all_called, within=WITHIN, what=f"{PEOPLE} calls to be under way")
        house = made.house
        await ending.end(house.database, sent.id, APPROVER, house.clock.now(), rules=house.office.rules)

        async def all_stopped() -> Counter[str] | None:
            found = await came_of(made, sent.id)
            return None if found["通话中"] else found

        found: Counter[str] = await wait_until(all_stopped, within=WITHIN, what="no call to be left")
        assert all(reason.endswith("已撤回") for reason in found), found
        assert found.total() == PEOPLE
        assert all(call.seconds < MESSAGE for call in (await made.report()).calls)
