"""How fast mails leave, beside Postfix's own source, into Postfix's own sink: `-s` prints the table."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from audiences.generator.places import DISTRICT_CODE
from broadcaster.ports import Accepted, DeliveryKey, Envelope, GatewaySettings, Medium, Message
from broadcaster.testing.memory import MemoryInbox, MemoryJournal
from channels.email.mould import Mould
from channels.email.settings import SmtpSettings
from channels.email.smtp import BATCH_MAX, SmtpDriver
from tests.harness.ground import ground
from tests.harness.mails import MAIL, POLICIES, TOKEN
from tests.harness.parties import program
from tests.harness.ports import free_port
from tests.harness.waiting import wait_for

MAILS = 10_000
HOUSEHOLDS = 20_000
MAILBOXES_AT_HOME = """
UPDATE contact SET medium = 'email', address = address || '@example.org' WHERE household_id IS NOT NULL
"""
TEXT = (
    "【红色】台风预警：{place}，请立即转移到安置点。详情和报告平安：{link}\n"
    + "防御指南：关好门窗，切断电源，远离低洼。\n" * 20
)
HTML = (
    "<article><h1>【红色】台风预警</h1><p>{place}，请立即转移。</p>"
    + "<p>防御指南：关好门窗，切断电源，远离低洼。</p>" * 20
    + '<a href="{link}">详情和报告平安</a></article>'
)


@dataclass(frozen=True, slots=True)
class Row:
    """A run: mails per second, and microseconds of the sender's CPU for each."""

    who: str
    sessions: int
    rate: float
    cpu: float

    def __str__(self) -> str:
        return f"| {self.who} | {self.sessions} | {self.rate:,.0f} | {self.cpu:.0f} |"


def envelopes() -> list[Envelope]:
    """A mail for each household: no two are the same."""
    expires = datetime.now(UTC) + timedelta(hours=1)
    found = []
    for number in range(MAILS):
        words = {"place": f"姜山镇第{number % 500}村", "link": f"https://ebs.example.cn/r/{number:032x}"}
        message = Message(TEXT.format(**words), "【红色】台风预警（" + words["place"] + "）", HTML.format(**words))
        found.append(Envelope(DeliveryKey(7, number, 1), f"resident{number}@example.org", message, 0, expires))
    return found


def settings(port: int) -> SmtpSettings:
    options = {
        "host": "127.0.0.1",
        "port": port,
        "tls": "none",
        "sender": "yujing@ebs.example.cn",
        "sender_name": "鄞州区应急管理局",
        "return_path": "bounce@ebs.example.cn",
        "bounce_token": TOKEN,
    }
    return SmtpSettings.read(GatewaySettings("mail", Medium.EMAIL, "smtp", rate=1, options=options))


@contextmanager
def sink() -> Iterator[int]:
    """Postfix's sink, which takes and forgets; the port."""
    port = free_port()
    command = program("smtp-sink", "/usr/sbin/smtp-sink", package="postfix")
    with subprocess.Popen([command, "-u", "nobody", f"127.0.0.1:{port}", "100"], stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: _answers(port), what="smtp-sink")
        try:
            yield port
        finally:
            process.kill()


async def by_the_driver(port: int, sessions: int, mails: Sequence[Envelope]) -> Row:
    """All mails over so many connections of one process."""
    drivers = [SmtpDriver(settings(port), MemoryJournal()) for _ in range(sessions)]
    for driver in drivers:
        await driver.open(MemoryInbox())
    batches = iter([mails[start : start + BATCH_MAX] for start in range(0, len(mails), BATCH_MAX)])

    async def work(driver: SmtpDriver) -> int:
        return sum([isinstance(outcome, Accepted) for batch in batches async for outcome in driver.send(batch)])

    since, used = time.monotonic(), time.process_time()
    accepted = sum(await asyncio.gather(*map(work, drivers)))
    seconds, cpu = time.monotonic() - since, time.process_time() - used
    for driver in drivers:
        await driver.close()
    assert accepted == len(mails)
    return Row("this driver, personalised", sessions, len(mails) / seconds, cpu / len(mails) * 1e6)


def by_the_source(port: int, sessions: int, octets: int) -> Row:
    """As many mails of that size, all the same, by Postfix's source over kept connections."""
    command = program("smtp-source", "/usr/sbin/smtp-source", package="postfix")
    options = ["-d", "-s", str(sessions), "-m", str(MAILS), "-l", str(octets)]
    path = ["-f", "yujing@ebs.example.cn", "-t", "resident@example.org"]
    before = psutil.Process().cpu_times()
    since = time.monotonic()
    subprocess.run([command, *options, *path, f"127.0.0.1:{port}"], check=True)
    seconds, after = time.monotonic() - since, psutil.Process().cpu_times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Row("smtp-source, one text", sessions, MAILS / seconds, cpu / MAILS * 1e6)


@pytest.mark.soak
async def test_mails_leave_as_fast_as_a_relay_takes_them() -> None:
    mails = envelopes()
    mould = Mould(settings(1))
    octets = len(mould.cast(mails[0], mails[0].address, "<x@example.org>", datetime.now(UTC)))
    rows = []
    for sessions in (1, 4, 16):
        with sink() as port:
            rows.append(await by_the_driver(port, sessions, mails))
        with sink() as port:
            rows.append(await asyncio.to_thread(by_the_source, port, sessions, octets))
    head = f"\n{MAILS:,} mails of {octets:,} octets\n| who | sessions | mails/s | CPU µs |\n|---|---|---|---|"
    print(head, *rows, sep="\n")  # noqa: T201 - that is what it is for
    assert max(row.rate for row in rows if row.who.startswith("this")) > 500


@pytest.mark.soak
async def test_a_whole_alert_leaves_by_mail(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Planned, written, sent over four connections and stored, by one worker."""
    with sink() as port:
        mail = MAIL.format(port=port, rate=5_000, slots=4, token=TOKEN, back=free_port())
        folder = tmp_path_factory.mktemp("mail")
        async with ground(folder, households=HOUSEHOLDS, rates={}, policies=POLICIES + mail) as made:
            async with made.house.database.connection() as connection:
                await connection.execute(MAILBOXES_AT_HOME)
                await connection.execute("VACUUM ANALYZE contact")
            await made.hire()
            await made.connected()
            worker = psutil.Process(made.workers[0].pid)
            used = sum(worker.cpu_times()[:2])
            alert = await made.send("red", [DISTRICT_CODE])
            await made.taken(alert.id, HOUSEHOLDS, within=300)
            seconds, cpu = time.time() - alert.pressed, sum(worker.cpu_times()[:2]) - used
    row = Row("a worker, the whole way", 4, HOUSEHOLDS / seconds, cpu / HOUSEHOLDS * 1e6)
    print(f"\n{row}")  # noqa: T201 - likewise
    assert row.rate > 200


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            return line.recv(3) == b"220"
    except OSError:
        return False
