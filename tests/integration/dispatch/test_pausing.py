"""A gateway that is paused by hand sends nothing more within a second; the next takes over, and gives back."""

from __future__ import annotations

import time
from pathlib import Path

from broadcaster.clock import SystemClock
from broadcaster.dispatch import pausing, trials
from broadcaster.security.permissions import SYSTEM
from tests.harness.carriers import SMS_ONLY, Carriers, carriers, sms
from tests.harness.district import District
from tests.harness.waiting import wait_until
from tests.integration.dispatch.test_failover import issue

FIRST, SECOND = sms("first", rate=100), sms("second", rate=100, priority=10)
DISTRICT = "330212"

SOON = 4.0
"""Seconds: one, and what a busy machine adds; all that there is to send takes twelve."""


async def pause(at: Carriers, number: int) -> None:
    await pausing.pause(at.district.database, SYSTEM, DISTRICT, at.gateways[number], "报修", SystemClock().now())


async def test_a_paused_gateway_stops_at_once_and_the_next_goes_on(tmp_path: Path, district: District) -> None:
    async with carriers(tmp_path, district, FIRST, SECOND) as at, at.worker():
        await at.connected()
        await issue(district, 7, villages=40)
        await at.first_after("first", 0.0, within=120)
        await pause(at, 0)
        paused = time.time()
        await at.first_after("second", paused, within=120)
        over = time.time()
        await at.settled(7, within=120)
        late = [one for one in at.taken("first") if paused + SOON < one.at]
        assert late == []
        assert at.report().duplicates == 0
        await pausing.resume(at.district.database, SYSTEM, DISTRICT, at.gateways[0], SystemClock().now())
        await district.village(100, 30, wechat=0)
        await district.issue(8, policy=SMS_ONLY)
        await at.first_after("first", over, within=120)


async def trial_of(at: Carriers, number: int) -> int:
    address = trials.address_of(at.gateways[number].channel, "138 0013 8000")
    return await trials.ask(
        at.district.database,
        SYSTEM,
        DISTRICT,
        at.gateways[number],
        address,
        key=f"a-key-of-the-form-{number}",
        digest=lambda text: f"digest of {len(text)}",
        now=SystemClock().now(),
    )


async def test_a_trial_goes_through_exactly_its_gateway_even_one_that_is_paused(
    tmp_path: Path, district: District
) -> None:
    async with carriers(tmp_path, district, FIRST, SECOND) as at, at.worker():
        await at.connected()
        await pause(at, 1)
        number = await trial_of(at, 1)
        assert await trial_of(at, 1) == number, "the same form again is the same trial"

        async def delivered() -> bool:
            async with district.database.connection() as connection:
                [last] = await trials.latest(connection, "second", SystemClock().now())
            return last.state in ("delivered", "failed")

        await wait_until(delivered, within=120, what="the trial's receipt")
        [taken] = at.taken("second")
        assert (taken.alert, taken.ordinal, taken.address) == (trials.NO_ALERT, number, "13800138000")
        assert at.taken("first") == []
        async with district.database.connection() as connection:
            assert await connection.fetchval("SELECT address FROM gateway_trial") == ""
            assert await connection.fetchval("SELECT count(*) FROM stray_receipt") == 0
            audited = await connection.fetchval("SELECT detail FROM audit_entry WHERE action = 'gateway.trial'")
        assert "138" not in audited


async def test_a_trial_stays_on_its_side_of_the_wall_and_is_not_sent_late(tmp_path: Path, district: District) -> None:
    async with carriers(tmp_path, district, FIRST) as at, at.worker():
        await at.connected()
        number = await trial_of(at, 0)
        async with district.database.connection() as connection:
            await connection.execute(
                "INSERT INTO gateway_trial (key, gateway_id, rehearsal, address, asked_by, asked_at, expires_at)"
                " SELECT 'the other side', id, false, '13900139000', 0, now(), now() + interval '1 hour' FROM gateway"
            )
            await connection.execute(
                "INSERT INTO gateway_trial (key, gateway_id, rehearsal, address, asked_by, asked_at, expires_at)"
                " SELECT 'too late', id, true, '13900139000', 0, now(), now() - interval '1 second' FROM gateway"
            )

        async def over() -> bool:
            async with district.database.connection() as connection:
                states = {row["key"]: row["state"] for row in await connection.fetch("SELECT * FROM gateway_trial")}
            return states["too late"] == "expired" and "waiting" not in states["a-key-of-the-form-0"]

        await wait_until(over, within=120, what="the trials to be looked at")
        await wait_until(lambda: at.taken("first"), within=120, what="the trial")
        assert [one.ordinal for one in at.taken("first")] == [number]
