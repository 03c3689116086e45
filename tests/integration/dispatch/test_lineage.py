"""An Update or Cancel reaches whoever may have heard what it replaces, and is never mixed with it."""

from __future__ import annotations

import asyncio
import dataclasses

from broadcaster.alerts.policy import ChannelStep, Policy
from broadcaster.dispatch import ledger, targets
from broadcaster.dispatch.closing import close_due, supersede
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.ledger import Batch, Event, Release
from broadcaster.ports import Medium
from tests.harness.district import TOWN, WECHAT_SMS_VOICE, District

WECHAT_AND_SMS = Policy((ChannelStep((Medium.WECHAT, Medium.SMS), 60),), loudspeakers=False, units=())


async def replace(
    district: District, new: int, *, regions: tuple[str, ...], lineage: int, policy: Policy = WECHAT_SMS_VOICE
) -> None:
    async with district.database.transaction() as connection:
        await supersede(connection, lineage, new, district.clock.now())
        await district.open(connection, new, lineage=lineage, regions=regions, policy=policy)


async def test_an_update_of_a_quieter_colour_is_heard_wherever_the_loud_one_was(district: District) -> None:
    village = await district.village(1, 20)
    for number in range(3):
        await district.terminal(village, number)
    await district.issue(7)
    await district.advance()
    await district.settle(await district.claim("loudspeaker"), DeliveryState.DELIVERED)
    await district.terminal(village, 4)  # new since: nothing was played on it, and blue uses no loudspeakers
    quiet = dataclasses.replace(WECHAT_SMS_VOICE, loudspeakers=False)
    await replace(district, 8, regions=(village,), lineage=7, policy=quiet)
    await district.advance()
    assert sum(batch.last - batch.first + 1 for batch in await district.claim("loudspeaker")) == 3


async def test_what_was_on_the_wire_when_the_update_was_planned_gets_the_update_too(district: District) -> None:
    first = await district.village(1, 20)
    second = await district.village(2, 10)
    await district.issue(7, regions=(first,))
    await district.advance()
    on_the_wire = await district.claim("wechat", limit=1)
    await replace(district, 8, regions=(second,), lineage=7)
    await district.advance()
    await district.settle(on_the_wire, DeliveryState.SUBMITTED)
    assert await district.states(8) == {DeliveryState.QUEUED: 10 + 2}


async def test_what_a_dead_worker_may_have_sent_gets_the_update_too(district: District) -> None:
    first = await district.village(1, 20)
    second = await district.village(2, 10)
    await district.issue(7, regions=(first,))
    await district.advance()
    await district.claim("wechat", limit=1, lease=-1)
    assert await ledger.reclaim_lapsed(district.database, district.clock.now()) == 1
    await replace(district, 8, regions=(second,), lineage=7)
    await district.advance()
    assert await district.states(8) == {DeliveryState.QUEUED: 10 + 2}


async def test_an_update_waits_while_a_gateway_may_still_take_what_it_gave_no_answer_about(district: District) -> None:
    await district.village(1, 20)
    await district.issue(7)
    await district.advance()
    lost = await district.claim("wechat", limit=1)
    now = district.clock.now()
    unknown = [
        Event(7, one, 1, DeliveryState.UNKNOWN, 1, None, "lost", now) for one in range(lost[0].first, lost[0].last + 1)
    ]
    await ledger.write(district.database, "w", unknown, releases=[Release(batch, now, owed=5.0) for batch in lost])
    await ledger.fold(district.database, now)
    await replace(district, 8, regions=("330212001",), lineage=7)
    await district.advance()
    await close_due(district.database, now)
    assert await district.claim("wechat") == []
    async with district.database.connection() as connection:
        await connection.execute("UPDATE batch SET owed_until = clock_timestamp() WHERE owed_until IS NOT NULL")
    assert {batch.alert_id for batch in await district.claim("wechat")} == {8}


async def test_what_a_gateway_gave_no_answer_about_is_sent_again_at_once(district: District) -> None:
    await district.village(1, 20)
    await district.issue(7)
    await district.advance()
    lost = await district.claim("wechat")
    now = district.clock.now()
    await ledger.write(district.database, "w", [], releases=[Release(batch, now, owed=5.0) for batch in lost])
    await ledger.fold(district.database, now)
    assert len(await district.claim("wechat")) == len(lost)


async def test_an_update_that_was_drafted_before_its_predecessor_replaces_it_all_the_same(district: District) -> None:
    await district.village(1, 20)
    await district.issue(9)
    await district.advance()
    on_the_wire = await district.claim("wechat", limit=1)
    await replace(district, 5, regions=("330212001",), lineage=9)
    await district.advance()
    assert await district.claim("wechat") == []
    await district.settle(on_the_wire, DeliveryState.SUBMITTED)
    await close_due(district.database, district.clock.now())
    assert {batch.alert_id for batch in await district.claim("wechat")} == {5}
    assert (await district.states(9))[DeliveryState.CANCELLED] == 18


async def test_claims_and_a_supersession_at_once_do_not_lock_each_other_out(district: District) -> None:
    for number in range(4):
        await district.village(number, 10)
    await district.issue(7)
    await district.advance()
    closing = asyncio.Event()

    async def claim() -> list[Batch]:
        await closing.wait()
        return await district.claim("wechat", limit=1)

    claims = [asyncio.create_task(claim()) for _ in range(2)]  # outside of the transaction, not to inherit it
    async with district.database.transaction() as connection:
        await ledger.lock_states(connection)
        await connection.execute("UPDATE run SET state = 1 WHERE alert_id = 7")
        closing.set()
        await asyncio.sleep(0.2)
        await ledger.withdraw(connection, 7, DeliveryState.CANCELLED, district.clock.now())
    assert await asyncio.gather(*claims) == [[], []]


async def test_the_fold_gets_its_turn_however_busy_the_planners_are(district: District) -> None:
    await district.village(1, 20)
    await district.issue(7)
    await district.advance()
    stopped = asyncio.Event()

    async def plan() -> None:
        while not stopped.is_set():
            async with district.database.transaction() as connection:
                await ledger.lock_states(connection)
                await asyncio.sleep(0.02)

    planners = [asyncio.create_task(plan()) for _ in range(2)]
    await asyncio.sleep(0.1)
    await ledger.write(district.database, "w", [])
    try:
        assert await ledger.fold(district.database, district.clock.now()) == 1
    finally:
        stopped.set()
        await asyncio.gather(*planners)


async def test_a_household_given_up_for_lack_of_time_still_gets_what_waits_for_it(district: District) -> None:
    await district.village(1, 20)
    await district.issue(7)
    await district.advance()
    await district.settle(await district.claim("wechat"), DeliveryState.FAILED)
    district.clock.advance(6)
    await district.advance()
    sms = await district.claim("sms")
    await district.settle(sms, DeliveryState.FAILED)
    district.clock.advance(6)
    await district.advance()
    district.clock.advance(3 * 180 + 10)
    await district.advance()
    async with district.database.connection() as connection:
        assert await connection.fetchval("SELECT unreached FROM chunk WHERE alert_id = 7 AND region <> ''") == 20
        batches = await district.claim("voice")
        rows = [row for found in await ledger.claimed_rows(connection, batches) for row in found]
    assert [row.needed for row in rows] == [True] * 20


async def test_a_late_delivery_takes_the_household_off_the_door_list(district: District) -> None:
    await district.village(1, 20)
    await district.issue(7)
    await district.advance()
    await district.settle(await district.claim("wechat"), DeliveryState.SUBMITTED)
    district.clock.advance(61)
    await district.advance()
    for channel in ("sms", "voice"):
        batches = await district.claim(channel)
        await district.settle(batches, DeliveryState.SUBMITTED)
        district.clock.advance(200)
        await district.advance()
    async with district.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM door_task WHERE state = 'open'") == 20
    await district.say([(n, 1, DeliveryState.DELIVERED) for n in range(20)], alert_id=7)
    async with district.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM door_task WHERE state = 'open'") == 0
    assert await district.breaches(7) == []


async def test_a_household_that_moved_to_another_village_gets_the_update_once(district: District) -> None:
    await district.village(1, 20)
    elsewhere = await district.village(2, 10)
    await district.issue(7)
    await district.advance()
    await district.settle(await district.claim("wechat"), DeliveryState.DELIVERED)
    async with district.database.connection() as connection:
        await connection.execute(
            "UPDATE household SET region_code = $1 WHERE id IN (SELECT id FROM household ORDER BY id LIMIT 3)",
            elsewhere + "001",
        )
    await replace(district, 8, regions=(TOWN,), lineage=7)
    await district.advance()
    async with district.database.connection() as connection:
        twice = await connection.fetch(
            "SELECT household_id FROM delivery WHERE alert_id = 8 AND household_id IS NOT NULL"
            " GROUP BY household_id HAVING count(*) > 1"
        )
        homes = await connection.fetch("SELECT region, households FROM chunk WHERE alert_id = 8 AND region <> ''")
    assert twice == []
    assert {home["region"][-3:]: home["households"] for home in homes} == {"001": 17, "002": 13}


async def test_an_answer_counts_for_a_household_that_moved_since(district: District) -> None:
    village = await district.village(1, 5)
    await district.village(2, 5)
    await district.issue(7)
    await district.advance()
    async with district.database.transaction() as connection:
        household = await connection.fetchval("SELECT min(id) FROM household")
        await connection.execute("UPDATE household SET region_code = $1 WHERE id = $2", TOWN + "002001", household)
        assert await targets.reach(connection, 7, household, "response", district.clock.now())
        assert await connection.fetchval("SELECT reached FROM chunk WHERE region = $1", village) == 1
    assert await district.breaches(7) == []


async def test_a_channel_whose_gateway_hangs_holds_back_the_update_on_that_channel_alone(district: District) -> None:
    village = await district.village(1, 20)
    await district.issue(7, policy=WECHAT_AND_SMS)
    await district.advance()
    hanging = await district.claim("wechat")
    await replace(district, 8, regions=(village,), lineage=7, policy=WECHAT_AND_SMS)
    await district.advance()

    assert sum(batch.last - batch.first + 1 for batch in await district.claim("sms")) == 20
    assert await district.claim("wechat") == []
    await district.settle(hanging, DeliveryState.SUBMITTED)
    assert sum(batch.last - batch.first + 1 for batch in await district.claim("wechat")) == 20
