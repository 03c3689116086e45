"""The carriers' protocols against gateways of their own: long texts, early reports, flow control, replies in parts,
signs of life. What is true of each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from broadcaster.errors import UnavailableError
from broadcaster.ports import Accepted, Deferred, DeliveryKey, Driver, Envelope, Evidence, Message, Outcome, Unknown
from broadcaster.tasks import ended
from broadcaster.testing import MemoryInbox, MemoryJournal
from channels.sms.parts import parts
from channels.sms.session import intake
from tests.contract.carrier_peer import CMPP, CMPP_3, PROTOCOLS, SGIP, SMGP, Protocol, settings
from tests.harness.carrier_gateway import SECRET, CarrierGateway
from tests.harness.waiting import wait_until

LONG = (
    "【某某县应急管理局】台风红色预警：今夜至明晨有特大暴雨，山洪风险极高，请低洼处和山脚住户立即转移到"
    "村委会安置点，听从网格员指挥，带好药品和证件。回复1确认收到，回复9求助。"
)
PHONE = "13800000001"
EXPIRES = datetime.now(UTC) + timedelta(hours=1)
every_protocol = pytest.mark.parametrize("protocol", PROTOCOLS, ids=str)
asking = pytest.mark.parametrize("protocol", [CMPP, SMGP], ids=str)


def envelope(ordinal: int, text: str, address: str = PHONE, urgency: int = 0) -> Envelope:
    return Envelope(DeliveryKey(7, ordinal, 1), address, Message(text), urgency, EXPIRES)


async def outcomes(driver: Driver, batch: Sequence[Envelope]) -> list[Outcome]:
    return [outcome async for outcome in driver.send(batch)]


@asynccontextmanager
async def connected(
    protocol: Protocol, gateway: CarrierGateway, **options: object
) -> AsyncIterator[tuple[Driver, MemoryInbox, MemoryJournal]]:
    inbox, journal = MemoryInbox(), MemoryJournal()
    driver = protocol.plugin.build(settings(protocol, gateway, **options), journal)
    await driver.open(inbox)
    try:
        yield driver, inbox, journal
    finally:
        await driver.close()


async def heard_of(gateway: CarrierGateway, inbox: MemoryInbox) -> None:
    """The gateway has a connection to bring something on, also where it opens that itself."""
    gateway.say(PHONE, b"1", 0)
    await inbox.until(lambda: len(inbox.stored_replies) == 1)


@every_protocol
async def test_a_long_text_goes_out_in_parts_and_is_delivered_when_every_part_was(protocol: Protocol) -> None:
    async with protocol.gateway() as gateway, connected(protocol, gateway) as (driver, inbox, _):
        found = await outcomes(driver, [envelope(1, LONG)])
        assert [type(one) for one in found] == [Accepted]
        assert [(one.part, one.total) for one in gateway.taken] == [(1, 2), (2, 2)]
        assert "".join(one.text for one in gateway.taken) == LONG
        assert {(one.headed, one.coding, one.level, one.source) for one in gateway.taken} == {(1, 8, 3, "10690001")}
        await inbox.until(lambda: len(inbox.stored_receipts) > 0)
        await wait_until(lambda: not gateway.unacknowledged, what="all reports acknowledged")
        assert [(one.key, one.evidence) for one in inbox.stored_receipts] == [
            (DeliveryKey(7, 1, 1), Evidence.DELIVERED)
        ]


@every_protocol
async def test_a_part_that_proves_nothing_yet_is_acknowledged_while_others_wait_to_be_stored(
    protocol: Protocol,
) -> None:
    async with protocol.gateway() as gateway, connected(protocol, gateway) as (driver, inbox, _):
        inbox.hold()
        await outcomes(driver, [envelope(1, LONG)])
        await inbox.until(lambda: inbox.attempts > 0)
        await wait_until(lambda: len(gateway.unacknowledged) == 1, what="one of two reports acknowledged")
        inbox.release()
        await wait_until(lambda: not gateway.unacknowledged, what="both acknowledged")
        assert inbox.keys() == {DeliveryKey(7, 1, 1)}


@asking
async def test_closing_that_is_hurried_leaves_no_connection_behind(protocol: Protocol) -> None:
    async with protocol.gateway() as gateway, connected(protocol, gateway, connect_timeout=300) as (driver, inbox, _):
        inbox.hold()
        gateway.say(PHONE, b"1", 0)
        await inbox.until(lambda: inbox.attempts > 0)
        closing = asyncio.create_task(driver.close())
        await asyncio.sleep(0)
        async with asyncio.timeout(60):
            await ended(closing, patience=10)
        await wait_until(lambda: all(session.task.done() for session in gateway.sessions), what="it is disconnected")
        inbox.release()


@every_protocol
async def test_reports_about_the_first_parts_may_come_before_the_last_part_was_even_written(protocol: Protocol) -> None:
    async with protocol.gateway() as gateway, connected(protocol, gateway, window=1) as (driver, inbox, _):
        found = await outcomes(driver, [envelope(number, LONG) for number in range(1, 6)])
        assert [type(one) for one in found] == [Accepted] * 5
        await inbox.until(lambda: len(inbox.stored_receipts) == 5)
        await wait_until(lambda: not gateway.unacknowledged, what="all reports acknowledged")
        assert inbox.keys() == {DeliveryKey(7, number, 1) for number in range(1, 6)}
        assert {one.ref for one in inbox.stored_receipts} == {one.ref for one in found if isinstance(one, Accepted)}


@every_protocol
async def test_a_short_text_goes_out_as_it_is_with_its_end_and_its_urgency(protocol: Protocol) -> None:
    async with protocol.gateway() as gateway, connected(protocol, gateway) as (driver, inbox, _):
        (accepted,) = await outcomes(driver, [envelope(1, "Typhoon: leave now", urgency=2)])
        (taken,) = gateway.taken
        assert isinstance(accepted, Accepted)
        assert accepted.ref == taken.ref
        assert (taken.text, taken.coding, taken.headed, taken.total) == ("Typhoon: leave now", 0, 0, 1)
        assert (taken.address, taken.level) == (PHONE, 1)
        assert taken.valid == EXPIRES.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%y%m%d%H%M%S") + "032+"
        await inbox.until(lambda: len(inbox.stored_receipts) > 0)
        assert inbox.refs() == {taken.ref}


@every_protocol
@pytest.mark.parametrize("lost", [1, 2])
async def test_a_long_text_of_which_a_part_was_not_delivered_has_failed(protocol: Protocol, lost: int) -> None:
    async with protocol.gateway(statuses={lost: "UNDELIV"}) as gateway:
        async with connected(protocol, gateway) as (driver, inbox, _):
            await outcomes(driver, [envelope(1, LONG)])
            await inbox.until(lambda: len(inbox.stored_receipts) > 0)
            await wait_until(lambda: not gateway.unacknowledged, what="all reports acknowledged")
            (receipt,) = inbox.stored_receipts
            assert (receipt.key, receipt.evidence) == (DeliveryKey(7, 1, 1), Evidence.FAILED)
            assert receipt.reason.startswith("25 " if protocol is SGIP else "UNDELIV")


@every_protocol
async def test_a_report_that_comes_before_the_answer_is_not_lost_on_a_message_in_parts(protocol: Protocol) -> None:
    async with protocol.gateway(report_first=True, answer_after=0.1) as gateway:
        async with connected(protocol, gateway) as (driver, inbox, _):
            await heard_of(gateway, inbox)
            await outcomes(driver, [envelope(1, LONG), envelope(2, "短")])
            await inbox.until(lambda: len(inbox.stored_receipts) == 2)
            assert inbox.keys() == {DeliveryKey(7, 1, 1)}
            assert all(one.evidence is Evidence.DELIVERED for one in inbox.stored_receipts)


@every_protocol
async def test_a_report_may_come_early_on_another_connection_of_the_account(protocol: Protocol) -> None:
    async with protocol.gateway(report_first=True, answer_after=0.1) as gateway:
        same = settings(protocol, gateway)
        inbox, journal = MemoryInbox(), MemoryJournal()
        first, second = protocol.plugin.build(same, journal), protocol.plugin.build(same, journal)
        await first.open(inbox)
        await second.open(inbox)  # the gateway reports on the connection that came last
        await heard_of(gateway, inbox)
        await outcomes(first, [envelope(1, LONG)])
        await inbox.until(lambda: len(inbox.stored_receipts) > 0)
        assert inbox.keys() == {DeliveryKey(7, 1, 1)}
        await first.close()
        await second.close()


@every_protocol
async def test_a_connection_that_hangs_does_not_hold_up_what_is_brought_about_the_others(
    protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "PATIENCE", 0.1)
    async with protocol.gateway(answer_after=3600, report="") as gateway:
        same = settings(protocol, gateway, answer_timeout=3600.0, connect_timeout=0.5)
        inbox, journal = MemoryInbox(), MemoryJournal()
        hanging, sound = protocol.plugin.build(same, journal), protocol.plugin.build(same, journal)
        await hanging.open(inbox)
        await sound.open(inbox)
        stuck = asyncio.create_task(outcomes(hanging, [envelope(1, "短")]))
        await wait_until(lambda: bool(gateway.taken), what="the message on its way")
        gateway.answer_after, gateway.report = 0, "DELIVRD"
        await outcomes(sound, [envelope(2, "短")])
        await inbox.until(lambda: len(inbox.stored_receipts) > 0)
        await hanging.close()
        await sound.close()
        assert isinstance((await stuck)[0], Unknown)


@every_protocol
async def test_a_status_that_proves_nothing_is_acknowledged_and_no_evidence(protocol: Protocol) -> None:
    async with protocol.gateway(report="ACCEPTD") as gateway, connected(protocol, gateway) as (driver, inbox, _):
        await outcomes(driver, [envelope(1, "短")])
        await wait_until(lambda: bool(gateway.taken) and not gateway.unacknowledged, what="the report acknowledged")
        assert inbox.stored_receipts == []


@every_protocol
async def test_flow_control_puts_off_a_short_message_and_keeps_on_with_a_long_one(protocol: Protocol) -> None:
    async with protocol.gateway() as gateway, connected(protocol, gateway) as (driver, _, _):
        gateway.result = gateway.FLOW_CONTROL
        asyncio.get_running_loop().call_later(0.5, lambda: setattr(gateway, "result", 0))
        short, long = await asyncio.gather(outcomes(driver, [envelope(1, "短")]), outcomes(driver, [envelope(2, LONG)]))
        assert isinstance(short[0], Deferred)
        assert isinstance(long[0], Accepted)
        assert sorted(one.part for one in gateway.taken) == [1, 2]


@every_protocol
async def test_a_carriers_own_code_for_flow_control_is_believed_where_it_is_named(protocol: Protocol) -> None:
    async with protocol.gateway(result=75) as gateway, connected(protocol, gateway, busy=[75]) as (driver, _, _):
        (only,) = await outcomes(driver, [envelope(1, "短")])
        assert isinstance(only, Deferred)
        assert only.after <= 1


@every_protocol
async def test_an_account_that_may_not_send_is_put_off_with_the_carriers_reason(protocol: Protocol) -> None:
    async with protocol.gateway() as gateway, connected(protocol, gateway) as (driver, _, _):
        gateway.result = gateway.BAD_SOURCE
        (only,) = await outcomes(driver, [envelope(1, "短")])
        assert isinstance(only, Deferred)
        assert {CMPP: "Src_Id", CMPP_3: "Src_Id", SMGP: "发送号码", SGIP: "源地址"}[protocol] in only.reason
        assert only.after >= 30


@every_protocol
async def test_the_window_is_kept_and_filled(protocol: Protocol) -> None:
    async with (
        protocol.gateway(answer_after=0.02) as gateway,
        connected(protocol, gateway, window=16) as (driver, _, _),
    ):
        found = await outcomes(driver, [envelope(one, "短") for one in range(200)])
        assert len(found) == 200
        assert gateway.window_seen == 16


@every_protocol
async def test_a_reply_in_parts_is_one_reply_whatever_their_order(protocol: Protocol) -> None:
    async with protocol.gateway() as gateway, connected(protocol, gateway) as (_, inbox, _):
        first, second = parts(LONG, 9)
        number = gateway.say(PHONE, second.content, headed=1)
        gateway.say("86" + PHONE, first.content, headed=1)
        await inbox.until(lambda: len(inbox.stored_replies) > 0)
        await wait_until(lambda: not gateway.unacknowledged, what="all parts acknowledged")
        assert [(one.id, one.address, one.text) for one in inbox.stored_replies] == [(number, PHONE, LONG)]


@every_protocol
async def test_a_reply_of_which_the_rest_never_comes_is_passed_on_when_the_connection_is_closed(
    protocol: Protocol,
) -> None:
    async with protocol.gateway() as gateway:
        async with connected(protocol, gateway) as (_, inbox, _):
            gateway.say(PHONE, "前面的".encode("utf-16-be"))
            await inbox.until(lambda: len(inbox.stored_replies) == 1)
            gateway.say(PHONE, parts(LONG, 9)[0].content, headed=1)
            gateway.say(PHONE, "后面的".encode("utf-16-be"))
            await inbox.until(lambda: len(inbox.stored_replies) == 2)
        assert len(inbox.stored_replies) == 3
        assert LONG.startswith(inbox.stored_replies[2].text)


@pytest.mark.parametrize(
    ("protocol", "wrong", "why"),
    [
        (CMPP, {"password": "no"}, "认证"),
        (CMPP, {"version": "3.0"}, "版本"),
        (SMGP, {"password": "no"}, "认证"),
        (SMGP, {"version": "3.3"}, "版本"),
        (SGIP, {"password": "no"}, "非法登录"),
    ],
    ids=str,
)
async def test_whoever_is_not_let_in_is_told_why_and_no_secret_is_in_it(
    protocol: Protocol, wrong: dict[str, str], why: str
) -> None:
    async with protocol.gateway() as gateway:
        journal = MemoryJournal()
        driver = protocol.plugin.build(settings(protocol, gateway, **wrong), journal)
        with pytest.raises(UnavailableError) as caught:
            await driver.open(MemoryInbox())
        assert why in caught.value.what
        assert SECRET not in " ".join([*journal.lines, str(caught.value)])


@asking
async def test_a_quiet_connection_is_asked_for_a_sign_of_life_and_given_up_without_one(protocol: Protocol) -> None:
    async with protocol.gateway() as gateway, connected(protocol, gateway, heartbeat=0.5) as (driver, _, _):
        await wait_until(lambda: gateway.alive_tests >= 3, what="signs of life")
        gateway.silent = True
        async with asyncio.timeout(60):
            assert "sign of life" in await driver.lost()  # type: ignore[attr-defined]


@every_protocol
async def test_a_long_text_of_which_half_was_answered_for_is_unknown_when_the_connection_breaks(
    protocol: Protocol,
) -> None:
    async with protocol.gateway(cut_after=1) as gateway, connected(protocol, gateway, window=1) as (driver, _, _):
        (only,) = await outcomes(driver, [envelope(1, LONG)])
        assert isinstance(only, Unknown)


@every_protocol
async def test_nothing_personal_is_in_the_journal(protocol: Protocol) -> None:
    async with protocol.gateway() as gateway, connected(protocol, gateway) as (driver, inbox, journal):
        await outcomes(driver, [envelope(1, LONG)])
        gateway.say(PHONE, "我要求助".encode("utf-16-be"))
        await inbox.until(lambda: len(inbox.stored_replies) > 0)
        kept = " ".join(journal.lines)
        assert kept
        assert PHONE not in kept
        assert "求助" not in kept
        assert SECRET not in kept
