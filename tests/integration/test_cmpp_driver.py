"""CMPP against a gateway of its own: long texts, early reports, flow control, replies in parts, signs of life."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from broadcaster.errors import UnavailableError
from broadcaster.ports import Accepted, Deferred, DeliveryKey, Driver, Envelope, Evidence, Message, Outcome, Unknown
from broadcaster.testing import MemoryInbox, MemoryJournal
from channels.sms.cmpp import plugin
from channels.sms.parts import parts
from tests.contract.cmpp_peer import settings
from tests.harness.cmpp_gateway import SECRET, Gateway
from tests.harness.waiting import wait_until

LONG = (
    "【某某县应急管理局】台风红色预警：今夜至明晨有特大暴雨，山洪风险极高，请低洼处和山脚住户立即转移到"
    "村委会安置点，听从网格员指挥，带好药品和证件。回复1确认收到，回复9求助。"
)
PHONE = "13800000001"


def envelope(ordinal: int, text: str, address: str = PHONE) -> Envelope:
    return Envelope(DeliveryKey(7, ordinal, 1), address, Message(text), 0, datetime.now(UTC) + timedelta(hours=1))


async def outcomes(driver: Driver, batch: Sequence[Envelope]) -> list[Outcome]:
    return [outcome async for outcome in driver.send(batch)]


@asynccontextmanager
async def connected(gateway: Gateway, **options: object) -> AsyncIterator[tuple[Driver, MemoryInbox, MemoryJournal]]:
    inbox, journal = MemoryInbox(), MemoryJournal()
    driver = plugin.build(settings(gateway.port, version="3.0" if gateway.third else "2.0", **options), journal)
    await driver.open(inbox)
    try:
        yield driver, inbox, journal
    finally:
        await driver.close()


@pytest.mark.parametrize("third", [False, True], ids=["2.0", "3.0"])
async def test_a_long_text_goes_out_in_parts_and_is_delivered_when_every_part_was(third: bool) -> None:
    async with Gateway(third=third) as gateway, connected(gateway) as (driver, inbox, _):
        found = await outcomes(driver, [envelope(1, LONG)])
        assert [type(one) for one in found] == [Accepted]
        assert [(one.part, one.total) for one in gateway.taken] == [(1, 2), (2, 2)]
        assert "".join(one.text for one in gateway.taken) == LONG
        assert {(one.headed, one.coding, one.level, one.source) for one in gateway.taken} == {(1, 8, 3, "10690001")}
        await inbox.until(lambda: len(inbox.stored_receipts) > 0, 5)
        await wait_until(lambda: not gateway.unacknowledged, what="all reports acknowledged")
        assert [(one.key, one.evidence) for one in inbox.stored_receipts] == [
            (DeliveryKey(7, 1, 1), Evidence.DELIVERED)
        ]


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_long_text_of_which_a_part_was_not_delivered_has_failed(lost: int) -> None:
    async with Gateway(statuses={lost: "UNDELIV"}) as gateway, connected(gateway) as (driver, inbox, _):
        await outcomes(driver, [envelope(1, LONG)])
        await inbox.until(lambda: len(inbox.stored_receipts) > 0, 5)
        await wait_until(lambda: not gateway.unacknowledged, what="all reports acknowledged")
        assert [(one.key, one.evidence, one.reason) for one in inbox.stored_receipts] == [
            (DeliveryKey(7, 1, 1), Evidence.FAILED, "UNDELIV")
        ]


async def test_a_report_that_comes_before_the_answer_is_not_lost_on_a_message_in_parts() -> None:
    async with Gateway(report_first=True, answer_after=0.1) as gateway, connected(gateway) as (driver, inbox, _):
        await outcomes(driver, [envelope(1, LONG), envelope(2, "短")])
        await inbox.until(lambda: len(inbox.stored_receipts) == 2, 5)
        assert inbox.keys() == {DeliveryKey(7, 1, 1)}
        assert all(one.evidence is Evidence.DELIVERED for one in inbox.stored_receipts)


async def test_a_report_may_come_on_another_connection_of_the_account() -> None:
    async with Gateway() as gateway:
        same = settings(gateway.port)
        inbox, journal = MemoryInbox(), MemoryJournal()
        first, second = plugin.build(same, journal), plugin.build(same, journal)
        await first.open(inbox)
        await second.open(inbox)  # the gateway reports on the connection that came last
        await outcomes(first, [envelope(1, LONG)])
        await inbox.until(lambda: len(inbox.stored_receipts) > 0, 5)
        assert inbox.keys() == {DeliveryKey(7, 1, 1)}
        await first.close()
        await second.close()


async def test_a_status_that_proves_nothing_is_acknowledged_and_no_evidence() -> None:
    async with Gateway(report="ACCEPTD") as gateway, connected(gateway) as (driver, inbox, _):
        await outcomes(driver, [envelope(1, "短")])
        await wait_until(lambda: bool(gateway.taken) and not gateway.unacknowledged, what="the report acknowledged")
        assert inbox.stored_receipts == []


async def test_flow_control_puts_off_a_short_message_and_keeps_on_with_a_long_one() -> None:
    async with Gateway(result=8) as gateway, connected(gateway) as (driver, _, _):
        asyncio.get_running_loop().call_later(0.5, lambda: setattr(gateway, "result", 0))
        short, long = await asyncio.gather(outcomes(driver, [envelope(1, "短")]), outcomes(driver, [envelope(2, LONG)]))
        assert isinstance(short[0], Deferred)
        assert isinstance(long[0], Accepted)
        assert sorted(one.part for one in gateway.taken) == [1, 2]


async def test_an_account_that_may_not_send_is_put_off_with_the_carriers_reason() -> None:
    async with Gateway(result=10) as gateway, connected(gateway) as (driver, _, _):
        (only,) = await outcomes(driver, [envelope(1, "短")])
        assert isinstance(only, Deferred)
        assert "Src_Id" in only.reason
        assert only.after >= 30


async def test_the_window_is_kept_and_filled() -> None:
    async with Gateway(answer_after=0.02) as gateway, connected(gateway, window=16) as (driver, _, _):
        found = await outcomes(driver, [envelope(one, "短") for one in range(200)])
        assert len(found) == 200
        assert gateway.window_seen == 16


async def test_a_reply_in_parts_is_one_reply_whatever_their_order() -> None:
    async with Gateway() as gateway, connected(gateway) as (_, inbox, _):
        first, second = parts(LONG, 9)
        number = gateway.say(PHONE, second.content, headed=1)
        gateway.say("86" + PHONE, first.content, headed=1)
        await inbox.until(lambda: len(inbox.stored_replies) > 0, 5)
        await wait_until(lambda: not gateway.unacknowledged, what="all parts acknowledged")
        assert [(one.id, one.address, one.text) for one in inbox.stored_replies] == [(number, PHONE, LONG)]


async def test_a_reply_of_which_the_rest_never_comes_is_passed_on_when_the_connection_is_closed() -> None:
    async with Gateway() as gateway:
        async with connected(gateway) as (_, inbox, _):
            gateway.say(PHONE, parts(LONG, 9)[0].content, headed=1)
            await wait_until(lambda: bool(gateway.unacknowledged), what="the part to be on its way")
            await asyncio.sleep(0.05)
        assert len(inbox.stored_replies) == 1
        assert LONG.startswith(inbox.stored_replies[0].text)


@pytest.mark.parametrize(("wrong", "why"), [({"password": "no"}, "认证"), ({"version": "3.0"}, "版本")])
async def test_whoever_is_not_let_in_is_told_why_and_no_secret_is_in_it(wrong: dict[str, str], why: str) -> None:
    async with Gateway() as gateway:
        journal = MemoryJournal()
        driver = plugin.build(settings(gateway.port, **wrong), journal)
        with pytest.raises(UnavailableError) as caught:
            await driver.open(MemoryInbox())
        assert why in caught.value.what
        assert SECRET not in " ".join([*journal.lines, str(caught.value)])


async def test_a_quiet_connection_is_asked_for_a_sign_of_life_and_given_up_without_one() -> None:
    async with Gateway() as gateway, connected(gateway, heartbeat=0.1) as (driver, _, _):
        await wait_until(lambda: gateway.alive_tests >= 3, what="signs of life")
        gateway.silent = True
        async with asyncio.timeout(5):
            assert "sign of life" in await driver.lost()  # type: ignore[attr-defined]


async def test_a_long_text_of_which_half_was_answered_for_is_unknown_when_the_connection_breaks() -> None:
    async with Gateway(cut_after=1) as gateway, connected(gateway, window=1) as (driver, _, _):
        (only,) = await outcomes(driver, [envelope(1, LONG)])
        assert isinstance(only, Unknown)


async def test_nothing_personal_is_in_the_journal() -> None:
    async with Gateway() as gateway, connected(gateway) as (driver, inbox, journal):
        await outcomes(driver, [envelope(1, LONG)])
        gateway.say(PHONE, "我要求助".encode("utf-16-be"))
        await inbox.until(lambda: len(inbox.stored_replies) > 0, 5)
        kept = " ".join(journal.lines)
        assert kept
        assert PHONE not in kept
        assert "求助" not in kept
