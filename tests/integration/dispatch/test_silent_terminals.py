"""A home whose loudspeaker does not play is told by the next channel at once, and not when its wait is over."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.report.timeline import timeline
from tests.harness.district import WECHAT_SMS_VOICE, District

PATIENT = replace(WECHAT_SMS_VOICE, loudspeaker_wait=30.0)
DELIVERED, FAILED, SUBMITTED = DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.SUBMITTED


@pytest.fixture
async def warned(district: District) -> District:
    """Two villages of ten homes with a loudspeaker each; everybody has been sent the first message."""
    for number in (1, 2):
        code = await district.village(number, 10)
        await district.terminal(code, number)
    await district.issue(7, policy=PATIENT)
    await district.advance()
    await district.settle(await district.claim("wechat"), SUBMITTED)
    return district


async def _sms(district: District) -> Counter[str]:
    """Text messages planned, by village."""
    async with district.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT right(region, 1) AS village, last - first + 1 AS n FROM batch WHERE channel = 'sms'"
        )
    return Counter({row["village"]: sum(one["n"] for one in rows if one["village"] == row["village"]) for row in rows})


async def _loudspeakers(district: District, *states: DeliveryState) -> None:
    """What becomes of the broadcasts, in the order of the loudspeakers."""
    batches = await district.claim("loudspeaker")
    taken = await district.settle(batches, SUBMITTED)
    news = [(event.ordinal, event.attempt, state) for event, state in zip(taken, states, strict=True)]
    await district.say(news, alert_id=7)


async def test_the_homes_of_a_loudspeaker_that_failed_do_not_wait(warned: District) -> None:
    await _loudspeakers(warned, DELIVERED, FAILED)
    await warned.advance()
    assert await _sms(warned) == {"2": 10}
    warned.clock.advance(60)
    await warned.advance()
    assert await _sms(warned) == {"1": 10, "2": 10}, "the others wait as the policy says"
    assert await warned.breaches(7) == []


async def test_of_whom_nothing_was_heard_in_time_is_silent(warned: District) -> None:
    await _loudspeakers(warned, DELIVERED, SUBMITTED)
    warned.clock.advance(29)
    await warned.advance()
    assert await _sms(warned) == {}
    warned.clock.advance(1)
    await warned.advance()
    assert await _sms(warned) == {"2": 10}


async def test_a_home_is_hurried_by_one_step_and_not_to_the_door(warned: District) -> None:
    await _loudspeakers(warned, FAILED, FAILED)
    await warned.advance()
    await warned.settle(await warned.claim("sms"), SUBMITTED)
    await warned.advance()
    async with warned.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM batch WHERE channel = 'voice'") == 0
        assert await connection.fetchval("SELECT count(*) FROM door_task") == 0
    warned.clock.advance(119)
    await warned.advance()
    assert (await _sms(warned)).total() == 20
    warned.clock.advance(1)
    await warned.advance()
    async with warned.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM batch WHERE channel = 'voice'") > 0


async def test_a_home_nearer_to_one_that_plays_goes_on_waiting(district: District) -> None:
    code = await district.village(1, 10)
    await district.terminal(code, 1)
    await district.terminal(code, 2)
    async with district.database.connection() as connection:
        await connection.execute("UPDATE terminal SET lon = 121.60 WHERE external_id LIKE '%-2'")
        await connection.execute(
            "UPDATE household SET lon = 121.59 WHERE id IN (SELECT id FROM household ORDER BY id LIMIT 4)"
        )
    await district.issue(7, policy=PATIENT)
    await district.advance()
    await district.settle(await district.claim("wechat"), SUBMITTED)
    await _loudspeakers(district, DELIVERED, FAILED)
    await district.advance()
    assert await _sms(district) == {"1": 4}
    async with district.database.connection() as connection:
        (shown,) = [one for one in await timeline(connection, 7, [""], 20) if one.kind == "silent"]
    assert (shown.what, shown.n) == ("1", 4)


async def test_who_is_reached_already_is_left_in_peace(warned: District) -> None:
    async with warned.database.connection() as connection:
        await connection.execute("UPDATE target SET state = 1")
    await _loudspeakers(warned, FAILED, FAILED)
    await warned.advance()
    assert await _sms(warned) == {}


async def test_villages_that_are_not_planned_yet_are_waited_for(district: District) -> None:
    code = await district.village(1, 10)
    await district.terminal(code, 1)
    await district.issue(7, policy=PATIENT)
    async with district.database.connection() as connection:
        await connection.execute("UPDATE chunk SET next_at = next_at + interval '20 seconds' WHERE region <> ''")
    await district.advance()
    await _loudspeakers(district, FAILED)
    await district.advance()
    district.clock.advance(20)
    await district.advance()
    await district.settle(await district.claim("wechat"), SUBMITTED)
    district.clock.advance(5)
    await district.advance()
    assert await _sms(district) == {"1": 10}
