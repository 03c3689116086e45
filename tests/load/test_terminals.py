"""Loudspeakers that dial in, through the whole system: from the button to the sound, what makes way, what is stopped,
who keeps silent. The terminals are another process."""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from audiences.generator.places import DISTRICT_CODE
from broadcaster import ending
from broadcaster.alerts.records import AlertRecord
from broadcaster.demo.play import APPROVER
from broadcaster.dispatch.recordings import REPEATS
from broadcaster.ports import Accepted, DeliveryKey, Envelope, Medium, Message
from broadcaster.progress import Progress
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Fronts, Script, TerminalsFront
from broadcaster.testing import MemoryInbox, MemoryJournal
from channels.loudspeaker.terminal_tcp import plugin
from templates.renderer import render
from templates.skeleton import Purpose
from tests.contract.rehearsal_peer import audio_port, mp3, terminal_codes
from tests.harness.ground import Ground, Sent, ground, quantile, row
from tests.harness.ports import free_port
from tests.harness.waiting import wait_until

POLICIES = """
[policies.red]
loudspeakers = true
households = [{ channels = ["sms"], wait = 3600 }, { channels = ["voice"], wait = 3600 }]
units = [{ after = 0, action = "notify_primary", channels = ["sms"] }]
"""
ANSWER_TIMEOUT = 2.0
PATIENCE = 120.0


@asynccontextmanager
async def district(
    folder: Path, count: int, *, households: int = 1000, play: float = 1.0, answer: float = 20.0, **fates: Any
) -> AsyncIterator[Ground]:
    """`count` loudspeakers and a worker that they have dialled."""
    terminals = TerminalsFront(
        dial=f"tcp:127.0.0.1:{free_port()}", codes=tuple(terminal_codes(count)), redial=1.0, **fates
    )
    options = {"answer_timeout": answer, "reconnect": 4.0, **audio_port()}
    async with ground(
        folder,
        households=households,
        rates={Medium.LOUDSPEAKER: (5000.0, 1), Medium.SMS: (500.0, 1), Medium.VOICE: (500.0, 1)},
        drivers={Medium.LOUDSPEAKER: "terminal_tcp"},
        options={Medium.LOUDSPEAKER: options},
        policies=POLICIES,
        terminals=terminals,
        play=play,
    ) as made:
        await made.hire()
        await made.connected()
        expected = count if not fates.get("offline") else 1

        async def all_there() -> bool:
            stats = await made.carrier.client.stats()
            return "terminals" in stats and stats["terminals"].connections >= expected

        await wait_until(all_there, within=PATIENCE, what="the terminals to be connected")
        yield made


async def sounded(made: Ground, count: int, what: str, *, besides: int = 0) -> list[float]:
    """The moments at which `count` terminals began, or were stopped."""

    async def found() -> list[float]:
        moments = [one.at for one in (await made.report()).sounded if one.what == what]
        return moments if len(moments) >= count + besides else []

    moments: list[float] = await wait_until(found, within=PATIENCE, what=f"{count} terminals that {what}")
    return moments[besides:]


async def states(made: Ground, alert: int) -> Progress:
    return await made.progress(alert)


async def listened_to(made: Ground, record: AlertRecord) -> None:
    """Whoever approves has heard the recording: it is made before the button."""
    office = made.house.office
    skeleton = render(
        record.alert, Medium.LOUDSPEAKER, "zh-CN", Purpose.PUBLIC, "1", issuer=office.issuer, library=office.library
    )
    await made.house.studio.build(
        skeleton.fill().text, Medium.LOUDSPEAKER, colour="red", repeats=REPEATS[Medium.LOUDSPEAKER], drill=True
    )


async def start(made: Ground, count: int) -> tuple[Sent, list[float]]:
    """Seconds from the button to the sound, at each of `count` terminals."""
    before = sum(one.what == "began" for one in (await made.report()).sounded)
    record = await made.draft("red", [DISTRICT_CODE])
    await listened_to(made, record)
    sent = Sent(record.id, await made.issue(record))
    sys.stdout.write(f"\nbutton to issued: {time.time() - sent.pressed:.3f} s")
    return sent, [at - sent.pressed for at in await sounded(made, count, "began", besides=before)]


def used(made: Ground) -> list[float]:
    """Seconds of CPU of the worker and of the terminals' process so far."""
    times = [psutil.Process(pid).cpu_times() for pid in (made.workers[0].pid, made.carrier.pid)]
    return [float(one.user + one.system) for one in times]


def spent(made: Ground, before: list[float]) -> str:
    """What they have used since."""
    return ", ".join(f"{now - then:.2f} s" for now, then in zip(used(made), before, strict=True))


async def test_a_red_warning_ends_the_daily_programme_and_stops_itself_when_it_is_ended(tmp_path: Path) -> None:
    async with district(tmp_path, 50, daily=1.0) as made:
        sent, _ = await start(made, 50)
        report = await made.report()
        stopped = {one.ref.partition("-")[2]: one.at for one in report.sounded if one.what == "stopped"}
        began = {one.ref.partition("-")[2]: one.at for one in report.sounded if one.what == "began"}
        assert len(stopped) == len(began) == 50
        assert all(stopped[code] <= began[code] for code in began), "the programme stops before the warning sounds"
        at = time.time()
        house = made.house
        await ending.end(house.database, sent.id, APPROVER, house.clock.now(), rules=house.office.rules)
        moments = await sounded(made, 50, "stopped", besides=50)
        assert max(moments) - at < 30


async def test_the_homes_of_silent_and_absent_terminals_are_told_by_the_next_channel(tmp_path: Path) -> None:
    """Of nobody is it known whether the text message has arrived."""
    async with district(tmp_path, 60, silent=0.2, offline=0.2, play=0.0, answer=ANSWER_TIMEOUT) as made:
        await made.carrier.client.behave(Medium.SMS, loss=1.0)
        sent = await made.send("red", [DISTRICT_CODE])

        async def over() -> Progress | None:
            now = await made.progress(sent.id)
            speakers = now.channels.get("loudspeaker", {})
            done = speakers and not any(speakers[one] for one in ("queued", "submitted", "unknown"))
            return now if done else None

        now: Progress = await wait_until(over, within=PATIENCE, what="every loudspeaker to have an end")
        given_up = time.time() - sent.pressed

        async def told() -> int:
            return sum((await made.progress(sent.id)).channels.get("voice", {}).values())

        called = await wait_until(told, within=PATIENCE, what="homes to be called")
        took = time.time() - sent.pressed
        sys.stdout.write(
            f"\nterminals that ignore two orders (of {ANSWER_TIMEOUT:g} s) or are absent were given up after"
            f" {given_up:.1f} s, {called} homes were being called after {took:.1f} s\n"
        )
        assert now.channels["loudspeaker"]["failed"] > 5
        assert now.channels["loudspeaker"]["delivered"] > 20
        assert sum(now.channels["sms"].values()) >= 1000, "nobody's message waits for a loudspeaker"


@pytest.mark.soak
@pytest.mark.parametrize("signed", [False, True], ids=["plain", "signed"])
async def test_a_thousand_loudspeakers_are_told_within_seconds(
    signed: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The sound begins when a terminal has the first seconds of it; here one process fetches for a thousand of them,
    and signs for them where they sign."""
    folder = tmp_path_factory.mktemp("start")
    async with district(folder, 1000, households=10_000, play=0.02, signed=signed) as made:
        told: list[float] = []
        heard: list[float] = []
        for number in range(6):
            cpu = used(made)
            sent, delays = await start(made, 1000)
            speakers = [one for one in (await made.report()).taken if one.channel == "loudspeaker"]
            orders = [one.at - sent.pressed for one in speakers[-1000:]]
            report = await made.report()
            fetched = [one.at - sent.pressed for one in report.sounded if one.what == "fetched"][-1000:]
            for phase, moments in (("order", orders), ("the first seconds fetched", fetched), ("sound", delays)):
                sys.stdout.write(f"\n{row(f'button to {phase}, warning {number}', moments)}")
            sys.stdout.write(f"\nCPU of the worker and of the terminals' process: {spent(made, cpu)}")
            if number:  # with the first, everything is done for the first time
                told += orders
                heard += delays

            async def over(alert: int = sent.id) -> bool:
                return (await made.progress(alert)).channels["loudspeaker"]["delivered"] == 1000

            await wait_until(over, within=PATIENCE, what="every loudspeaker to have played")
    sys.stdout.write(f"\n{row('button to order', told)}\n{row('button to sound', heard)}\n")
    assert quantile(told, 0.99) <= 5.0
    assert quantile(heard, 0.99) <= 5.0


@pytest.mark.soak
async def test_a_thousand_loudspeakers_are_silent_soon_after_the_end(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with district(tmp_path_factory.mktemp("stop"), 1000, daily=1.0) as made:
        sent, _ = await start(made, 1000)
        report, house = await made.report(), made.house
        stopped = {one.ref.partition("-")[2]: one.at for one in report.sounded if one.what == "stopped"}
        sys.stdout.write(
            f"\n{row('button to the daily programme silent', [at - sent.pressed for at in stopped.values()])}"
        )
        at = time.time()
        await ending.end(house.database, sent.id, APPROVER, house.clock.now(), rules=house.office.rules)
        moments = [one - at for one in await sounded(made, 1000, "stopped", besides=1000)]
    sys.stdout.write(f"\n{row('end of the alert to silence', moments)}\n")
    assert quantile(moments, 0.99) <= 5.0


@pytest.mark.soak
async def test_ten_thousand_terminals_are_held_by_one_process(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("held")
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 12_000:
        pytest.skip("this process may not open 12,000 files")
    codes = terminal_codes(10_000)
    terminals = TerminalsFront(dial=f"tcp:127.0.0.1:{free_port()}", codes=tuple(codes), heartbeat=20.0, redial=1.0)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    process = psutil.Process()
    async with RehearsalProcess(folder, Script(fronts=Fronts(terminals=terminals))) as rehearsal:
        options = {"reconnect": 60.0, **audio_port()}
        gateway = rehearsal.gateway(Medium.LOUDSPEAKER, rate=5000, driver="terminal_tcp", **options)  # type: ignore[arg-type]
        driver, inbox = plugin.build(gateway, MemoryJournal()), MemoryInbox()
        before, began = process.memory_info().rss, time.monotonic()
        await driver.open(inbox)

        async def all_there() -> bool:
            stats = await rehearsal.client.stats()
            return "terminals" in stats and stats["terminals"].connections == 10_000

        await wait_until(all_there, within=300, what="10,000 terminals")
        took, grown = time.monotonic() - began, process.memory_info().rss - before
        spent = process.cpu_times().user
        await asyncio.sleep(20)
        busy = (process.cpu_times().user - spent) / 20
        message = Message("", audio=mp3(folder, 1.0))
        expires = datetime.now(UTC) + timedelta(hours=1)
        batch = [Envelope(DeliveryKey(1, n, 1), code, message, 0, expires) for n, code in enumerate(codes[:1000])]
        asked = time.monotonic()
        outcomes = [one async for one in driver.send(batch)]
        answered = time.monotonic() - asked
        await driver.close()
    sys.stdout.write(
        f"\n10,000 terminals: connected in {took:.1f} s, {grown / 1e6:.0f} MB, {100 * busy:.1f} % of a core at rest;"
        f" 1,000 of them have the sound after {answered:.2f} s\n"
    )
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert all(isinstance(one, Accepted) for one in outcomes)
