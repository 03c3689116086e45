"""The SMTP driver against servers in other processes: the relay of the harness, and aiosmtpd as an independent one."""

from __future__ import annotations

import asyncio
import email
import mailbox
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from broadcaster.errors import UnavailableError
from broadcaster.ports import (
    Accepted,
    Deferred,
    DeliveryKey,
    GatewaySettings,
    Medium,
    Message,
    Rejected,
    Unknown,
)
from broadcaster.testing.memory import MemoryInbox, MemoryJournal
from channels.email.seal import Seal
from channels.email.settings import SmtpSettings
from channels.email.smtp import SmtpDriver
from tests.harness.certificates import certificates
from tests.harness.mail_relay import PASSWORD, USER, RelayProcess, running_relay
from tests.harness.mails import MESSAGE, TOKEN, sent
from tests.harness.ports import free_port


def keyword(option: str) -> str:
    return option.partition("=")[0]


class Desk:
    """Drivers to one relay, closed at the end."""

    def __init__(self, port: int, **options: object) -> None:
        self.options = {
            "host": "127.0.0.1",
            "port": port,
            "tls": "none",
            "sender": "yujing@ebs.example.cn",
            "timeout": 20,
            "data_timeout": 20,
            **options,
        }
        self.journal = MemoryJournal()
        self.drivers: list[SmtpDriver] = []

    def driver(self, **options: object) -> SmtpDriver:
        gateway = GatewaySettings("mail", Medium.EMAIL, "smtp", rate=100, options={**self.options, **options})
        self.drivers.append(SmtpDriver(SmtpSettings.read(gateway), self.journal))
        return self.drivers[-1]

    async def open(self, **options: object) -> SmtpDriver:
        driver = self.driver(**options)
        await driver.open(MemoryInbox())
        return driver

    async def close(self) -> None:
        for driver in self.drivers:
            await driver.close()


@pytest.fixture(params=["PIPELINING", "HELP"], ids=["pipelined", "step by step"])
def relay(request: pytest.FixtureRequest) -> Iterator[RelayProcess]:
    with running_relay("DSN", "SMTPUTF8", request.param) as relay:
        yield relay


@pytest.fixture
def plain_relay() -> Iterator[RelayProcess]:
    with running_relay() as relay:
        yield relay


@pytest.fixture
async def desk(relay: RelayProcess) -> AsyncIterator[Desk]:
    desk = Desk(relay.port)
    yield desk
    await desk.close()


async def test_reports_are_asked_for_with_the_sealed_key(desk: Desk, relay: RelayProcess) -> None:
    driver = await desk.open(bounce_token=TOKEN, return_path="bounce@ebs.example.cn")
    (outcome,) = await sent(driver, "a+b=c@example.org")
    (mail,) = await relay.taken()
    sealed = Seal(TOKEN).write(DeliveryKey(7, 1, 1))
    assert isinstance(outcome, Accepted)
    assert outcome.ref in mail["content"]
    assert mail["sender"] == f"bounce+{sealed}@ebs.example.cn"
    assert mail["mail_options"] == [f"SIZE={len(mail['content'].encode())}", "RET=HDRS", f"ENVID={sealed}"]
    assert mail["rcpt_options"] == ["NOTIFY=SUCCESS,FAILURE,DELAY", "ORCPT=rfc822;a+2Bb+3Dc@example.org"]
    assert driver.capabilities.receipts


async def test_a_relay_without_reports_is_not_asked_for_them(plain_relay: RelayProcess) -> None:
    desk = Desk(plain_relay.port)
    (outcome,) = await sent(await desk.open(), "a@example.org")
    (mail,) = await plain_relay.taken()
    assert isinstance(outcome, Accepted)
    assert [*map(keyword, mail["mail_options"]), *mail["rcpt_options"]] == ["SIZE"]
    await desk.close()


@pytest.mark.parametrize("mood", ["willing", "lenient"])
async def test_each_recipient_has_its_own_answer(desk: Desk, relay: RelayProcess, mood: str) -> None:
    await relay.play(mood)
    outcomes = await sent(
        await desk.open(),
        "a@example.org",
        "answer-550-5.1.1@example.org",
        "answer-450-4.2.1@example.org",
        "content-552-5.3.4@example.org",
        "content-452-4.3.1@example.org",
        "not an address",
        "b@example.org",
    )
    assert [type(outcome) for outcome in outcomes] == [
        Accepted,
        Rejected,
        Deferred,
        Rejected,
        Deferred,
        Rejected,
        Accepted,
    ]
    assert [mail["recipient"] for mail in await relay.taken()] == ["a@example.org", "b@example.org"]


async def test_a_message_that_would_forge_headers_is_rejected_and_never_written(
    desk: Desk, relay: RelayProcess
) -> None:
    forged = Message("请转移。", subject="台风\r\nBcc: everyone@example.org")
    (outcome,) = await sent(await desk.open(), "a@example.org", message=forged)
    assert isinstance(outcome, Rejected)
    (outcome,) = await sent(desk.drivers[0], "a@example.org>\r\nRCPT TO:<b@example.org")
    assert isinstance(outcome, Rejected)
    assert await relay.taken() == []


async def test_a_name_in_chinese_goes_where_the_relay_can_and_is_rejected_where_it_cannot(
    desk: Desk, relay: RelayProcess, plain_relay: RelayProcess
) -> None:
    (outcome,) = await sent(await desk.open(), "村书记@例子.中国")
    assert isinstance(outcome, Accepted)
    (mail,) = await relay.taken()
    assert mail["recipient"] == "村书记@xn--fsqu00a.xn--fiqs8s"
    assert "SMTPUTF8" in mail["mail_options"]
    elsewhere = Desk(plain_relay.port)
    (outcome, plain) = await sent(await elsewhere.open(), "村书记@例子.中国", "a@例子.中国")
    assert isinstance(outcome, Rejected)
    assert isinstance(plain, Accepted)
    await elsewhere.close()


async def test_one_connection_serves_many_batches(desk: Desk) -> None:
    driver = await desk.open()
    for _ in range(3):
        await sent(driver, "a@example.org", "b@example.org")
    assert sum("220 relay.example" in line for line in desk.journal.lines) == 1


async def test_a_relay_that_hung_up_while_idle_is_called_again_and_nothing_is_lost(
    desk: Desk, relay: RelayProcess
) -> None:
    driver = await desk.open()
    assert isinstance((await sent(driver, "a@example.org"))[0], Accepted)
    await relay.cut()
    assert isinstance((await sent(driver, "b@example.org"))[0], Accepted)
    assert len(await relay.taken()) == 2


async def test_a_relay_that_says_421_is_left_and_called_again(desk: Desk, relay: RelayProcess) -> None:
    driver = await desk.open()
    (busy,) = await sent(driver, "answer-421-4.3.2@example.org")
    assert isinstance(busy, Deferred)
    assert isinstance((await sent(driver, "a@example.org"))[0], Accepted)


async def test_silence_after_the_content_is_unknown_and_the_rest_of_the_batch_does_not_wait(
    desk: Desk, relay: RelayProcess
) -> None:
    driver = await desk.open(data_timeout=0.5)
    await relay.play("silent")
    outcomes = await sent(driver, *(f"r{number}@example.org" for number in range(20)))
    assert isinstance(outcomes[0], Unknown)
    assert all(isinstance(outcome, Deferred) for outcome in outcomes[1:])


async def test_nonsense_after_the_content_is_unknown(desk: Desk, relay: RelayProcess) -> None:
    driver = await desk.open()
    await relay.play("babbling-after-content")
    assert isinstance((await sent(driver, "a@example.org"))[0], Unknown)


async def test_a_relay_that_turns_us_away_defers_the_whole_batch_at_once(desk: Desk, relay: RelayProcess) -> None:
    driver = await desk.open()
    await relay.play("closed")
    outcomes = await sent(driver, *(f"r{number}@example.org" for number in range(50)))
    assert all(isinstance(outcome, Deferred) for outcome in outcomes)


async def test_a_caller_who_leaves_in_mid_mail_leaves_a_usable_driver(desk: Desk, relay: RelayProcess) -> None:
    driver = await desk.open()
    await relay.play("silent")
    leaving = asyncio.create_task(sent(driver, "a@example.org"))
    while not await relay.taken():  # noqa: ASYNC110 - the relay is another process: it can only be asked
        await asyncio.sleep(0.01)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await relay.play("willing")
    assert isinstance((await sent(driver, "b@example.org"))[0], Accepted)


async def test_signing_in_with_the_password_and_being_refused_without_it(desk: Desk, relay: RelayProcess) -> None:
    driver = await desk.open(user=USER, password=PASSWORD)
    await sent(driver, "a@example.org")
    assert (await relay.taken())[0]["signed_in"]
    with pytest.raises(UnavailableError, match="登录被拒绝") as refusal:
        await desk.open(user=USER, password="hunter2")
    assert "hunter2" not in str(refusal.value)
    assert not any("hunter2" in line or "@" in line for line in desk.journal.lines)


async def test_a_server_that_is_not_there_or_is_no_mail_server_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="连接不上"):
        await Desk(free_port()).open()

    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(web, "127.0.0.1", 0)
    async with server:
        with pytest.raises(UnavailableError) as refusal:
            await Desk(server.sockets[0].getsockname()[1]).open()
    assert refusal.value.remedy


async def test_a_relay_that_must_offer_tls_and_does_not_is_unavailable(desk: Desk) -> None:
    with pytest.raises(UnavailableError, match="不支持"):
        await desk.open(tls="starttls")


@contextmanager
def aiosmtpd(folder: Path, port: int, *options: str) -> Iterator[Path]:
    """An aiosmtpd process that keeps its mails as a Maildir."""
    maildir = folder / "maildir"
    command = [sys.executable, "-W", "ignore", "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", *options]
    handler = ["-c", "aiosmtpd.handlers.Mailbox", str(maildir)]
    with subprocess.Popen([*command, *handler], cwd=folder, stderr=subprocess.DEVNULL) as process:
        try:
            yield maildir
        finally:
            process.kill()


async def opened(desk: Desk, **options: object) -> SmtpDriver:
    """A driver that is open once the server has come up."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await desk.open(**options)
            except UnavailableError:
                await asyncio.sleep(0.05)


def certificate(folder: Path) -> tuple[str, str, str]:
    """Paths of an authority, a server certificate and its key, for this machine."""
    made = certificates(folder)
    return str(made.authority), str(made.chain), str(made.key)


def mails_in(maildir: Path) -> list[EmailMessage]:
    box = mailbox.Maildir(maildir, create=False)
    found = [email.message_from_bytes(box.get_bytes(key), policy=policy.default) for key in sorted(box.keys())]
    return [mail for mail in found if isinstance(mail, EmailMessage)]


@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
async def test_an_independent_server_gets_the_mail_whole(tmp_path: Path, tls: str) -> None:
    ca, cert, key = certificate(tmp_path)
    options = {"none": (), "starttls": ("--tlscert", cert, "--tlskey", key)}
    secured = options.get(tls, ("--smtpscert", cert, "--smtpskey", key))
    port = free_port()
    with aiosmtpd(tmp_path, port, *secured) as maildir:
        desk = Desk(port, data_timeout=5, host="localhost" if tls != "none" else "127.0.0.1")
        driver = await opened(desk, tls=tls, ca=ca if tls != "none" else "")
        outcomes = await sent(driver, *(f"resident{number}@example.org" for number in range(5)))
        await desk.close()
        assert all(isinstance(outcome, Accepted) for outcome in outcomes)
        mails = mails_in(maildir)
    assert {mail["To"] for mail in mails} == {f"resident{number}@example.org" for number in range(5)}
    assert {mail["Message-ID"] for mail in mails} == {o.ref for o in outcomes if isinstance(o, Accepted)}
    for mail in mails:
        plain = mail.get_body(("plain",))
        assert plain is not None
        assert plain.get_content().replace("\r\n", "\n").rstrip("\n") == MESSAGE.text
        assert mail["Subject"] == MESSAGE.subject


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    ca, cert, key = certificate(tmp_path)
    port = free_port()
    with aiosmtpd(tmp_path, port, "--tlscert", cert, "--tlskey", key):
        desk = Desk(port, host="localhost")
        await opened(desk, tls="starttls", ca=ca)
        with pytest.raises(UnavailableError, match="加密连接失败"):
            await desk.open(tls="starttls")
        await desk.close()


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_certificate_of_another_name_is_not_trusted(tmp_path: Path, tls: str) -> None:
    made = certificates(tmp_path, "mail.example.org")
    files = str(made.chain), str(made.key)
    how = (
        ("--tlscert", files[0], "--tlskey", files[1])
        if tls == "starttls"
        else ("--smtpscert", files[0], "--smtpskey", files[1])
    )
    port = free_port()
    with aiosmtpd(tmp_path, port, *how):
        desk = Desk(port, host="localhost", ca=str(made.authority))
        async with asyncio.timeout(60):
            while True:
                with pytest.raises(UnavailableError) as refusal:
                    await desk.open(tls=tls)
                if "连接不上" not in str(refusal.value):  # it has come up
                    break
                await asyncio.sleep(0.05)
        assert "加密连接失败" in str(refusal.value)
