"""The rehearsal as a mail server, against aiosmtplib and the standard library; reports are posted to a callback."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import msgspec
import pytest
from aiohttp import web

from broadcaster.ports import Accepted, DeliveryKey, Envelope, Evidence, Medium, Message, ParsesCallback
from broadcaster.registry import Registry
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import SENDER, Account, Behaviour, Delay, Duty, Fronts, MailFront, Script
from broadcaster.testing import MemoryInbox, MemoryJournal

TOKEN = "0123456789abcdef"
AT_ONCE = Behaviour(answer=Delay(), receipt=Delay(), redeliver_after=0.5)


def at_once(**changes: object) -> Behaviour:
    return msgspec.structs.replace(AT_ONCE, **changes)


@dataclass
class Mailbox:
    """Where reports are posted to; at first it takes none of `refusing`. It is also a page with a button."""

    port: int = 0
    refusing: int = 0
    shown: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/callbacks/mail"

    async def take(self, request: web.Request) -> web.Response:
        self.shown.append(request.headers.get("Authorization", ""))
        body = await request.read()
        if self.refusing:
            self.refusing -= 1
            return web.Response(status=503)
        self.mails.append(body)
        self.changed.set()
        return web.Response(text="ok")

    async def page(self, _: web.Request) -> web.Response:
        form = "<html><form method=post><button name=answer value=yes>收到</button></form></html>"
        return web.Response(text=form, content_type="text/html")

    async def press(self, request: web.Request) -> web.Response:
        self.pressed.append(request.match_info["token"])
        self.changed.set()
        return web.Response(text="ok")

    async def until(self, count: int) -> None:
        async with asyncio.timeout(60):
            while len(self.mails) + len(self.pressed) < count:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def mailbox() -> AsyncIterator[Mailbox]:
    box = Mailbox()
    app = web.Application()
    app.add_routes([
        web.post("/callbacks/mail", box.take), web.get("/r/{token}", box.page), web.post("/r/{token}", box.press)
    ])  # fmt: skip
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    box.port = runner.addresses[0][1]
    try:
        yield box
    finally:
        await runner.cleanup()


@asynccontextmanager
async def server(folder: Path, box: Mailbox, behaviour: Behaviour = AT_ONCE) -> AsyncIterator[RehearsalProcess]:
    fronts = Fronts(smtp=MailFront(reports=box.address, token=TOKEN))
    script = Script(email=behaviour, accounts={"office": Account(password="right")}, fronts=fronts)
    async with RehearsalProcess(folder, script) as rehearsal:
        yield rehearsal


@asynccontextmanager
async def signed_in(rehearsal: RehearsalProcess) -> AsyncIterator[aiosmtplib.SMTP]:
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=rehearsal.fronts["smtp"].port, use_tls=False, start_tls=False)
    await client.connect()
    await client.login("office", "right")
    try:
        yield client
    finally:
        if client.is_connected:
            await client.quit()


async def reported(client: aiosmtplib.SMTP, to: str, content: bytes) -> None:
    """Send a mail that is to be reported on."""
    options = ["RET=HDRS", "ENVID=7-12-1.seal"]
    await client.sendmail(
        "bounce@example.cn", to, content, mail_options=options, rcpt_options=["NOTIFY=SUCCESS,FAILURE"]
    )


def mail(text: str, to: str = "a@example.org") -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "office@example.cn", to, "台风红色预警"
    made["Message-ID"] = "<7-12.mark@example.cn>"
    made.set_content(text, cte="base64")
    return made.as_bytes(policy=policy.SMTP)


async def test_a_mail_is_taken_read_and_reported(tmp_path: Path) -> None:
    async with mailbox() as box, server(tmp_path, box) as rehearsal:
        async with signed_in(rehearsal) as client:
            assert client.supports_extension("dsn")
            await reported(client, "a@example.org", mail("请立即转移。\n.\n..点"))
        await box.until(1)
        await acknowledged(rehearsal, 1)
        report = rehearsal.report()
    assert box.shown == [f"Bearer {TOKEN}"]
    found = message_from_bytes(box.mails[0], policy=policy.default)
    assert (found.get_content_type(), found["To"]) == ("multipart/report", "bounce@example.cn")
    status = b"".join(part.as_bytes() for part in found.iter_parts())
    assert b"Original-Envelope-Id: 7-12-1.seal" in status
    assert b"Action: delivered" in status
    assert b"<7-12.mark@example.cn>" in status
    (one,) = report.taken
    assert (one.alert, one.ordinal, one.attempt, one.address) == (7, 12, 1, "a@example.org")
    assert report.texts[one.text_hash] == "请立即转移。\n.\n..点\n"
    assert report.delivered == {"<7-12.mark@example.cn>"} == report.acknowledged_receipts


async def test_our_driver_understands_the_reports(tmp_path: Path) -> None:
    async with mailbox() as box, server(tmp_path, box, at_once(failures={"5.1.1 no such mailbox": 1.0})) as rehearsal:
        gateway = rehearsal.gateway(
            Medium.EMAIL, rate=100, name="mail", driver="smtp", user="office", password="right", return_path=SENDER,
            bounce_token=TOKEN,
        )  # fmt: skip
        plugin = Registry.installed().plugin(Medium.EMAIL, "smtp")
        driver = plugin.build(gateway, MemoryJournal())
        await driver.open(MemoryInbox())
        expires = datetime.now(UTC) + timedelta(hours=1)
        sent = Envelope(DeliveryKey(3, 4, 2), "a@example.org", Message("台风", subject="台风"), 0, expires)
        (outcome,) = [one async for one in driver.send([sent])]
        await driver.close()
        await box.until(1)
        (taken,) = rehearsal.report().taken
    assert isinstance(outcome, Accepted)
    assert isinstance(plugin, ParsesCallback)
    assert (taken.ref, taken.alert, taken.ordinal, taken.attempt) == (outcome.ref, 3, 4, 2)
    result = plugin.parse(gateway, {"authorization": f"Bearer {TOKEN}"}, {}, box.mails[0])
    (receipt,) = result.receipts
    assert (receipt.key, receipt.ref, receipt.evidence) == (sent.key, outcome.ref, Evidence.FAILED)
    assert "5.1.1" in receipt.reason


async def test_a_report_that_is_not_taken_comes_again(tmp_path: Path) -> None:
    async with mailbox() as box, server(tmp_path, box) as rehearsal:
        box.refusing = 1
        async with signed_in(rehearsal) as client:
            await reported(client, "a@example.org", mail("台风"))
        await box.until(1)
        await acknowledged(rehearsal, 1)
        assert len(box.shown) >= 2
        assert (await rehearsal.client.total()).receipts_waiting == 0


@pytest.mark.parametrize("notify", ["NEVER", "FAILURE"])
async def test_nobody_is_told_who_does_not_want_to_be(tmp_path: Path, notify: str) -> None:
    async with mailbox() as box, server(tmp_path, box) as rehearsal:
        async with signed_in(rehearsal) as client:
            options = [f"NOTIFY={notify}"]
            await client.sendmail("bounce@example.cn", "a@example.org", mail("台风"), rcpt_options=options)
            await reported(client, "b@example.org", mail("台风"))
        await box.until(1)
        assert [mail for mail in box.mails if b"b@example.org" not in mail] == []


async def test_a_wrong_password_a_bad_mailbox_and_a_full_house_are_answered_so(tmp_path: Path) -> None:
    refusals = at_once(refuse={"5.1.1 unknown user": 1.0})
    async with mailbox() as box, server(tmp_path, box, refusals) as rehearsal:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=rehearsal.fronts["smtp"].port, start_tls=False)
        await client.connect()
        with pytest.raises(aiosmtplib.SMTPAuthenticationError) as wrong:
            await client.login("office", "left")
        client.close()
        async with signed_in(rehearsal) as client:
            with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
                await client.sendmail("bounce@example.cn", "a@example.org", mail("台风"))
            await rehearsal.client.behave(Medium.EMAIL, refuse={}, busy=1)
            with pytest.raises(aiosmtplib.SMTPDataError) as busy:
                await client.sendmail("bounce@example.cn", "a@example.org", mail("台风"))
    assert wrong.value.code == 535
    assert "5.1.1 unknown user" in refused.value.recipients[0].message
    assert busy.value.code == 451


async def test_the_standard_librarys_client_sends_several_in_one_session(tmp_path: Path) -> None:
    def send(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            client.login("office", "right")
            for number in range(20):
                client.sendmail("bounce@example.cn", f"a{number}@example.org", mail(f"第 {number} 封"))

    async with mailbox() as box, server(tmp_path, box) as rehearsal:
        await asyncio.to_thread(send, rehearsal.fronts["smtp"].port)
        report = rehearsal.report()
    assert [one.address for one in report.taken] == [f"a{number}@example.org" for number in range(20)]
    assert report.losses == []


async def test_who_confirms_by_the_mails_link_presses_its_button(tmp_path: Path) -> None:
    duty = Duty(silent=0, after=Delay(), ways={"link": 1})
    async with mailbox() as box, server(tmp_path, box, at_once(duty=duty)) as rehearsal:
        async with signed_in(rehearsal) as client:
            text = f"请立即转移。收到请回复“1”，或点开 http://127.0.0.1:{box.port}/r/abc 。"
            await client.sendmail("bounce@example.cn", "a@example.org", mail(text))
        await box.until(1)
    assert box.pressed == ["abc"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"DATA\r\n", b"503"),
        (b"MAIL FROM:a@example.org\r\n", b"501"),
        (b"MAIL FROM:<a@example.org> FUTURE=1\r\n", b"555"),
        (b"TURN\r\n", b"500"),
        (b"AUTH PLAIN ?\r\n", b"535"),
        (b"x" * 5000, b"500"),
        (b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nRCPT TO:<c@example.org>\r\n", b"452"),
    ],
)
async def test_what_makes_no_sense_is_answered_and_ends_nothing_else(tmp_path: Path, said: bytes, code: bytes) -> None:
    async with mailbox() as box, server(tmp_path, box) as rehearsal:
        async with signed_in(rehearsal) as neighbour:
            reader, writer = await asyncio.open_connection("127.0.0.1", rehearsal.fronts["smtp"].port)
            await reader.readline()
            user = b"AUTH PLAIN AG9mZmljZQByaWdodA==\r\n" if said.startswith(b"MAIL") else b""
            writer.write(user + said)
            async with asyncio.timeout(60):
                while not (line := await reader.readline()).startswith(code):
                    assert line
            writer.close()
            await neighbour.sendmail("bounce@example.cn", "a@example.org", mail("台风"))


async def acknowledged(rehearsal: RehearsalProcess, count: int) -> None:
    async with asyncio.timeout(60):
        while (await rehearsal.client.total()).receipts_acknowledged < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
