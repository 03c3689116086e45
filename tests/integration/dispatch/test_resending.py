"""Sending again to households that were given up, after the cause was mended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broadcaster.alerts.policy import ChannelStep, Policy
from broadcaster.database import Connection
from broadcaster.dispatch import ledger
from broadcaster.dispatch.closing import close_due
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.resending import Resent, resend
from broadcaster.errors import RuleError
from broadcaster.ports import Medium
from tests.harness.district import TOWN, District

SMS = Policy(households=(ChannelStep((Medium.SMS,), 60),), loudspeakers=False, units=())
WECHAT_SMS = Policy(
    households=(ChannelStep((Medium.WECHAT,), 60), ChannelStep((Medium.SMS,), 60)), loudspeakers=False, units=()
)


async def _given_up(district: District, policy: Policy = SMS, households: int = 20) -> None:
    """A village whose every message has failed, and whose households have all become door tasks."""
    await district.village(1, households)
    await district.issue(7, policy=policy)
    await district.advance()
    for step in policy.households:
        for channel in step.channels:
            await district.settle(await district.claim(channel.value), DeliveryState.FAILED)
        district.clock.advance(200)
        await district.advance()


async def _again(district: District, regions: tuple[str, ...] = ("",)) -> tuple[int, int]:
    """Households and deliveries."""
    pieces: list[Resent] = []

    async def tell(_connection: Connection, piece: Resent) -> None:
        pieces.append(piece)

    await resend(district.database, district.plans[7], regions, district.clock, tell)
    return sum(piece.households for piece in pieces), sum(piece.deliveries for piece in pieces)


async def _count(district: District, query: str) -> int:
    async with district.database.connection() as connection:
        found: int = await connection.fetchval(query)
        return found


async def test_whom_every_message_failed_gets_the_first_channel_again(district: District) -> None:
    await _given_up(district, WECHAT_SMS)
    assert await _again(district) == (20, 20)
    assert await district.breaches(7) == []
    batches = await district.claim("wechat")
    assert sum(batch.last - batch.first + 1 for batch in batches) == 20
    await district.settle(batches, DeliveryState.DELIVERED)
    assert await _count(district, "SELECT reached FROM chunk WHERE region <> ''") == 20
    assert await _count(district, "SELECT unreached FROM chunk WHERE region <> ''") == 0
    assert await _count(district, "SELECT count(*) FROM door_task WHERE state = 'open'") == 0
    assert await district.breaches(7) == []


async def test_pressing_twice_sends_once(district: District) -> None:
    await _given_up(district)
    assert (await _again(district))[0] == 20
    assert await _again(district) == (0, 0)
    await district.settle(await district.claim("sms"), DeliveryState.SUBMITTED)
    assert await _again(district) == (0, 0), "there may still be a receipt"


async def test_a_second_try_that_failed_may_be_followed_by_a_third_and_the_doors_stay(district: District) -> None:
    await _given_up(district)
    await _again(district)
    await district.settle(await district.claim("sms"), DeliveryState.FAILED)
    assert await _count(district, "SELECT count(*) FROM door_task WHERE state = 'open'") == 20
    assert await _again(district) == (20, 20)
    assert await district.breaches(7) == []


async def test_who_was_reached_before_the_message_left_is_not_told_again(district: District) -> None:
    await _given_up(district)
    await _again(district)
    await district.say([(0, 1, DeliveryState.DELIVERED)], alert_id=7)
    batches = await district.claim("sms")
    async with district.database.connection() as connection:
        reached = await connection.fetchval("SELECT household_id FROM delivery WHERE alert_id = 7 AND ordinal = 0")
        rows = [row for part in await ledger.claimed_rows(connection, batches) for row in part]
    assert [row.household_id for row in rows if not row.needed] == [reached]
    assert len(rows) == 20


async def test_only_the_regions_asked_for_are_tried_again(district: District) -> None:
    await _given_up(district)
    assert await _again(district, (f"{TOWN}002",)) == (0, 0)
    assert await _again(district, (f"{TOWN}001001", f"{TOWN}002")) == (20, 20)


async def test_nothing_is_sent_again_after_the_alert_is_over(district: District) -> None:
    await _given_up(district)
    district.clock.advance(timedelta(hours=7).total_seconds())
    with pytest.raises(RuleError):
        await _again(district)
    await close_due(district.database, district.clock.now())
    with pytest.raises(RuleError):
        await _again(district)
    assert await district.states(7) == {DeliveryState.FAILED: 20}


async def test_a_drill_is_sent_again_by_rehearsal_gateways_alone(district: District) -> None:
    await _given_up(district)
    await _again(district)
    assert await _count(district, "SELECT count(*) FROM batch WHERE NOT rehearsal") == 0


async def test_a_household_without_an_address_stays_on_the_list_of_doors(district: District) -> None:
    await district.village(1, 5, phones=0, wechat=0)
    await district.issue(7, policy=SMS)
    await district.advance()
    assert await _again(district) == (0, 0)
    assert await _count(district, "SELECT count(*) FROM door_task WHERE state = 'open'") == 5
