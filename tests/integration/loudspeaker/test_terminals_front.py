"""The rehearsal's terminals: who dials in, what they make of what they fetch, what they report, and to whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from broadcaster.ports import (
    Accepted,
    Audio,
    Deferred,
    DeliveryKey,
    Driver,
    Envelope,
    Evidence,
    Medium,
    Message,
    Outcome,
    Recalls,
    Rejected,
    Sent,
)
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Behaviour, Delay, Fronts, Script, TerminalsFront
from broadcaster.testing import MemoryInbox, MemoryJournal
from channels.loudspeaker.terminal_tcp import plugin
from tests.contract.rehearsal_peer import audio_port, mp3, terminal_codes
from tests.harness.ports import free_port
from tests.harness.waiting import wait_until

CODES = terminal_codes(40)
SOON = Delay(median=0.05)


class Village:
    """A driver, and the terminals that have dialled it."""

    def __init__(self, rehearsal: RehearsalProcess, driver: Driver) -> None:
        self.rehearsal = rehearsal
        self.driver = driver
        self.inbox = MemoryInbox()

    async def play(self, audio: Audio) -> dict[str, Outcome]:
        """What becomes of one message at every terminal, by code."""
        expires = datetime.now(UTC) + timedelta(hours=1)
        message = Message("x", audio=audio)
        batch = [Envelope(DeliveryKey(1, n, 1), code, message, 0, expires) for n, code in enumerate(CODES)]
        outcomes = {one.key: one async for one in self.driver.send(batch)}
        return {one.address: outcomes[one.key] for one in batch}

    async def receipts(self, count: int) -> None:
        await self.inbox.until(lambda: len(self.inbox.refs()) >= count)


@asynccontextmanager
async def village(
    folder: Path, behaviour: Behaviour, *, offline: float = 0.0, silent: float = 0.0, answer: float = 20.0,
    signed: bool = False, forged: float = 0.0,
) -> AsyncIterator[Village]:  # fmt: skip
    front = TerminalsFront(
        dial=f"tcp:127.0.0.1:{free_port()}", codes=tuple(CODES), redial=0.1, offline=offline, silent=silent,
        signed=signed, forged=forged, sign_flag=signed,
    )  # fmt: skip
    script = Script(seed=4, loudspeaker=behaviour, fronts=Fronts(terminals=front))
    async with RehearsalProcess(folder / "rehearsal", script) as rehearsal:
        options: dict[str, object] = {**audio_port(), "reconnect": 10.0, "answer_timeout": answer}
        if signed:
            options["edition"] = "2019"
        gateway = rehearsal.gateway(Medium.LOUDSPEAKER, rate=1000, driver="terminal_tcp", name="village", **options)  # type: ignore[arg-type]
        made = Village(rehearsal, plugin.build(gateway, MemoryJournal()))
        await made.driver.open(made.inbox)
        try:
            yield made
        finally:
            await made.driver.close()


async def test_they_fetch_the_very_file_and_report_that_it_was_played(tmp_path: Path) -> None:
    audio = mp3(tmp_path, 1.0)
    async with village(tmp_path, Behaviour(receipt=SOON)) as made:
        outcomes = await made.play(audio)
        assert all(isinstance(one, Accepted) for one in outcomes.values())
        await made.receipts(len(CODES))
        report = made.rehearsal.report()
    (heard,) = report.audio.values()
    assert (heard.sha256, heard.problem) == (audio.sha256, "")
    assert abs(heard.seconds - 1.0) < 0.2
    assert {one.address for one in report.taken} == set(CODES)
    assert {one.ref for one in report.sounded if one.what == "began"} == made.inbox.refs() == report.delivered
    assert {one.evidence for one in made.inbox.stored_receipts} == {Evidence.DELIVERED}


async def test_what_is_no_sound_is_reported_as_not_played(tmp_path: Path) -> None:
    lie = tmp_path / "lie.mp3"
    lie.write_bytes(b"no sound at all" * 100)
    async with village(tmp_path, Behaviour(receipt=SOON)) as made:
        await made.play(Audio(lie, "audio/mpeg", 5.0, "0" * 64))
        await made.receipts(len(CODES))
        assert {one.reason for one in made.inbox.stored_receipts} == {"音频文件无法解码"}


async def test_fates_are_shares_of_them(tmp_path: Path) -> None:
    behaviour = Behaviour(receipt=SOON, failures={"功放故障": 0.3}, refuse={"设备停用": 0.2})
    async with village(tmp_path, behaviour, offline=0.2, silent=0.2, answer=0.5) as made:
        outcomes = await made.play(mp3(tmp_path, 0.5))
        kinds = [type(one) for one in outcomes.values()]
        reasons = [one.reason for one in outcomes.values() if isinstance(one, Rejected)]
        await made.receipts(kinds.count(Accepted))
    assert any(reason == "终端离线" for reason in reasons)
    assert any("设备停用" in reason for reason in reasons)
    assert len([kind for kind in kinds if kind not in (Accepted, Rejected)]) > 0, "the silent ones leave it unknown"
    assert {one.reason for one in made.inbox.stored_receipts} == {"", "功放故障"}


async def test_what_is_busy_is_put_off(tmp_path: Path) -> None:
    async with village(tmp_path, Behaviour(busy=1.0)) as made:
        outcomes = await made.play(mp3(tmp_path, 0.5))
        assert {type(one) for one in outcomes.values()} == {Deferred}


async def test_what_is_stopped_is_reported_once_and_as_not_played(tmp_path: Path) -> None:
    audio = mp3(tmp_path, 20.0)
    async with village(tmp_path, Behaviour(receipt=SOON, play=1.0)) as made:
        outcomes = await made.play(audio)
        driver = made.driver
        assert isinstance(driver, Recalls)
        sent = [Sent(one.key, one.ref, code) for code, one in outcomes.items() if isinstance(one, Accepted)]
        await driver.recall(sent)
        await made.receipts(len(CODES))
        report = made.rehearsal.report()
        assert {one.reason for one in made.inbox.stored_receipts} == {"被停播"}
        assert not report.delivered
        assert sum(one.what == "stopped" for one in report.sounded) == len(CODES)


async def test_who_is_cut_off_while_it_plays_dials_again_and_reports(tmp_path: Path) -> None:
    async with village(tmp_path, Behaviour(receipt=SOON, play=1.0)) as made:
        await made.play(mp3(tmp_path, 1.0))
        assert await made.rehearsal.client.cut("terminals") == len(CODES)
        await made.receipts(len(CODES))
        assert {one.evidence for one in made.inbox.stored_receipts} == {Evidence.DELIVERED}

        async def stored() -> bool:
            return (await made.rehearsal.client.total()).receipts_waiting == 0

        await wait_until(stored, what="every result to be acknowledged")


async def test_those_that_sign_are_played_on_and_those_that_forge_are_not_let_in(tmp_path: Path) -> None:
    audio = mp3(tmp_path, 1.0)
    async with village(tmp_path, Behaviour(receipt=SOON), signed=True, forged=0.25) as made:
        outcomes = await made.play(audio)
        played = [code for code, one in outcomes.items() if isinstance(one, Accepted)]
        assert 0 < len(played) < len(CODES)
        assert all(isinstance(one, Accepted) or one.reason == "终端离线" for one in outcomes.values())
        await made.receipts(len(played))
        assert all(one.evidence is Evidence.DELIVERED for one in made.inbox.stored_receipts)
