"""Calls by Alibaba Cloud, over a provider written from the documents: the contract, reports, keys, refusals."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from broadcaster.errors import InputError, SettingsError, UnauthenticatedError, UnavailableError
from broadcaster.ports import (
    Accepted,
    Deferred,
    DeliveryKey,
    Envelope,
    Evidence,
    GatewaySettings,
    Medium,
    Message,
    Outcome,
    Rejected,
    Unknown,
)
from broadcaster.registry import Registry
from broadcaster.testing import PROMISES, MemoryInbox, MemoryJournal, Mood, NotPromised, Promise
from broadcaster.testing.callbacks import Doorstep
from channels.cloud.keys import key_of, shortened
from channels.voice.aliyun_vms import plugin
from tests.contract.cloud_peer import TOKEN
from tests.harness import aliyun_voice
from tests.harness.aliyun_cloud import KEY_ID, SECRET
from tests.harness.cloud import BAD_NUMBER, CloudProcess, running_cloud
from tests.harness.ports import free_port

TEXT = "您好，这里是某某县应急管理局，\n台风红色预警。\n11月27日21时发布。\n请立即到岗。收到请按1，需要支援请按9。"
NUMBERS = count(1)


def settings(port: int, **options: object) -> GatewaySettings:
    given: dict[str, object] = {
        "access_key_id": KEY_ID, "access_key_secret": SECRET, "endpoint": f"http://127.0.0.1:{port}",
        "templates": {aliyun_voice.TEMPLATE: aliyun_voice.CONTENT}, "callback_token": TOKEN,
        "connect_timeout": 2.0, "answer_timeout": 1.0, **options,
    }  # fmt: skip
    return GatewaySettings(f"vms-{next(NUMBERS)}", Medium.VOICE, "aliyun_vms", rate=100, options=given)


@pytest.fixture(scope="module")
def cloud() -> Iterator[CloudProcess]:
    with running_cloud("aliyun_vms") as running:
        yield running


class VmsPeer:
    """The provider; it has taken `before` calls for others."""

    def __init__(self, cloud: CloudProcess, before: int) -> None:
        self._cloud = cloud
        self._before = before
        self.gateway = settings(cloud.port)
        self.nowhere = settings(free_port())
        self.moods = frozenset(Mood)
        self.patience = 20.0
        self.message = Message(TEXT)
        self.bad_address = BAD_NUMBER

    def addresses(self, count: int) -> Sequence[str]:
        return [f"138{number:08d}" for number in range(1, count + 1)]

    async def play(self, mood: Mood) -> None:
        await self._cloud.play(mood.value)

    async def taken(self) -> Sequence[str]:
        keys = [key_of(one["key"]) for one in (await self._cloud.taken())[self._before :]]
        return [str(key) for key in keys if key is not None]

    async def unacknowledged(self) -> int:
        found: int = (await self._cloud.ask("look"))["unacknowledged"]
        return found

    async def say(self, address: str, text: str) -> str:
        raise NotPromised("nobody says anything but during a call")

    async def hang_up(self) -> None:
        await self._cloud.ask("hang up")

    async def call_back(self, address: str) -> None:
        await self._cloud.ask("call back", address=f"{address}?token={TOKEN}")


@pytest.mark.parametrize("promise", PROMISES, ids=str)
async def test_the_driver_keeps_its_promise(promise: Promise, cloud: CloudProcess) -> None:
    try:
        found = Registry.installed().plugin(Medium.VOICE, "aliyun_vms")
        await promise.check(found, VmsPeer(cloud, len(await cloud.taken())))
    except NotPromised as reason:
        pytest.skip(str(reason))
    finally:
        await cloud.ask("forget")


@asynccontextmanager
async def calling(
    cloud: CloudProcess, **options: object
) -> AsyncIterator[tuple[MemoryInbox, MemoryJournal, GatewaySettings]]:
    """The provider reports to an Inbox."""
    gateway, inbox, journal = settings(cloud.port, **options), MemoryInbox(), MemoryJournal()
    doorstep = Doorstep(plugin, gateway, inbox)
    await cloud.ask("call back", address=f"{await doorstep.open()}?token={TOKEN}")
    try:
        yield inbox, journal, gateway
    finally:
        await cloud.ask("forget")
        await cloud.play("willing")
        await doorstep.close()


async def call(gateway: GatewaySettings, journal: MemoryJournal, text: str = TEXT, answer: str = "") -> Outcome:
    driver = plugin.build(gateway, journal)
    await driver.open(MemoryInbox())
    try:
        expires = datetime.now(UTC) + timedelta(hours=1)
        envelope = Envelope(DeliveryKey(7, 123_456, 2), "13800000009", Message(text, answer=answer), 0, expires)
        (outcome,) = [one async for one in driver.send([envelope])]
        return outcome
    finally:
        await driver.close()


async def test_the_text_goes_out_by_its_template_and_comes_back_as_heard(cloud: CloudProcess) -> None:
    async with calling(cloud, caller=aliyun_voice.CALLER) as (inbox, journal, gateway):
        outcome = await call(gateway, journal)
        assert isinstance(outcome, Accepted)
        await inbox.until(lambda: bool(inbox.stored_receipts), 60)
        taken = (await cloud.taken())[-1]
    (receipt,) = inbox.stored_receipts
    assert (receipt.ref, receipt.key, receipt.evidence) == (outcome.ref, DeliveryKey(7, 123_456, 2), Evidence.DELIVERED)
    assert taken["text"] == TEXT.replace("\n", "") + "（2遍，按键 ）"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("200001", "未听完（听了 7 秒，200001）"),
        ("200002", "占线（200002）"),
        ("200003", "无人接听（200003）"),
        ("200010", "关机（200010）"),
        ("299999", "执行完成（299999）"),
    ],
)
async def test_what_came_of_a_call_is_told_with_the_reason(cloud: CloudProcess, code: str, reason: str) -> None:
    async with calling(cloud) as (inbox, journal, gateway):
        await cloud.play("willing", report=code, duration="7秒")
        await call(gateway, journal)
        await inbox.until(lambda: bool(inbox.stored_receipts), 60)
    (receipt,) = inbox.stored_receipts
    assert (receipt.evidence, receipt.reason) == (Evidence.FAILED, reason)


async def test_a_key_that_was_pressed_comes_back_as_a_reply_to_the_message(cloud: CloudProcess) -> None:
    async with calling(cloud, caller=aliyun_voice.CALLER, keys=aliyun_voice.AFTER_KEY) as (inbox, journal, gateway):
        await cloud.play("willing", report="200001", dtmf="11")
        assert isinstance(await call(gateway, journal, answer="收到"), Accepted)
        await inbox.until(lambda: bool(inbox.stored_receipts and inbox.stored_replies), 60)
        taken = (await cloud.taken())[-1]
    (receipt,) = inbox.stored_receipts
    assert receipt.evidence is Evidence.DELIVERED
    assert {(one.address, one.text, one.key) for one in inbox.stored_replies} == {
        ("13800000009", "1", DeliveryKey(7, 123_456, 2))
    }
    assert len(inbox.stored_replies) == 1, "told twice, it counts once"
    assert taken["text"].endswith("按键 19）")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("isv.MOBILE_NUMBER_ILLEGAL", Rejected),
        ("isv.COMPLAINT_REJECT", Rejected),
        ("isv.BUSINESS_LIMIT_CONTROL", Deferred),
        ("isv.OUT_OF_SERVICE", Deferred),
        ("isv.SOMETHING_NEW", Deferred),
        ("isp.SYSTEM_ERROR", Unknown),
    ],
)
async def test_a_refusal_means(cloud: CloudProcess, code: str, kind: type[Outcome]) -> None:
    async with calling(cloud) as (_, journal, gateway):
        await cloud.play("refusing", code=code)
        outcome = await call(gateway, journal)
    assert type(outcome) is kind


async def test_a_text_that_no_template_says_is_not_called_with(cloud: CloudProcess) -> None:
    async with calling(cloud) as (_, journal, gateway):
        outcome = await call(gateway, journal, "您好，这是别的话。")
    assert isinstance(outcome, Rejected)
    assert "语音文字与网关登记的模板都不相符" in outcome.reason


async def test_a_wrong_key_is_found_when_it_connects(cloud: CloudProcess) -> None:
    async with calling(cloud, access_key_secret="wrong") as (_, journal, gateway):
        with pytest.raises(UnavailableError, match="签名不符"):
            await call(gateway, journal)


def test_keys_cannot_be_collected_without_a_number_of_our_own() -> None:
    with pytest.raises(SettingsError, match="caller"):
        plugin.build(settings(1, keys="TTS_1"), MemoryJournal())


def test_a_callback_without_the_token_or_about_nothing_is_refused() -> None:
    gateway = settings(1)
    body = json.dumps([{"call_id": "1^2", "status_code": "200000", "end_time": "2026-11-27 21:00:00"}]).encode()
    assert plugin.parse(gateway, {}, {"token": TOKEN}, body).receipts[0].evidence is Evidence.DELIVERED
    with pytest.raises(UnauthenticatedError):
        plugin.parse(gateway, {}, {"token": "guess"}, body)
    for nonsense in (b"{", b"[]", b'[{"phone_number": "138"}]', b'[{"call_id": "1"}]'):
        with pytest.raises(InputError):
            plugin.parse(gateway, {}, {"token": TOKEN}, nonsense)


@pytest.mark.parametrize("key", [DeliveryKey(1, 1, 1), DeliveryKey(4321, 9_999_999, 35), DeliveryKey(0, 36, 36)])
def test_a_key_fits_into_fifteen_characters_and_comes_back(key: DeliveryKey) -> None:
    written = shortened(key, 15)
    assert 0 < len(written) <= 15
    assert key_of(written) == key
    assert key_of(str(key)) == key


def test_a_key_that_does_not_fit_is_left_out() -> None:
    assert shortened(DeliveryKey(2**31 - 1, 2**31 - 1, 2**15 - 1), 15) == ""
    assert key_of("a.b") is None
