"""The fan-out on a real database: everyone once, the most at risk first, whatever is killed in between."""

from __future__ import annotations

from broadcaster.dispatch import ledger
from broadcaster.dispatch.closing import close_due, supersede
from broadcaster.dispatch.delivery import DeliveryState
from tests.harness.district import District


async def test_every_household_gets_one_delivery_per_address_of_the_first_step(district: District) -> None:
    await district.village(1, 1200, phones=2)
    await district.village(2, 30)
    await district.issue(7)
    assert await district.advance() == 1230
    assert await district.advance() == 0
    assert await district.states(7) == {DeliveryState.QUEUED: 1230}
    assert await district.breaches(7) == []


async def test_a_household_that_moves_while_villages_are_planned_is_one_target(district: District) -> None:
    await district.village(1, 20)
    second = await district.village(2, 10)
    await district.issue(7)
    async with district.database.connection() as connection:
        await connection.execute("UPDATE chunk SET next_at = next_at + interval '10 seconds' WHERE region = $1", second)
        assert await district.advance() == 20
        await connection.execute(
            "UPDATE household SET region_code = $1 WHERE id = (SELECT min(household_id) FROM target)", second
        )
    district.clock.advance(11)
    assert await district.advance() == 10
    assert await district.breaches(7) == []


async def test_batches_are_contiguous_vulnerable_first_and_never_over_a_thousand(district: District) -> None:
    await district.village(1, 1200)
    await district.issue(7)
    await district.advance()
    batches = await district.claim("wechat")
    assert [batch.tier for batch in batches] == [2, 3, 3]
    covered = sorted(n for batch in batches for n in range(batch.first, batch.last + 1))
    assert covered == list(range(1200))
    assert max(batch.last - batch.first + 1 for batch in batches) <= 1000


async def test_a_claim_takes_no_more_rows_than_asked_but_one_batch_in_any_case(district: District) -> None:
    await district.village(1, 1200)
    await district.issue(7)
    await district.advance()
    for rows, taken in ((50, [120]), (1000, [1000]), (1000, [80])):
        async with district.database.connection() as connection:
            batches = await ledger.claim(
                connection,
                channel="wechat",
                rehearsal=True,
                now=district.clock.now(),
                limit=100,
                rows=rows,
                worker="w",
                lease=60,
            )
        assert [batch.last - batch.first + 1 for batch in batches] == taken


async def test_a_failed_channel_is_followed_by_the_next_and_at_last_by_a_door(district: District) -> None:
    await district.village(1, 20)
    await district.issue(7)
    await district.advance()
    for channel in ("wechat", "sms", "voice"):
        batches = await district.claim(channel)
        await district.settle(batches, DeliveryState.FAILED)
        district.clock.advance(6)
        added = await district.advance()
        assert added == (0 if channel == "voice" else 20)
        assert await district.breaches(7) == []
    async with district.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM door_task WHERE reason = 'all_failed'") == 20
        assert await connection.fetchval("SELECT unreached FROM chunk WHERE alert_id = 7 AND region <> ''") == 20


async def test_silence_is_followed_by_the_next_channel_only_when_its_wait_is_over(district: District) -> None:
    await district.village(1, 20)
    await district.issue(7)
    await district.advance()
    await district.settle(await district.claim("wechat"), DeliveryState.SUBMITTED)
    district.clock.advance(59)
    assert await district.advance() == 0
    district.clock.advance(2)
    assert await district.advance() == 20


async def test_a_reached_household_gets_nothing_more(district: District) -> None:
    await district.village(1, 20)
    await district.issue(7)
    await district.advance()
    await district.settle(await district.claim("wechat"), DeliveryState.DELIVERED)
    district.clock.advance(1000)
    assert await district.advance() == 0
    async with district.database.connection() as connection:
        assert await connection.fetchval("SELECT reached FROM chunk WHERE alert_id = 7 AND region <> ''") == 20
    assert await district.breaches(7) == []


async def test_an_update_waits_for_what_is_on_the_wire_and_goes_to_whoever_may_have_heard(district: District) -> None:
    first = await district.village(1, 20)
    second = await district.village(2, 10)
    await district.issue(7, regions=(first,))
    await district.advance()
    on_the_wire = await district.claim("wechat", limit=1)
    async with district.database.transaction() as connection:
        await supersede(connection, 7, 8, district.clock.now())
    await district.issue(8, lineage=7, regions=(second,))
    await district.advance()
    assert await district.claim("wechat") == []
    sent = await district.settle(on_the_wire, DeliveryState.SUBMITTED)
    await close_due(district.database, district.clock.now())
    claimed = await district.claim("wechat")
    assert {batch.alert_id for batch in claimed} == {8}
    assert len(sent) == 2
    assert await district.states(8) == {DeliveryState.QUEUED: 10 + len(sent)}
    assert await district.breaches(7) == []
