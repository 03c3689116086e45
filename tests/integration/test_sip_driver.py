"""Calls over a trunk to the rehearsal's exchange, whose phones were written apart from the driver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from broadcaster.errors import UnavailableError
from broadcaster.ports import Accepted, Deferred, Evidence, Medium, Outcome, Rejected, Sent, Unknown
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Account, Behaviour, Delay, Duty, Faults, Fronts, Script, SipFront
from broadcaster.tasks import ended
from tests.harness.calls import NUMBER, Line, a_law, envelope, heard_sha256, line
from tests.harness.waiting import wait_until

QUICK = Behaviour(answer=Delay(), receipt=Delay(median=0.05), duty=Duty(silent=1))
PRESSING = Behaviour(answer=Delay(), receipt=Delay(median=0.05), duty=Duty(silent=0))


@asynccontextmanager
async def exchange(folder: Path, behaviour: Behaviour = QUICK, **front: object) -> AsyncIterator[RehearsalProcess]:
    accounts = {"county": Account(password="s3cret")}
    script = Script(voice=behaviour, accounts=accounts, fronts=Fronts(sip=SipFront(**front)))  # type: ignore[arg-type]
    async with RehearsalProcess(folder / "rehearsal", script) as rehearsal:
        yield rehearsal


@asynccontextmanager
async def calling(
    folder: Path, behaviour: Behaviour = QUICK, /, **options: object
) -> AsyncIterator[tuple[Line, RehearsalProcess]]:
    front = {key: options.pop(key) for key in list(options) if key in SipFront.__struct_fields__}
    async with exchange(folder, behaviour, **front) as rehearsal:
        async with line(rehearsal.fronts["sip"].port, **options) as made:
            yield made, rehearsal


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_who_hears_the_message_out_has_heard_every_octet_of_it(tmp_path: Path, transport: str) -> None:
    audio = a_law(tmp_path / "a.wav", 1.37)
    async with calling(tmp_path, transport=transport) as (made, rehearsal):
        (outcome,) = await made.call(envelope(1, audio))
        assert isinstance(outcome, Accepted)
        (receipt,) = await made.receipts()
        assert (receipt.key, receipt.ref, receipt.evidence) == (outcome.key, outcome.ref, Evidence.DELIVERED)
        (call,) = await wait_until(lambda: rehearsal.report().calls)
    assert (call.how, call.sha256, call.missing, call.ref) == ("听完", heard_sha256(audio), 0, outcome.ref)
    assert call.seconds == pytest.approx(1.38)


async def test_what_is_repeated_is_heard_as_often(tmp_path: Path) -> None:
    async with calling(tmp_path, repeats=3, pause=0.2) as (made, rehearsal):
        await made.call(envelope(1, a_law(tmp_path / "a.wav", 0.5)))
        await made.receipts()
        (call,) = await wait_until(lambda: rehearsal.report().calls)
    assert call.seconds == pytest.approx(3 * 0.5 + 2 * 0.2)


async def test_who_hangs_up_early_has_not_heard_it_and_the_seconds_are_told(tmp_path: Path) -> None:
    async with calling(tmp_path, hang_up=1.0, hang_up_after=Delay(median=0.8)) as (made, rehearsal):
        assert isinstance((await made.call(envelope(1, a_law(tmp_path / "a.wav", 8.0))))[0], Accepted)
        (receipt,) = await made.receipts()
        (call,) = await wait_until(lambda: rehearsal.report().calls)
    assert receipt.evidence is Evidence.FAILED
    told = float(receipt.reason.removeprefix("未听完（听了 ").partition(" 秒")[0])
    assert told == pytest.approx(call.seconds, abs=0.3)
    assert receipt.reason.endswith("共 8.0 秒）")


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ("占线", "占线（486）"),
        ("拒接", "拒接（603）"),
        ("关机", "暂时无法接通（480）"),
        ("600", "占线（600）"),
        ("499", "呼叫失败（499）"),
    ],
)
async def test_who_is_not_reached_is_told_with_the_reason(tmp_path: Path, failure: str, reason: str) -> None:
    behaviour = Behaviour(answer=Delay(), receipt=Delay(median=0.05), failures={failure: 1.0})
    async with calling(tmp_path, behaviour) as (made, _):
        assert isinstance((await made.call(envelope(1, a_law(tmp_path / "a.wav", 1.0))))[0], Accepted)
        (receipt,) = await made.receipts()
    assert (receipt.evidence, receipt.reason) == (Evidence.FAILED, reason)


async def test_nobody_answers_and_the_phone_stops_ringing(tmp_path: Path) -> None:
    async with calling(tmp_path, unanswered=1.0, ring_timeout=0.7) as (made, rehearsal):
        assert isinstance((await made.call(envelope(1, a_law(tmp_path / "a.wav", 1.0))))[0], Accepted)
        (receipt,) = await made.receipts()
        (call,) = await wait_until(lambda: rehearsal.report().calls)
    assert (receipt.evidence, receipt.reason, call.how) == (Evidence.FAILED, "无人接听", "无人接听")


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (Behaviour(answer=Delay(), busy=1.0), Deferred),
        (Behaviour(answer=Delay(), failures={"500": 1.0}), Deferred),
        (Behaviour(answer=Delay(), failures={"488": 1.0}), Deferred),
        (Behaviour(answer=Delay(), refuse={"空号": 1.0}), Rejected),
        (Behaviour(answer=Delay(), refuse={"302": 1.0}), Rejected),
        (Behaviour(answer=Delay(), failures={"空号": 1.0}), Rejected),
    ],
    ids=["no line", "no line, said after it was taken", "no sound in common", "no such number", "moved", "late word"],
)
async def test_what_was_never_rung_is_no_call(tmp_path: Path, behaviour: Behaviour, kind: type[Outcome]) -> None:
    async with calling(tmp_path, behaviour) as (made, _):
        (outcome,) = await made.call(envelope(1, a_law(tmp_path / "a.wav", 1.0)))
        assert type(outcome) is kind
        assert made.driver.free() == 10
        assert made.inbox.stored_receipts == []


@pytest.mark.parametrize("by_info", [False, True], ids=["in sound", "in signalling"])
@pytest.mark.parametrize("middle", [0.0, 1.0], ids=["at the end", "in the middle"])
async def test_a_key_that_is_pressed_is_a_reply_to_the_message_and_proves_it(
    tmp_path: Path, by_info: bool, middle: float
) -> None:
    seconds = 1.0 if middle == 0 else 8.0
    async with calling(tmp_path, PRESSING, by_info=by_info, middle=middle, key_wait=8.0) as (made, rehearsal):
        (outcome,) = await made.call(envelope(1, a_law(tmp_path / "a.wav", seconds), answer="收到"))
        (receipt,) = await made.receipts()
        (call,) = await wait_until(lambda: rehearsal.report().calls)
    (reply,) = made.inbox.stored_replies
    assert (reply.address, reply.text, reply.key) == (NUMBER, "1", outcome.key)
    assert receipt.evidence is Evidence.DELIVERED
    assert (call.key, call.how) == ("1", "听完")
    if middle:
        assert call.seconds < 7, "the key ended the call"


async def test_the_star_begins_the_message_anew_and_is_no_reply(tmp_path: Path) -> None:
    again = Behaviour(answer=Delay(), receipt=Delay(median=0.05), duty=Duty(silent=0, key="*"))
    async with calling(tmp_path, again, middle=1.0) as (made, rehearsal):
        await made.call(envelope(1, a_law(tmp_path / "a.wav", 2.0)))
        (receipt,) = await made.receipts()
        (call,) = await wait_until(lambda: rehearsal.report().calls)
    assert (receipt.evidence, made.inbox.stored_replies) == (Evidence.DELIVERED, [])
    assert 2.0 < call.seconds < 4.0, "what was heard before the star, and all of it"


async def test_a_trunk_that_asks_who_we_are_is_answered(tmp_path: Path) -> None:
    async with calling(tmp_path, challenge=True, user="county", password="s3cret", register=True) as (made, rehearsal):
        assert isinstance((await made.call(envelope(1, a_law(tmp_path / "a.wav", 0.5))))[0], Accepted)
        await made.receipts()
        assert "county" in await rehearsal.client.stats()


async def test_a_trunk_that_does_not_let_us_in_is_no_reason_to_give_anybody_up(tmp_path: Path) -> None:
    async with calling(tmp_path, challenge=True, user="county", password="wrong") as (made, rehearsal):
        (outcome,) = await made.call(envelope(1, a_law(tmp_path / "a.wav", 0.5)))
        assert isinstance(outcome, Deferred)
        assert "用户名或密码不对" in outcome.reason
        with pytest.raises(UnavailableError, match="注册被拒绝"):
            async with line(rehearsal.fronts["sip"].port, user="county", password="wrong", register=True):
                pass


async def test_what_rings_and_what_speaks_is_recalled(tmp_path: Path) -> None:
    lifts = Behaviour(answer=Delay(), receipt=Delay(median=4.0, spread=0.0), duty=Duty(silent=1))
    audio = a_law(tmp_path / "a.wav", 20.0)
    async with calling(tmp_path, lifts) as (made, rehearsal):
        (speaking,) = await made.call(envelope(1, audio))
        await wait_until(lambda: "← 7-1-1 已接听" in made.journal.lines)
        (ringing,) = await made.call(envelope(2, audio, to="13900000002"))
        assert isinstance(speaking, Accepted)
        assert isinstance(ringing, Accepted)
        sent = [Sent(speaking.key, speaking.ref, NUMBER), Sent(ringing.key, "", "13900000002")]
        await made.driver.recall(sent)
        await made.driver.recall(sent)
        receipts = {one.key: one.reason for one in await made.receipts(2)}
        calls = await wait_until(lambda: len(found := rehearsal.report().calls) == 2 and found)
        await wait_until(lambda: made.driver.free() == 10)
    assert receipts[ringing.key] == "已撤回"
    assert receipts[speaking.key].startswith("未听完")
    assert receipts[speaking.key].endswith("已撤回")
    assert {one.how for one in calls} == {"主叫放弃", "听完"}


async def test_closing_ends_what_still_speaks_within_its_bound(tmp_path: Path) -> None:
    async with calling(tmp_path, farewell=0.5) as (made, rehearsal):
        await made.call(envelope(1, a_law(tmp_path / "a.wav", 30.0)))
        async with asyncio.timeout(60):
            await made.driver.close()
        (receipt,) = made.inbox.stored_receipts
        assert await wait_until(lambda: rehearsal.report().calls)
    assert receipt.reason.endswith("外呼系统停止")


async def test_closing_that_is_hurried_ends_what_speaks_and_stores_what_came_of_it(tmp_path: Path) -> None:
    async with calling(tmp_path, farewell=60) as (made, rehearsal):
        await made.call(envelope(1, a_law(tmp_path / "a.wav", 30.0)))
        await wait_until(lambda: "← 7-1-1 已接听" in made.journal.lines)
        closing = asyncio.create_task(made.driver.close())
        await asyncio.sleep(0)
        async with asyncio.timeout(60):
            await ended(closing, patience=15)
        (receipt,) = made.inbox.stored_receipts
        (call,) = await wait_until(lambda: rehearsal.report().calls)
    assert receipt.reason.endswith("外呼系统停止")
    assert call.seconds < 28


async def test_a_silent_trunk_leaves_the_call_in_doubt_and_is_lost(tmp_path: Path) -> None:
    silent = Behaviour(faults=Faults(half_open=1))
    async with calling(tmp_path, silent, answer_timeout=0.8) as (made, _):
        (outcome,) = await made.call(envelope(1, a_law(tmp_path / "a.wav", 1.0)))
        assert isinstance(outcome, Unknown)
        async with asyncio.timeout(60):
            assert await made.driver.lost() == "中继没有应答"


async def test_there_are_no_more_calls_than_lines_and_room_is_told(tmp_path: Path) -> None:
    freed: list[int] = []
    async with calling(tmp_path, lines=2) as (made, rehearsal):
        made.driver.when_freed(lambda: freed.append(made.driver.free()))
        sending = made.driver.send([envelope(n, a_law(tmp_path / "a.wav", 0.6)) for n in range(5)])
        await anext(sending)
        assert made.driver.free() < 0
        assert len([one async for one in sending]) == 4
        await made.receipts(5)
        await wait_until(lambda: made.driver.free() == 2)
        assert freed
        assert freed[-1] == 2
        calls = await wait_until(lambda: len(found := rehearsal.report().calls) == 5 and found)
    begins_and_ends = sorted([(one.at - one.seconds, 1) for one in calls] + [(one.at - 0.05, -1) for one in calls])
    most = now = 0
    for _, step in begins_and_ends:
        now += step
        most = max(most, now)
    assert most <= 2


async def test_whatever_is_stored_late_is_stored_once(tmp_path: Path) -> None:
    async with calling(tmp_path) as (made, _):
        made.inbox.refuse(True)
        await made.call(envelope(1, a_law(tmp_path / "a.wav", 0.4)))
        await made.inbox.until(lambda: made.inbox.attempts > 1)
        made.inbox.refuse(False)
        await made.receipts()
    assert len(made.inbox.stored_receipts) == 1
    assert not any(NUMBER in one for one in made.journal.lines)


async def test_a_trunk_that_refuses_every_call_is_put_off_for_another_gateway_to_call(tmp_path: Path) -> None:
    behaviour = Behaviour(answer=Delay(), receipt=Delay(median=0.05), refuse={"403": 1.0})
    audio = a_law(tmp_path / "a.wav", 0.5)
    async with calling(tmp_path, behaviour) as (made, _):
        for attempt in range(2):
            outcomes = await made.call(*(envelope(n, audio, to=f"1390000000{n}") for n in range(3)))
            assert [type(one) for one in outcomes] == [Deferred] * 3, attempt
    assert isinstance(outcomes[0], Deferred)
    assert outcomes[0].reason == "中继不准呼叫（403）"


async def test_a_number_that_is_refused_again_while_others_get_through_is_refused_for_good(tmp_path: Path) -> None:
    behaviour = Behaviour(answer=Delay(), receipt=Delay(median=0.05), refuse={"403": 1.0})
    audio = a_law(tmp_path / "a.wav", 0.5)
    async with calling(tmp_path, behaviour) as (made, rehearsal):
        (first,) = await made.call(envelope(1, audio))
        await rehearsal.client.behave(Medium.VOICE, refuse={})
        (other,) = await made.call(envelope(2, audio, to="13900000002"))
        await rehearsal.client.behave(Medium.VOICE, refuse={"403": 1.0})
        (again,) = await made.call(envelope(1, audio))
        (another,) = await made.call(envelope(3, audio, to="13900000003"))
    assert [type(one) for one in (first, other, again, another)] == [Deferred, Accepted, Rejected, Deferred]
    assert isinstance(again, Rejected)
    assert again.reason == "运营商不准呼叫该号码"
