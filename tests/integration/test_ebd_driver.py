"""The driver of emergency broadcast platforms, before platforms that agree, refuse, forge, babble or keep silent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from aiohttp import web

from broadcaster.errors import UnavailableError
from broadcaster.ports import (
    Accepted,
    Audio,
    Deferred,
    DeliveryKey,
    Driver,
    Envelope,
    Evidence,
    Message,
    Notice,
    Outcome,
    Recalls,
    Rejected,
    Sent,
    Streams,
    Unknown,
)
from broadcaster.testing.memory import MemoryInbox, MemoryJournal
from channels.loudspeaker.ebd import package
from channels.loudspeaker.ebd.documents import EBM, ConnectionCheck, EBDResponse
from channels.loudspeaker.ebd.ebd import EBD
from channels.loudspeaker.ebd.plugin import EbdPlugin
from channels.loudspeaker.ebd.trust import Trust
from channels.loudspeaker.signing.policy import Policy
from channels.loudspeaker.signing.sm2 import PublicKey
from tests.harness.cipher_device import cipher_device
from tests.harness.ebd_keys import OURS, OURS_SERIAL, public
from tests.harness.ebd_platform import (
    PROFILE,
    SOURCE,
    TERMINALS,
    Answers,
    Platform,
    agreeing,
    but,
    gateway,
    platform,
    report,
    result,
    said,
)

WITHIN = 60.0
"""Seconds for whatever happens soon: a machine may be busy."""

NOW = datetime.now(UTC).replace(microsecond=0)
NOTICE = Notice(
    identifier="daohu-1",
    kind="warning",
    status="Actual",
    msg_type="Alert",
    event="11B03",
    colour="orange",
    title="暴雨橙色预警",
    sender="鄞州区应急管理局",
    regions=("330212001",),
    sent=NOW,
    starts=NOW,
    ends=NOW + timedelta(hours=6),
)


@pytest.fixture
async def peer() -> AsyncIterator[Platform]:
    async with platform() as found:
        yield found


@pytest.fixture
def sound(tmp_path: Path) -> Audio:
    content = b"\xff\xfb\x90\x00" * 500
    path = tmp_path / "sound.mp3"
    path.write_bytes(content)
    return Audio(path, "audio/mpeg", 3.0, sha256(content).hexdigest())


@pytest.fixture
def message(sound: Audio) -> Message:
    return Message("暴雨橙色预警。请立即转移到村文化礼堂。", audio=sound, notice=NOTICE)


def envelopes(
    message: Message, terminals: Sequence[str] = TERMINALS[:3], alert: int = 7, first: int = 1
) -> list[Envelope]:
    expires = datetime.now(UTC) + timedelta(hours=1)
    return [
        Envelope(DeliveryKey(alert, ordinal, 1), terminal, message, 1, expires)
        for ordinal, terminal in enumerate(terminals, first)
    ]


class Bench:
    """A driver that is open, its Inbox, its journal."""

    def __init__(self, driver: Driver, inbox: MemoryInbox, journal: MemoryJournal) -> None:
        self.driver = driver
        self.inbox = inbox
        self.journal = journal

    async def send(self, batch: Sequence[Envelope]) -> list[Outcome]:
        async with asyncio.timeout(WITHIN):
            found = {one.key: one async for one in self.driver.send(batch)}
        return [found[envelope.key] for envelope in batch]

    async def recall(self, outcomes: Sequence[Outcome], batch: Sequence[Envelope]) -> None:
        assert isinstance(self.driver, Recalls)
        refs = [one.ref if isinstance(one, Accepted) else "" for one in outcomes]
        await self.driver.recall([Sent(one.key, ref, one.address) for one, ref in zip(batch, refs, strict=True)])


@contextlib.asynccontextmanager
async def opened(port: int, **options: object) -> AsyncIterator[Bench]:
    plugin, inbox, journal = EbdPlugin(alone=timedelta(hours=1)), MemoryInbox(), MemoryJournal()
    driver = plugin.build(gateway(port, **options), journal)
    await driver.open(inbox)
    try:
        yield Bench(driver, inbox, journal)
    finally:
        await driver.close()


def ebm(document: EBD) -> EBM:
    assert isinstance(document.body, EBM)
    return document.body


async def test_a_batch_of_one_alert_is_one_broadcast_for_all_its_terminals(peer: Platform, message: Message) -> None:
    async with opened(peer.port) as bench:
        outcomes = await bench.send(envelopes(message, TERMINALS))
    (document,), accepted = peer.of("EBM"), [one for one in outcomes if isinstance(one, Accepted)]
    body = ebm(document)
    assert [one.ref for one in accepted] == [f"{body.ebmid}/{terminal}" for terminal in TERMINALS]
    assert [one.ebrbs.brd_sys_info for one in body.dispatch if one.ebrbs is not None] == TERMINALS
    assert {one.ebrbs.brd_sys_type for one in body.dispatch if one.ebrbs is not None} == {"0314"}
    assert body.content is not None
    assert body.content.area_code == "330212001000"
    (auxiliary,), files = body.content.auxiliary, peer.packages[-1].files
    assert (auxiliary.auxiliary_type, auxiliary.auxiliary_desc) == ("2", files[0].name)
    assert (files[0].sha256, str(files[0].size)) == (message.audio.sha256 if message.audio else "", auxiliary.size)


async def test_a_long_recording_goes_out_whole(peer: Platform, message: Message, tmp_path: Path) -> None:
    content = bytes(range(256)) * 20_000
    path = tmp_path / "long.mp3"
    path.write_bytes(content)
    long = Audio(path, "audio/mpeg", 600.0, sha256(content).hexdigest())
    async with opened(peer.port) as bench:
        await bench.send(envelopes(Message("长", audio=long, notice=NOTICE)))
    assert peer.packages[-1].files[0].sha256 == long.sha256


async def test_sends_that_come_close_together_are_one_broadcast_too(peer: Platform, message: Message) -> None:
    async with opened(peer.port, gather=1.0) as bench:
        parts = [envelopes(message, TERMINALS[at : at + 5], first=at + 1) for at in range(0, 20, 5)]
        await asyncio.gather(*(bench.send(part) for part in parts))
    assert [len(ebm(one).dispatch) for one in peer.of("EBM")] == [20]


async def test_what_is_said_differently_or_too_much_at_once_is_several(peer: Platform, message: Message) -> None:
    other = Message("另一种语言", audio=message.audio, notice=NOTICE)
    async with opened(peer.port, terminals_max=4) as bench:
        batch = [*envelopes(message, TERMINALS[:6]), *envelopes(other, TERMINALS[6:9], first=20)]
        outcomes = await bench.send(batch)
    assert all(isinstance(one, Accepted) for one in outcomes)
    assert sorted(len(ebm(one).dispatch) for one in peer.of("EBM")) == [2, 3, 4]
    assert len({ebm(one).ebmid for one in peer.of("EBM")}) == 3


async def test_a_broadcast_says_what_the_alert_says_and_nothing_of_a_household(
    peer: Platform, message: Message
) -> None:
    async with opened(peer.port) as bench:
        await bench.send(envelopes(message))
    body = ebm(peer.of("EBM")[0])
    basic = body.basic
    assert (basic.msg_type, basic.event_type, basic.severity) == ("1", "11B03", "2")
    assert (basic.sender_name, basic.sender_code) == ("鄞州区应急管理局", SOURCE)
    assert basic.end_time <= NOW + timedelta(hours=2)
    assert body.content is not None
    assert (body.content.msg_title, body.content.msg_desc) == ("暴雨橙色预警", message.text)
    assert (body.content.language_code, body.ebmid[:23]) == ("zho", SOURCE)


@pytest.mark.parametrize(
    ("drill", "kind", "severity"),
    [("severity", "1", "15"), ("simulated", "3", "2"), ("actual", "4", "2"), ("title", "1", "2")],
)
async def test_a_drill_is_told_from_the_real_thing_as_the_peer_wants_it(
    peer: Platform, message: Message, drill: str, kind: str, severity: str
) -> None:
    exercise = Notice(**{**{name: getattr(NOTICE, name) for name in NOTICE.__struct_fields__}, "status": "Exercise"})
    drilled = Message(message.text, audio=message.audio, notice=exercise)
    async with opened(peer.port, drill=drill) as bench:
        await bench.send(envelopes(drilled))
    body = ebm(peer.of("EBM")[0])
    assert (body.basic.msg_type, body.basic.severity) == (kind, severity)
    assert body.content is not None
    assert body.content.msg_title.startswith("【演练】")


async def test_a_trial_of_the_gateway_is_no_alarm(peer: Platform, sound: Audio) -> None:
    async with opened(peer.port, event="11Z99") as bench:
        (outcome,) = await bench.send(envelopes(Message("测试", audio=sound), TERMINALS[:1]))
    assert isinstance(outcome, Accepted)
    assert (ebm(peer.of("EBM")[0]).basic.severity, ebm(peer.of("EBM")[0]).basic.event_type) == ("15", "11Z99")


async def test_everything_that_goes_out_is_signed_with_our_certificate(peer: Platform, message: Message) -> None:
    async with opened(peer.port) as bench:
        await bench.send(envelopes(message))
    trust = Trust({OURS_SERIAL: PublicKey.read(public(OURS))}, PROFILE)
    assert len(peer.packages) == 2
    for opened_package in peer.packages:
        trust.check(opened_package, Policy.REQUIRE)


async def test_ids_are_all_different_and_have_their_lengths(peer: Platform, message: Message) -> None:
    async with opened(peer.port) as bench:
        for number in range(5):
            await bench.send(envelopes(message, first=10 * number + 1))
    ids = [one.id for one in peer.of("EBM")]
    assert len(set(ids)) == 5
    assert {(len(one), one[:2]) for one in ids} == {(41, "10")}
    assert {one.id for one in peer.of("ConnectionCheck")} == {f"01{SOURCE}{'0' * 16}"}


@pytest.mark.parametrize(
    ("answers", "kind", "word"),
    [
        (result("0"), Accepted, ""),
        (result("1"), Accepted, ""),
        (result("2", "EBM 无法解析"), Rejected, "解析失败（EBM 无法解析）"),
        (result("3", "缺少 13800000001"), Rejected, "内容缺失（缺少 ***）"),
        (result("4"), Deferred, "证书"),
        (result("5", "忙"), Deferred, "其他错误（忙）"),
        (result("77"), Unknown, "ResultCode"),
        (lambda *_: web.Response(status=429, headers={"Retry-After": "9"}), Deferred, "429"),
        (lambda *_: web.Response(status=404), Deferred, "404"),
        (lambda *_: web.Response(status=502), Unknown, "502"),
        (lambda *_: web.Response(text="<html>登录</html>"), Unknown, "EBD"),
        (lambda *_: b"", Unknown, "EBD"),
        (lambda one, _: agreeing(one, _)[:700], Unknown, "不完整"),
        (lambda one, _: said(EBDResponse(result_code="1"), related=one.id, secret=OURS), Unknown, "签名不对"),
        (lambda one, _: said(EBDResponse(result_code="1"), related="1" * 41), Unknown, "另一份"),
        (lambda one, _: said(EBDResponse(result_code="1"), source="43302120000000103010299"), Unknown, "别的平台"),
        (lambda one, _: said(ConnectionCheck(), related=one.id), Unknown, "ConnectionCheck"),
        (lambda *_: package.pack("1" * 41, b"<!DOCTYPE EBD [<!ENTITY a 'b'>]><EBD>&a;</EBD>"), Unknown, "DTD"),
    ],
)
async def test_every_answer_has_its_meaning(
    peer: Platform, message: Message, answers: Answers, kind: type[Outcome], word: str
) -> None:
    peer.answers = but("EBM", answers)
    async with opened(peer.port) as bench:
        outcomes = await bench.send(envelopes(message))
    for outcome in outcomes:
        assert isinstance(outcome, kind), outcome
        if not isinstance(outcome, Accepted):
            assert word in outcome.reason
        if isinstance(outcome, Deferred):
            assert outcome.after > 0
    assert not any(terminal in line for line in bench.journal.lines for terminal in TERMINALS)


async def test_an_answer_that_does_not_end_is_given_up(peer: Platform, message: Message) -> None:
    peer.answers = but("EBM", lambda *_: web.Response(body=b"x" * (9 * 1024 * 1024)))
    async with opened(peer.port) as bench:
        assert all(isinstance(one, Unknown) for one in await bench.send(envelopes(message)))


async def test_a_silent_platform_is_given_up_and_what_it_may_play_is_unknown(peer: Platform, message: Message) -> None:
    peer.answers = but("EBM", lambda *_: None)
    async with opened(peer.port, answer_timeout=0.5, connect_timeout=0.5) as bench:
        assert all(isinstance(one, Unknown) for one in await bench.send(envelopes(message)))


async def test_an_unsigned_answer_counts_unless_it_is_asked_for(peer: Platform, message: Message) -> None:
    peer.answers = but("EBM", lambda one, _: said(EBDResponse(result_code="1"), related=one.id, secret=None))
    for policy, kind in (("prefer", Accepted), ("require", Unknown), ("ignore", Accepted)):
        async with opened(peer.port, verify_answers=policy) as bench:
            assert all(isinstance(one, kind) for one in await bench.send(envelopes(message)))


async def test_what_cannot_be_played_is_rejected_alone(peer: Platform, message: Message, tmp_path: Path) -> None:
    wav = Audio(tmp_path / "x.wav", "audio/wav", 1.0, "0" * 64)
    gone = Audio(tmp_path / "gone.mp3", "audio/mpeg", 1.0, "1" * 64)
    batch = [
        *envelopes(message),
        *envelopes(message, ["the-one-by-the-pond", "010333021200000001"], first=10),
        *envelopes(Message("无声", notice=NOTICE), TERMINALS[4:5], first=20),
        *envelopes(Message("波形", audio=wav, notice=NOTICE), TERMINALS[5:6], first=30),
        *envelopes(Message("丢失", audio=gone, notice=NOTICE), TERMINALS[6:7], first=40),
    ]
    async with opened(peer.port) as bench:
        outcomes = await bench.send(batch)
    assert [type(one).__name__ for one in outcomes] == ["Accepted"] * 3 + ["Rejected"] * 5
    assert len(peer.of("EBM")) == 1


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        (result("4"), "签名失败"),
        (result("5"), "其他错误"),
        (lambda *_: web.Response(status=404), "404"),
        (lambda *_: web.Response(text="hello"), "EBD"),
        (lambda one, _: said(EBDResponse(result_code="1"), source="43302120000000103010299"), "别的平台"),
    ],
)
async def test_a_platform_that_does_not_consent_is_unavailable(peer: Platform, answers: Answers, word: str) -> None:
    peer.answers = but("ConnectionCheck", answers)
    with pytest.raises(UnavailableError, match=word) as refused:
        async with opened(peer.port):
            pass
    assert refused.value.remedy


async def test_a_platform_that_falls_silent_is_lost(peer: Platform) -> None:
    async with opened(peer.port, heartbeat=0.1, missed=2, connect_timeout=30.0) as bench:
        assert isinstance(bench.driver, Streams)
        lost = asyncio.create_task(bench.driver.lost())
        await peer.until("ConnectionCheck", 4)
        assert not lost.done(), "it is answered"
        peer.answers = lambda *_: web.Response(status=500)
        async with asyncio.timeout(WITHIN):
            assert "2 次心跳" in await lost


async def test_a_recall_cancels_each_broadcast_at_its_terminals_once(peer: Platform, message: Message) -> None:
    async with opened(peer.port) as bench:
        first, second = envelopes(message), envelopes(message, TERMINALS[5:7], first=10)
        outcomes = [*await bench.send(first), *await bench.send(second)]
        played = [ebm(one).ebmid for one in peer.of("EBM")]
        await bench.recall(outcomes, [*first, *second])
        await bench.recall(outcomes, [*first, *second])
    cancelled = [ebm(one) for one in peer.of("EBM")[2:]]
    assert [one.basic.msg_type for one in cancelled] == ["2", "2"]
    assert [one.related.ebmid for one in cancelled if one.related is not None] == played
    assert [len(one.dispatch) for one in cancelled] == [3, 2]
    assert not {one.ebmid for one in cancelled} & set(played)


async def test_a_recall_by_another_process_knows_the_broadcast_from_its_ref(peer: Platform, message: Message) -> None:
    async with opened(peer.port) as bench:
        batch = envelopes(message)
        outcomes = await bench.send(batch)
    async with opened(peer.port, cancel="same") as other:
        await other.recall(outcomes, batch)
    played, cancelled = (ebm(one) for one in peer.of("EBM"))
    assert (cancelled.ebmid, cancelled.basic.msg_type) == (played.ebmid, "2")


async def test_what_may_have_been_played_is_recalled_too(peer: Platform, message: Message) -> None:
    peer.answers = but("EBM", lambda *_: b"")
    async with opened(peer.port) as bench:
        batch = envelopes(message)
        outcomes = await bench.send(batch)
        assert all(isinstance(one, Unknown) for one in outcomes)
        peer.answers = agreeing
        await bench.recall(outcomes, batch)
    played, cancelled = (ebm(one) for one in peer.of("EBM"))
    assert cancelled.related is not None
    assert cancelled.related.ebmid == played.ebmid


async def test_a_recall_that_is_refused_or_not_answered_is_made_again(peer: Platform, message: Message) -> None:
    async with opened(peer.port) as bench:
        batch = envelopes(message)
        outcomes = await bench.send(batch)
        for answers in (result("5"), lambda *_: web.Response(status=500)):
            peer.answers = answers
            with pytest.raises(UnavailableError):
                await bench.recall(outcomes, batch)
        peer.answers = agreeing
        await bench.recall(outcomes, batch)
    assert [ebm(one).basic.msg_type for one in peer.of("EBM")] == ["1", "2", "2", "2"]
    closed = bench
    with pytest.raises(UnavailableError):
        await closed.recall(outcomes, batch)


async def test_a_platform_that_knows_nothing_of_a_broadcast_is_not_told_for_ever(
    peer: Platform, message: Message
) -> None:
    async with opened(peer.port) as bench:
        batch = envelopes(message)
        outcomes = await bench.send(batch)
        peer.answers = result("5", "查找不到该EBMID")
        for _ in range(2):
            with pytest.raises(UnavailableError, match="查找不到"):
                await bench.recall(outcomes, batch)
        for _ in range(2):
            await bench.recall(outcomes, batch)
    assert len(peer.of("EBM")) == 4


async def test_a_platform_that_cannot_call_us_is_asked(peer: Platform, message: Message) -> None:
    states = iter(["2", "3"])

    def state(one: EBD, _: package.Package) -> bytes:
        ends = {TERMINALS[0]: "3", TERMINALS[1]: "4"}
        body = report(ends, state=next(states, "3"), ebmid=ebm(peer.of("EBM")[0]).ebmid, rate="1.0", why="功放故障")
        return said(body, related=one.id)

    peer.answers = but("EBMStateRequest", state)
    async with opened(peer.port, poll=0.1) as bench:
        outcomes = await bench.send(envelopes(message))
        await bench.inbox.until(lambda: len(bench.inbox.refs()) == 3, WITHIN)
    found = {one.ref: one.evidence for one in bench.inbox.stored_receipts}
    refs = [one.ref for one in outcomes if isinstance(one, Accepted)]
    assert [found[ref] for ref in refs] == [Evidence.DELIVERED, Evidence.FAILED, Evidence.DELIVERED]
    assert len(peer.of("EBMStateRequest")) == 2, "what is known is not asked again"


async def test_what_was_played_is_asked_for_on_the_next_connection_too(peer: Platform, message: Message) -> None:
    def state(one: EBD, _: package.Package) -> bytes:
        ends = dict.fromkeys(TERMINALS[:3], "3")
        return said(report(ends, ebmid=ebm(peer.of("EBM")[0]).ebmid), related=one.id)

    async with opened(peer.port, poll=0.05, answer_timeout=30.0) as bench:
        peer.answers = but("EBMStateRequest", lambda *_: None)
        await bench.send(envelopes(message))
        await peer.until("EBMStateRequest", 1)
        peer.answers = but("EBMStateRequest", state)
        await bench.driver.open(bench.inbox)
        await bench.inbox.until(lambda: len(bench.inbox.refs()) == 3, WITHIN)


async def test_without_complete_coverage_the_whole_proves_nothing_for_who_is_not_named(
    peer: Platform, message: Message
) -> None:
    def state(one: EBD, _: package.Package) -> bytes:
        ebmid = ebm(peer.of("EBM")[0]).ebmid
        return said(report({TERMINALS[0]: "3"}, ebmid=ebmid, rate="0.98"), related=one.id)

    peer.answers = but("EBMStateRequest", state)
    async with opened(peer.port, poll=0.05) as bench:
        await bench.send(envelopes(message))
        await peer.until("EBMStateRequest", 3)
    assert {one.ref.rpartition("/")[2] for one in bench.inbox.stored_receipts} == {TERMINALS[0]}


async def test_what_was_not_stored_is_asked_for_again(peer: Platform, message: Message) -> None:
    def state(one: EBD, _: package.Package) -> bytes:
        ends = dict.fromkeys(TERMINALS[:3], "3")
        return said(report(ends, ebmid=ebm(peer.of("EBM")[0]).ebmid), related=one.id)

    peer.answers = but("EBMStateRequest", state)
    async with opened(peer.port, poll=0.05) as bench:
        bench.inbox.refuse(True)
        await bench.send(envelopes(message))
        await bench.inbox.until(lambda: bench.inbox.attempts > 0, WITHIN)
        bench.inbox.refuse(False)
        await bench.inbox.until(lambda: len(bench.inbox.refs()) == 3, WITHIN)


async def test_a_cipher_device_signs_for_us(peer: Platform, message: Message) -> None:
    async with cipher_device() as cipher:
        async with opened(peer.port, key=None, device=cipher.url) as bench:
            assert all(isinstance(one, Accepted) for one in await bench.send(envelopes(message)))
    trust = Trust({OURS_SERIAL: PublicKey.read(public(OURS))}, PROFILE)
    for opened_package in peer.packages:
        trust.check(opened_package, Policy.REQUIRE)


@pytest.mark.parametrize(
    "answer", [web.Response(status=500), web.Response(text="no"), web.json_response({"signature": "AAAA"})]
)
async def test_nothing_goes_out_unsigned_when_the_device_fails(answer: web.Response, peer: Platform) -> None:
    async with cipher_device(answer) as cipher:
        with pytest.raises(UnavailableError, match="密码机"):
            async with opened(peer.port, key=None, device=cipher.url):
                pass
    assert not peer.heard


async def test_a_process_that_has_just_begun_waits_for_its_number_or_says_how_long(
    peer: Platform, message: Message
) -> None:
    clock = datetime(2026, 11, 27, 19, 0, 0, 1000, tzinfo=UTC)
    plugin, inbox = EbdPlugin(lambda: clock), MemoryInbox()
    driver = plugin.build(replace(gateway(peer.port)), MemoryJournal())
    await driver.open(inbox)
    outcomes = [one async for one in driver.send(envelopes(message))]
    assert all(isinstance(one, Deferred) and 0 < one.after <= 8.65 for one in outcomes)
    await driver.close()
    assert not peer.of("EBM")
