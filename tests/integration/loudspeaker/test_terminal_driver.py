"""Terminals that dial in: orders, results, what makes way for what, and whoever else comes to the port."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from pathlib import Path

import aiohttp
import pytest

from broadcaster.errors import SettingsError, UnavailableError
from broadcaster.house import open_house
from broadcaster.ports import (
    Accepted,
    Audio,
    Deferred,
    DeliveryKey,
    Envelope,
    Evidence,
    GatewaySettings,
    Medium,
    Message,
    Notice,
    Outcome,
    Receipt,
    Rejected,
    Sent,
    Unknown,
)
from broadcaster.registry import GROUP, Registry
from broadcaster.rehearsal.fronts import terminal_frames as frames
from broadcaster.settings import load_settings
from broadcaster.testing import MemoryInbox, MemoryJournal
from channels.loudspeaker.terminal_tcp import plugin
from channels.loudspeaker.terminal_tcp.driver import TerminalDriver, TerminalPlugin
from tests.contract.rehearsal_peer import audio_port, mp3, terminal_codes
from tests.harness.ebd_keys import OURS, OURS_SERIAL, THEIRS, THEIRS_SERIAL, public
from tests.harness.ports import free_port
from tests.harness.terminal import PLATFORM, Terminal
from tests.harness.waiting import wait_until

CODES = terminal_codes(3)
FIRST = CODES[0]
RED, YELLOW = 0, 2
SIGNS = {
    "signature": "required", "key": OURS, "cert_sn": OURS_SERIAL, "terminal_keys": {THEIRS_SERIAL: public(THEIRS)},
}  # fmt: skip


class Platform:
    """A driver that listens."""

    def __init__(self, driver: TerminalDriver, port: int, audio: Audio) -> None:
        self.driver = driver
        self.port = port
        self.audio = audio
        self.inbox = MemoryInbox()
        self.journal = MemoryJournal()

    def envelope(
        self, alert: int, *, urgency: int = RED, code: str = FIRST, attempt: int = 1, seconds: float = 60.0,
        replaces: tuple[str, ...] = (),
    ) -> Envelope:  # fmt: skip
        sent = datetime(2026, 11, 27, tzinfo=UTC)
        colour = ("red", "orange", "yellow", "blue")[urgency]
        notice = Notice(
            identifier=str(alert), kind="warning", status="Actual", msg_type="Alert", colour=colour, title="t",
            references=replaces, sender="s", sent=sent, starts=sent, ends=sent,
        )  # fmt: skip
        audio = Audio(self.audio.path, self.audio.media_type, seconds, self.audio.sha256)
        message = Message("台风红色预警", audio=audio, notice=notice)
        expires = datetime.now(UTC) + timedelta(hours=1)
        return Envelope(DeliveryKey(alert, 1, attempt), code, message, urgency, expires)

    async def send(self, *envelopes: Envelope) -> list[Outcome]:
        return [outcome async for outcome in self.driver.send(envelopes)]

    async def begin(self, alert: int, *, urgency: int = RED, code: str = FIRST) -> Accepted:
        """Have something played that is accepted."""
        (outcome,) = await self.send(self.envelope(alert, urgency=urgency, code=code))
        assert isinstance(outcome, Accepted), outcome
        return outcome

    async def receipt(self, number: int = 0) -> Receipt:
        await self.inbox.until(lambda: len(self.inbox.stored_receipts) > number)
        return self.inbox.stored_receipts[number]

    def noted(self, words: str) -> bool:
        return any(words in line for line in self.journal.lines)


def settings(port: int, **options: object) -> GatewaySettings:
    given = {
        "platform": PLATFORM, "listen": f"127.0.0.1:{port}", **audio_port(), "reconnect": 0, "heartbeat": 30,
        "answer_timeout": 20, **options,
    }  # fmt: skip
    return GatewaySettings("terminals", Medium.LOUDSPEAKER, "terminal_tcp", rate=1000, options=given)


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Audio:
    return mp3(tmp_path_factory.mktemp("sound"), 2.0)


@asynccontextmanager
async def platform(audio: Audio, **options: object) -> AsyncIterator[Platform]:
    port = free_port()
    journal = MemoryJournal()
    driver = plugin.build(settings(port, **options), journal)
    assert isinstance(driver, TerminalDriver)
    made = Platform(driver, port, audio)
    made.journal = journal
    await driver.open(made.inbox)
    try:
        yield made
    finally:
        made.inbox.refuse(False)
        await driver.close()


def message(alert: int) -> str:
    """The id that an alert has on the air."""
    return f"{PLATFORM}20261127{alert:04d}"


async def test_a_terminal_is_told_where_to_fetch_the_very_sound(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        await made.begin(7)
        (order,) = await terminal.ordered()
        assert order.message == message(7)
        assert order.ends - order.begins == 60 + 10
        async with aiohttp.ClientSession() as session, session.get(order.url) as answer:
            content = await answer.read()
        assert hashlib.sha256(content).hexdigest() == audio.sha256
        assert len(content) == audio.path.stat().st_size


async def test_a_sounds_address_cannot_be_guessed(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        await made.begin(7)
        base, _, name = (await terminal.ordered())[0].url.rpartition("/")
        assert len(name) > 20
        async with aiohttp.ClientSession() as session:
            for other in (audio.sha256, audio.path.name, "", "../" + name[:-1], name.upper()):
                async with session.get(f"{base}/{other}") as answer:
                    assert answer.status == 404
            async with session.get(f"{base}/{name}", headers={"Range": "bytes=10-19"}) as answer:
                assert (answer.status, await answer.read()) == (206, audio.path.read_bytes()[10:20])
            async with session.get(f"{base}/{name}", headers={"Range": "bytes=99999999-"}) as answer:
                assert answer.status == 416
            async with session.head(f"{base}/{name}") as answer:
                assert int(answer.headers["Content-Length"]) == audio.path.stat().st_size


async def test_played_is_delivered_and_names_delivery_and_terminal(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        outcome = await made.begin(7)
        session = terminal.played(message(7))
        receipt = await made.receipt()
        assert (receipt.evidence, receipt.key, receipt.ref) == (Evidence.DELIVERED, outcome.key, outcome.ref)
        await terminal.acknowledged(session)


async def test_a_result_is_acknowledged_when_it_is_stored_and_not_before(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        await made.begin(7)
        made.inbox.hold()
        session = terminal.played(message(7))
        await wait_until(lambda: made.inbox.attempts)
        await terminal.acknowledged(terminal.beat())
        assert session not in terminal.answers
        made.inbox.release()
        await terminal.acknowledged(session)


@pytest.mark.parametrize(
    ("good", "words", "seconds", "why"),
    [
        (False, "功放故障", 10, "功放故障"),
        (False, "", 10, "终端报告播发失败"),
        (True, "", 30, "没有播完：应播 60 秒，实播 30 秒"),
    ],
)
async def test_what_was_not_played_to_its_end_has_failed(
    good: bool, words: str, seconds: float, why: str, audio: Audio
) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        await made.begin(7)
        terminal.played(message(7), good=good, words=words, seconds=seconds)
        receipt = await made.receipt()
        assert (receipt.evidence, receipt.reason) == (Evidence.FAILED, why)


async def test_a_fault_while_it_plays_is_a_failure(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        await made.begin(7)
        terminal.say(frames.FAULT, b"\1\2" + "功放过热".encode().ljust(255, b"\0") + bytes(4))
        assert (await made.receipt()).reason == "终端故障：功放过热"


async def test_an_unconnected_terminal_is_rejected_at_once(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port):
        outcomes = await made.send(made.envelope(7, code=CODES[1]), made.envelope(7))
        assert {type(one) for one in outcomes} == {Accepted, Rejected}
        assert [one.reason for one in outcomes if isinstance(one, Rejected)] == ["终端离线"]


async def test_a_terminal_that_has_just_left_is_waited_for(audio: Audio) -> None:
    async with platform(audio, reconnect=30) as made:
        sending = asyncio.create_task(made.send(made.envelope(7)))
        await asyncio.sleep(0)
        async with Terminal(FIRST, made.port):
            (outcome,) = await sending
            assert isinstance(outcome, Accepted)


async def test_three_heartbeats_of_silence_are_the_end_of_a_connection(audio: Audio) -> None:
    async with platform(audio, heartbeat=1.5) as made, Terminal(FIRST, made.port) as terminal:
        await made.begin(7)
        await asyncio.wait_for(terminal.gone.wait(), 60)
        assert (await made.receipt()).reason.startswith("播发中终端离线")
        (outcome,) = await made.send(made.envelope(8))
        assert isinstance(outcome, Rejected)


async def test_a_terminal_that_comes_back_while_it_plays_reports_all_the_same(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        outcome = await made.begin(7)
        await terminal.hang_up()
        await terminal.dial()
        terminal.played(message(7))
        receipt = await made.receipt()
        assert (receipt.evidence, receipt.key) == (Evidence.DELIVERED, outcome.key)


async def test_a_result_that_never_comes_is_a_failure(audio: Audio) -> None:
    async with platform(audio, report_within=0.2, margin=0) as made, Terminal(FIRST, made.port):
        (outcome,) = await made.send(made.envelope(7, seconds=0.1))
        assert isinstance(outcome, Accepted)
        assert (await made.receipt()).reason == "没有收到播发结果"


async def test_a_result_that_comes_again_or_late_is_stored_by_its_reference(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        outcome = await made.begin(7)
        for _ in range(2):
            await terminal.acknowledged(terminal.played(message(7)))
        assert {one.ref for one in made.inbox.stored_receipts} == {outcome.ref}


async def test_the_result_of_somebody_elses_broadcast_is_acknowledged_and_nothing_else(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        await terminal.acknowledged(terminal.played("1" * 35))
        assert not made.inbox.stored_receipts


async def test_no_answer_leaves_it_unknown_and_the_second_order_is_the_first_one_again(audio: Audio) -> None:
    async with platform(audio, answer_timeout=0.4) as made, Terminal(FIRST, made.port, result=None) as terminal:
        (outcome,) = await made.send(made.envelope(7))
        assert isinstance(outcome, Unknown)
        terminal.result = 0
        (outcome,) = await made.send(made.envelope(7, attempt=2))
        assert isinstance(outcome, Accepted)
        first, second = await terminal.ordered(2)
        assert first.message == second.message
        assert abs(first.begins - second.begins) <= 1, "it does not wait for itself"


async def test_who_ignores_a_second_order_is_given_up(audio: Audio) -> None:
    async with platform(audio, answer_timeout=0.3) as made, Terminal(FIRST, made.port, result=None) as terminal:
        assert isinstance((await made.send(made.envelope(7)))[0], Unknown)
        (outcome,) = await made.send(made.envelope(7, attempt=2))
        assert isinstance(outcome, Rejected)
        assert outcome.reason == "终端连续 2 次没有应答"
        terminal.played(message(7))
        assert (await made.receipt()).evidence is Evidence.DELIVERED


@pytest.mark.parametrize(("result", "kind"), [(3, Deferred), (1, Rejected)])
async def test_a_terminal_may_refuse(result: int, kind: type[Outcome], audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port, result=result, words="13812345678 正忙"):
        (outcome,) = await made.send(made.envelope(7))
        assert isinstance(outcome, kind)
        assert "正忙" in outcome.reason  # type: ignore[union-attr]
        assert "13812345678" not in outcome.reason  # type: ignore[union-attr]


async def test_red_stops_what_plays_of_lower_rank(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        lower = await made.begin(7, urgency=YELLOW)
        terminal.began(message(7))
        await made.begin(8)
        assert await terminal.stopped() == [message(7)]
        assert terminal.told == ["play", "stop", "play"]
        assert terminal.orders[1].begins - terminal.orders[0].begins < 30
        receipt = await made.receipt()
        assert (receipt.key, receipt.reason) == (lower.key, "被更高级别的广播打断")


async def test_the_daily_programme_makes_way(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        daily = "9" * 35
        await terminal.acknowledged(terminal.began(daily, frames.DAILY))
        await made.begin(8, urgency=YELLOW)
        assert await terminal.stopped() == [daily]
        assert terminal.told == ["stop", "play"]
        assert not made.inbox.stored_receipts


async def test_another_platforms_emergency_is_left_alone(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        await terminal.acknowledged(terminal.began("9" * 35, frames.EMERGENCY))
        await made.begin(8)
        assert terminal.told == ["play"]


async def test_whom_the_terminals_are_left_to_stops_nothing(audio: Audio) -> None:
    async with platform(audio, preemption="terminal") as made, Terminal(FIRST, made.port) as terminal:
        await made.begin(7, urgency=YELLOW)
        await made.begin(8)
        assert terminal.told == ["play", "play"]


async def test_the_same_rank_queues(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        await made.begin(7)
        await made.begin(8)
        await made.begin(9, urgency=YELLOW)
        begins = [order.begins for order in await terminal.ordered(3)]
        assert terminal.told == ["play"] * 3
        assert begins[1] - begins[0] >= 70
        assert begins[2] - begins[1] >= 70


async def test_what_waits_of_lower_rank_is_moved_behind(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        await made.begin(7)
        await made.begin(8, urgency=YELLOW)
        await made.begin(9)
        await wait_until(lambda: len(terminal.orders) == 4)
        assert terminal.told == ["play", "play", "play", "stop", "play"]
        assert terminal.stops == [message(8)]
        last = {order.message: order.begins for order in terminal.orders}
        assert last[message(7)] < last[message(9)] < last[message(8)]
        assert not made.inbox.stored_receipts


AHEAD = TerminalPlugin(now=lambda: datetime.now(UTC) + timedelta(hours=2))
"""On a machine whose clock is two hours ahead."""


async def test_no_alert_is_too_late_because_a_machines_clock_is_ahead(
    audio: Audio, tmp_path: Path, database_url: str, redis_url: str
) -> None:
    port = free_port()
    options = "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings(port).options.items())
    (tmp_path / "daohu.toml").write_text(
        f'[data]\ndir = "{tmp_path}"\n[database]\nurl = "{database_url}"\n[redis]\nurl = "{redis_url}"\n'
        '[district]\ncode = "330212"\nname = "鄞州区"\n'
        f'[[gateways]]\nname = "terminals"\nchannel = "loudspeaker"\ndriver = "terminal_tcp"\nrate = 1000\n{options}',
        encoding="utf-8",
    )
    ahead = Registry([EntryPoint("loudspeaker.terminal_tcp", f"{__name__}:AHEAD", GROUP)])
    async with open_house(load_settings(tmp_path / "daohu.toml", environment={})) as house:
        driver = replace(house, registry=ahead).driver(house.settings.gateways[0])
        assert isinstance(driver, TerminalDriver)
        made = Platform(driver, port, audio)
        await driver.open(made.inbox)
        try:
            async with Terminal(FIRST, port) as terminal:
                await made.begin(7)
                (order,) = await terminal.ordered()
                assert order.begins < time.time() + 60, "terminals are told the same time"
        finally:
            await driver.close()


async def test_what_follows_an_alert_does_not_wait_for_its_end(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        first = await made.begin(7)
        (outcome,) = await made.send(made.envelope(8, urgency=YELLOW, replaces=("7",)))
        assert isinstance(outcome, Accepted)
        assert await terminal.stopped() == [message(7)]
        assert terminal.told == ["play", "stop", "play"]
        assert terminal.orders[1].begins - terminal.orders[0].begins < 30
        assert (await made.receipt()).key == first.key


async def test_recall_stops_what_plays_and_is_told_once_more_after_an_absence(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        there = await made.begin(7)
        async with Terminal(CODES[1], made.port) as other:
            gone = await made.begin(7, code=CODES[1])
        await other.gone.wait()
        await made.driver.recall([Sent(there.key, there.ref, FIRST), Sent(gone.key, gone.ref, CODES[1])])
        assert await terminal.stopped() == [message(7)]
        async with Terminal(CODES[1], made.port) as other:
            assert await other.stopped() == [message(7)]


async def test_recall_knows_a_message_also_by_its_delivery(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        there = await made.begin(7)
        await made.driver.recall([Sent(there.key, "", FIRST), Sent(DeliveryKey(99, 1, 1), "", FIRST)])
        assert await terminal.stopped() == [message(7)]


async def test_recall_by_another_process_knows_what_the_first_one_began(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        await made.driver.recall([Sent(DeliveryKey(7, 1, 1), f"{message(7)}-{FIRST}", FIRST)])
        assert await terminal.stopped() == [message(7)]


async def test_a_closed_driver_cannot_recall(audio: Audio) -> None:
    async with platform(audio) as made:
        await made.driver.close()
        with pytest.raises(UnavailableError):
            await made.driver.recall([Sent(DeliveryKey(7, 1, 1), "", FIRST)])


async def test_an_answer_of_a_wrong_session_is_no_answer(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port, result=None) as terminal:
        sending = asyncio.create_task(made.send(made.envelope(7)))
        await terminal.ordered()
        (session,) = terminal.order_sessions
        async with Terminal(CODES[1], made.port) as other:
            other.respond(session, frames.PLAY, 1)
            await other.acknowledged(other.beat())
        terminal.respond(session + 17, frames.PLAY, 1)
        await terminal.acknowledged(terminal.beat())
        assert not sending.done()
        terminal.respond(session, frames.PLAY, 0)
        assert isinstance((await sending)[0], Accepted)


def broken(terminal: Terminal) -> bytes:
    data = bytearray(terminal._frames.write(1, 1, frames.HEARTBEAT, frames.heartbeat(first=True)))
    data[-1] ^= 1
    return bytes(data)


@pytest.mark.parametrize(
    "what", [broken, lambda _: b"GET / HTTP/1.1\r\n\r\n" * 3, lambda _: b"\xfe\xfd\x01\x00" + b"\xff" * 60]
)
async def test_nonsense_ends_the_connection_and_hurts_nobody_else(what: object, audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        stranger = Terminal(CODES[1], made.port)
        await stranger.dial(register=False)
        stranger.writer.write(what(stranger))  # type: ignore[operator]
        await asyncio.wait_for(stranger.gone.wait(), 60)
        await stranger.hang_up()
        assert made.noted("is no terminal")
        await terminal.acknowledged(terminal.beat())


async def test_a_report_that_cannot_be_read_is_answered_and_does_no_harm(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        assert (await terminal.acknowledged(terminal.say(frames.PLAYED, b"\1\2\3")))[0] == 1
        assert await terminal.acknowledged(terminal.say(0x77, b"whatever"))
        assert isinstance((await made.send(made.envelope(7)))[0], Accepted)


async def test_of_two_with_one_code_the_newer_counts(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as old:
        async with Terminal(FIRST, made.port) as new:
            await asyncio.wait_for(old.gone.wait(), 60)
            await made.begin(7)
            assert len(await new.ordered()) == 1
            assert not old.orders
            assert made.noted("a second time")


async def test_who_speaks_for_another_is_cut_off(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        terminal._frames = frames.Frames(CODES[1], PLATFORM, flagged=False)
        terminal.beat()
        await asyncio.wait_for(terminal.gone.wait(), 60)
        assert isinstance((await made.send(made.envelope(7, code=CODES[1])))[0], Rejected)


@pytest.mark.parametrize("options", [{"admit": ["9"]}, {"allow": ["10.0.0.0/8"]}, {"most": 1}], ids=str)
async def test_who_is_not_expected_is_not_let_in(options: dict[str, object], audio: Audio) -> None:
    async with platform(audio, **options) as made:
        first = Terminal("9" + CODES[2][1:], made.port)
        if "most" in options:
            await first.dial()
        stranger = Terminal(FIRST, made.port)
        await stranger.dial(register=False)
        stranger.beat(first=True)
        await asyncio.wait_for(stranger.gone.wait(), 60)
        await stranger.hang_up()
        if "most" in options:
            await first.hang_up()
        assert any(line.startswith("! ") for line in made.journal.lines)


async def test_who_only_listens_to_himself_costs_little_and_others_nothing(audio: Audio) -> None:
    """Somebody sends as fast as he can and reads no answer."""
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        _, writer = await asyncio.open_connection("127.0.0.1", made.port)
        frame = frames.Frames(CODES[1], PLATFORM, flagged=False).write(1, 1, 0x10, frames.heartbeat(first=False))

        async def flood() -> None:
            while True:
                writer.write(frame * 100)
                await writer.drain()

        flooding = asyncio.create_task(flood())
        for number in range(5):
            await asyncio.sleep(0.1)
            await made.begin(10 + number)
        assert not flooding.done()
        flooding.cancel()
        await asyncio.wait([flooding])
        writer.transport.abort()
        assert len(terminal.orders) == 5


async def test_who_says_nothing_or_letter_by_letter_is_given_up(audio: Audio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.loudspeaker.terminal_tcp.exchange.INTRODUCE_WITHIN", 2.0)
    monkeypatch.setattr("channels.loudspeaker.files.PATIENCE", 0.3)
    async with platform(audio, heartbeat=1.0) as made:
        mute, dripping = Terminal(FIRST, made.port), Terminal(CODES[1], made.port)
        await mute.dial(register=False)
        await dripping.dial()

        async def drip() -> None:
            data = dripping._frames.write(5, 1, frames.HEARTBEAT, frames.heartbeat(first=False))
            for octet in data:
                dripping.writer.write(bytes([octet]))
                await asyncio.sleep(0.2)

        slowly = asyncio.create_task(drip())
        at = made.driver._options.audio_listen.rpartition(":")[2]
        web, asking = await asyncio.open_connection("127.0.0.1", int(at))
        asking.write(b"GET /")
        await asyncio.wait_for(mute.gone.wait(), 60)
        await asyncio.wait_for(dripping.gone.wait(), 60)
        with pytest.raises((asyncio.IncompleteReadError, OSError)):
            await asyncio.wait_for(web.readexactly(1), 60)
        slowly.cancel()
        asking.close()
        await mute.hang_up()
        await dripping.hang_up()


async def test_a_taken_port_is_said_and_whose_it_is(audio: Audio, tmp_path: Path) -> None:
    port, sound = free_port(), free_port()
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.harness.terminal_worker", str(port), str(sound), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert worker.stdout is not None
        assert await worker.stdout.readline() == b"open\n"
        given = {"audio_listen": f"127.0.0.1:{sound}", "audio_url": f"http://127.0.0.1:{sound}"}
        driver, inbox = plugin.build(settings(port, **given), MemoryJournal()), MemoryInbox()
        with pytest.raises(UnavailableError, match="本系统另一个进程"):
            await driver.open(inbox)
        worker.kill()
        await worker.wait()
        await driver.open(inbox)
        async with Terminal(FIRST, port) as terminal:
            terminal.played(message(7))  # what the other one began is understood by its reference
            await inbox.until(lambda: f"{message(7)}-{FIRST}" in inbox.refs())
        await driver.close()
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()


async def test_the_form_of_2019_has_a_sign_flag(audio: Audio) -> None:
    async with platform(audio, edition="2019") as made, Terminal(FIRST, made.port, flagged=True) as terminal:
        await made.begin(7)
        assert len(await terminal.ordered()) == 1


@pytest.mark.parametrize(
    ("slots", "options", "word"),
    [
        (2, {}, "slots"),
        (1, {"signature": "required"}, "key 和 device"),
        (1, {"key": "1" * 64}, "signature"),
        (1, {**SIGNS, "key": "1" * 65}, "key 不可用"),
        (1, {**SIGNS, "device": "http://127.0.0.1:9/"}, "key 和 device"),
        (1, {**SIGNS, "key": None, "device": "http://10.1.1.1:9/"}, "device"),
        (1, {**SIGNS, "cert_sn": "12"}, "cert_sn"),
        (1, {**SIGNS, "terminal_keys": {}}, "terminal_keys"),
        (1, {**SIGNS, "terminal_keys": {THEIRS_SERIAL: "04"}}, "terminal_keys"),
        (1, {**SIGNS, "verify": "always"}, "verify"),
        (1, {"listen": "everywhere"}, "listen"),
        (1, {"audio_url": "https://x/"}, "audio_url"),
        (1, {"platform": "12"}, "platform"),
        (1, {"allow": ["here"]}, "allow"),
    ],
    ids=str,
)
def test_a_wrong_option_is_said(slots: int, options: dict[str, object], word: str) -> None:
    given = settings(7089, **options)
    wrong = GatewaySettings(given.name, given.channel, given.driver, 1, slots=slots, options=given.options)
    with pytest.raises(SettingsError, match=word) as refused:
        plugin.build(wrong, MemoryJournal())
    assert OURS not in str(refused.value)


@pytest.mark.parametrize("code", ["", "123456789012345678", "x" * 23, "http://192.0.2.1/"])
async def test_an_address_that_is_no_code_is_rejected(code: str, audio: Audio) -> None:
    async with platform(audio, reconnect=30) as made:
        (outcome,) = await made.send(made.envelope(7, code=code))
        assert isinstance(outcome, Rejected)
        assert "资源编码" in outcome.reason


async def test_what_is_no_mp3_or_no_file_is_rejected(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port):
        sounds: Sequence[Audio | None] = (
            None, Audio(audio.path, "audio/wav", 1, audio.sha256), Audio(Path("/nowhere"), "audio/mpeg", 1, "0" * 64),
        )  # fmt: skip
        for sound in sounds:
            envelope = made.envelope(7)
            text = Message("x", audio=sound)
            (outcome,) = await made.send(Envelope(envelope.key, FIRST, text, RED, envelope.expires))
            assert isinstance(outcome, Rejected)


async def test_nothing_begins_after_its_end(audio: Audio) -> None:
    async with platform(audio) as made, Terminal(FIRST, made.port) as terminal:
        await made.begin(7)
        first = made.envelope(8)
        late = Envelope(first.key, FIRST, first.message, RED, datetime.now(UTC) + timedelta(seconds=30))
        (outcome,) = await made.send(late)
        assert isinstance(outcome, Rejected)
        assert "失效" in outcome.reason
        assert terminal.told == ["play"]
