"""SMPP against a short message centre that nobody here wrote: long texts, receipts, replies, flow control."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from broadcaster.errors import UnavailableError
from broadcaster.ports import Accepted, Deferred, DeliveryKey, Driver, Envelope, Evidence, Message, Outcome
from broadcaster.testing import MemoryInbox, MemoryJournal
from channels.sms.smpp import plugin
from tests.contract.smpp_peer import settings
from tests.harness.smsc import Smsc
from tests.harness.waiting import wait_until

LONG = "【某某县应急管理局】台风红色预警：山洪风险极高，请低洼处住户立即转移到村委会安置点。" * 3
PHONE = "13800000001"


def envelope(ordinal: int, text: str) -> Envelope:
    return Envelope(DeliveryKey(7, ordinal, 1), PHONE, Message(text), 0, datetime.now(UTC) + timedelta(hours=1))


async def outcomes(driver: Driver, batch: Sequence[Envelope]) -> list[Outcome]:
    return [outcome async for outcome in driver.send(batch)]


@asynccontextmanager
async def connected(smsc: Smsc, **options: object) -> AsyncIterator[tuple[Driver, MemoryInbox, MemoryJournal]]:
    inbox, journal = MemoryInbox(), MemoryJournal()
    driver = plugin.build(settings(smsc.port, **options), journal)
    await driver.open(inbox)
    try:
        yield driver, inbox, journal
    finally:
        await driver.close()


@pytest.mark.parametrize("early", [False, True], ids=["in order", "receipts before answers"])
async def test_a_long_text_arrives_whole_and_its_receipts_are_one(early: bool) -> None:
    async with Smsc() as smsc, connected(smsc, country="86") as (driver, inbox, _):
        await smsc.ask("play", {"early": early, "after": 50})
        assert [type(one) for one in await outcomes(driver, [envelope(1, LONG)])] == [Accepted]
        await inbox.until(lambda: len(inbox.stored_receipts) > 0, 60)
        taken = await smsc.ask("taken")
        assert "".join(one["text"] for one in taken) == LONG
        assert [one["udh"][-1][-4:] for one in taken] == ["0201", "0202"]
        assert {(one["to"], one["from"], one["coding"], one["priority"], one["receipt"]) for one in taken} == {
            ("86" + PHONE, "10690001", 8, 3, 1)
        }
        assert [(one.key, one.evidence) for one in inbox.stored_receipts] == [
            (DeliveryKey(7, 1, 1), Evidence.DELIVERED)
        ]


async def test_a_text_in_plain_letters_arrives_as_it_was_written() -> None:
    async with Smsc() as smsc, connected(smsc) as (driver, _, _):
        text = "Typhoon RED: leave now. Reply 1 to confirm, help $0, info@county, a_b https://x.example/r/AB_c-1"
        await outcomes(driver, [envelope(1, text)])
        assert [one["text"] for one in await smsc.ask("taken")] == [text]


@pytest.mark.parametrize(
    ("text", "coding", "encoding"), [("收到", 8, "utf-16-be"), ("1", 0, "ascii"), ("收到", 15, "gb18030")]
)
async def test_a_reply_is_read_and_acknowledged(text: str, coding: int, encoding: str) -> None:
    async with Smsc() as smsc, connected(smsc) as (_, inbox, _):
        await smsc.ask("say", {"from": "86" + PHONE, "hex": text.encode(encoding).hex(), "coding": coding})
        await inbox.until(lambda: len(inbox.stored_replies) > 0, 60)
        assert [(one.address, one.text) for one in inbox.stored_replies] == [(PHONE, text)]


async def test_a_message_that_was_not_delivered_has_failed_with_the_centres_word() -> None:
    async with Smsc() as smsc, connected(smsc) as (driver, inbox, _):
        await smsc.ask("play", {"report": "EXPIRED"})
        (accepted,) = await outcomes(driver, [envelope(1, "短")])
        assert isinstance(accepted, Accepted)
        await inbox.until(lambda: len(inbox.stored_receipts) > 0, 60)
        assert [(one.ref, one.evidence, one.reason) for one in inbox.stored_receipts] == [
            (accepted.ref, Evidence.FAILED, "EXPIRED")
        ]


async def test_a_full_queue_puts_messages_off() -> None:
    async with Smsc() as smsc, connected(smsc) as (driver, _, _):
        await smsc.ask("play", {"status": 0x14})
        (only,) = await outcomes(driver, [envelope(1, "短")])
        assert isinstance(only, Deferred)
        assert only.reason == "queue full"


async def test_the_window_is_kept_and_filled() -> None:
    async with Smsc() as smsc, connected(smsc, window=10) as (driver, _, _):
        await smsc.ask("play", {"after": 20})
        assert len(await outcomes(driver, [envelope(one, "短") for one in range(100)])) == 100
        assert (await smsc.ask("figures"))["most"] == 10


async def test_a_quiet_connection_is_asked_for_a_sign_of_life() -> None:
    async with Smsc() as smsc, connected(smsc, heartbeat=0.1) as (_, _, _):

        async def asked() -> bool:
            return bool((await smsc.ask("figures"))["enquiries"] >= 2)

        await wait_until(asked, what="two enquiries")


async def test_a_wrong_password_is_named_and_not_shown() -> None:
    async with Smsc() as smsc:
        journal = MemoryJournal()
        driver = plugin.build(settings(smsc.port, password="wrong1"), journal)
        with pytest.raises(UnavailableError) as caught:
            await driver.open(MemoryInbox())
        assert "invalid password" in caught.value.what
        assert "wrong1" not in " ".join([*journal.lines, str(caught.value)])
