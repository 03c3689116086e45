"""Bounces and answers in an IMAP mailbox, on Debian's Dovecot; signing in at Postfix, which asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from broadcaster.errors import UnavailableError
from broadcaster.ports import Accepted, Deferred, DeliveryKey, Evidence, GatewaySettings, Medium
from broadcaster.testing.memory import MemoryInbox, MemoryJournal
from channels.email.post import Kind
from channels.email.seal import Seal
from channels.email.smtp import SmtpDriver, SmtpPlugin
from tests.harness.certificates import Certificates, certificates
from tests.harness.dovecot import PASSWORD, USER, Dovecot, dovecot
from tests.harness.mail_relay import RelayProcess, running_relay
from tests.harness.mails import TOKEN, sent
from tests.harness.postfix import postfix
from tests.harness.waiting import wait_until

KEY = DeliveryKey(7, 1, 1)
BOUNCE = f"""From: MAILER-DAEMON@example.org
To: bounce+{Seal(TOKEN).write(KEY)}@ebs.example.cn
Subject: Undelivered
Content-Type: multipart/report; report-type=delivery-status; boundary="=b"

--=b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org

Final-Recipient: rfc822; zhang@example.org
Action: failed
Status: 5.2.2
--=b--
"""
POISON = "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n" + "--b\n\nx\n" * 5_000


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def server(paper: Certificates) -> Iterator[Dovecot]:
    with dovecot(paper) as server:
        yield server


@pytest.fixture(scope="module")
def relay() -> Iterator[RelayProcess]:
    with running_relay() as relay:
        yield relay


class Office:
    """A gateway that looks into the mailbox."""

    def __init__(self, server: Dovecot, relay: RelayProcess, **options: object) -> None:
        self.inbox = MemoryInbox()
        self.journal = MemoryJournal()
        given = {
            "host": "127.0.0.1",
            "port": relay.port,
            "tls": "none",
            "sender": "yujing@ebs.example.cn",
            "bounce_token": TOKEN,
            "ca": str(server.certificates.authority),
            "imap_host": "127.0.0.1",
            "imap_port": server.port,
            "imap_user": USER,
            "imap_password": PASSWORD,
            "imap_every": 0.1,
            **options,
        }
        driver = SmtpPlugin().build(GatewaySettings("mail", Medium.EMAIL, "smtp", rate=1, options=given), self.journal)
        assert isinstance(driver, SmtpDriver)
        self.driver = driver

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[Office]:
        await self.driver.open(self.inbox)
        try:
            yield self
        finally:
            await self.driver.close()

    def says(self, words: str) -> bool:
        return any(words in line for line in self.journal.lines)


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
async def test_a_bounce_is_stored_and_only_then_removed(server: Dovecot, relay: RelayProcess, tls: str) -> None:
    server.put(BOUNCE.encode())
    port = server.port if tls == "implicit" else server.plain
    office = Office(server, relay, imap_tls=tls, imap_port=port)
    office.inbox.refuse(True)
    async with office.at_work():
        await office.inbox.until(lambda: office.inbox.attempts > 2, 60)
        assert len(server.flags()) == 1
        office.inbox.refuse(False)
        await office.inbox.until(lambda: bool(office.inbox.stored_receipts), 60)
        (receipt,) = office.inbox.stored_receipts
        assert (receipt.key, receipt.evidence, receipt.reason) == (KEY, Evidence.FAILED, "5.2.2 邮箱已满")
        await wait_until(lambda: not server.flags(), within=60, what="the bounce removed")
    assert office.says(Kind.REPORT.value)


async def test_a_mail_that_cannot_be_read_or_is_none_of_ours_is_set_aside_once_and_those_behind_it_are_read(
    server: Dovecot, relay: RelayProcess
) -> None:
    server.put(POISON.encode())
    server.put(b"Subject: buy now\n\nwin a prize\n")
    server.put(BOUNCE.encode())
    async with Office(server, relay).at_work() as office:
        await office.inbox.until(lambda: bool(office.inbox.stored_receipts), 60)
        await wait_until(lambda: len(server.flags()) == 2, within=60)
        server.put(BOUNCE.encode())
        await office.inbox.until(lambda: len(office.inbox.stored_receipts) == 2, 60)
    assert all(r"\Flagged" in flags and r"\Seen" not in flags for flags in server.flags())
    assert office.says(f"{Kind.STRANGE.value}（共 2 封）")
    assert not office.says("共 3 封")


async def test_two_workers_at_one_mailbox_lose_nothing_and_leave_nothing(server: Dovecot, relay: RelayProcess) -> None:
    for _ in range(20):
        server.put(BOUNCE.encode())
    first, second = Office(server, relay), Office(server, relay)
    async with first.at_work(), second.at_work():
        await wait_until(lambda: not server.flags(), within=60)
        both = first.inbox.stored_receipts + second.inbox.stored_receipts
    assert {receipt.key for receipt in both} == {KEY}
    assert len(both) >= 20


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"imap_password": "wrong"}, "登录被拒绝"),
        ({"imap_port": 1}, "连接不上"),
        ({"ca": ""}, "加密连接失败"),
        ({"imap_folder": "elsewhere"}, "没有这个文件夹"),
    ],
)
async def test_a_mailbox_that_cannot_be_used_is_said_once_and_mails_go_out_all_the_same(
    server: Dovecot, relay: RelayProcess, options: dict[str, object], said: str
) -> None:
    async with Office(server, relay, **options).at_work() as office:
        await wait_until(lambda: office.says(said), within=60, what=said)
        (outcome,) = await sent(office.driver, "a@example.org")
        assert isinstance(outcome, Accepted)
    assert sum(said in line for line in office.journal.lines) == 1
    assert not office.says(PASSWORD)


async def test_signing_in_at_an_independent_server_under_tls(server: Dovecot, paper: Certificates) -> None:
    secured = f"""
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = {paper.chain}
smtpd_tls_key_file = {paper.key}
smtpd_sasl_auth_enable = yes
smtpd_sasl_path = inet:127.0.0.1:{server.auth}
mynetworks = 10.0.0.0/8
"""
    with postfix(more=secured) as mta:
        given = {"host": "127.0.0.1", "port": mta.port, "sender": "yujing@ebs.example.cn", "ca": str(paper.authority)}

        def driver(**options: object) -> SmtpDriver:
            gateway = GatewaySettings("mail", Medium.EMAIL, "smtp", rate=1, options={**given, **options})
            made = SmtpPlugin().build(gateway, MemoryJournal())
            assert isinstance(made, SmtpDriver)
            return made

        signed_in = driver(user=USER, password=PASSWORD)
        await signed_in.open(MemoryInbox())
        outcomes = await sent(signed_in, *(f"a{number}@home.example.org" for number in range(5)))
        assert all(isinstance(outcome, Accepted) for outcome in outcomes), outcomes
        await signed_in.close()
        stranger = driver()
        await stranger.open(MemoryInbox())
        (outcome,) = await sent(stranger, "a@next.example.org")
        assert isinstance(outcome, Deferred), "a server that passes nothing on for us says nothing about the mailbox"
        assert "不为本网关转发" in outcome.reason
        await stranger.close()
        with pytest.raises(UnavailableError, match="登录被拒绝"):
            await driver(user=USER, password="wrong").open(MemoryInbox())
        with pytest.raises(UnavailableError, match="加密连接失败"):
            await driver(user=USER, password=PASSWORD, ca="").open(MemoryInbox())
        await wait_until(lambda: len(mta.delivered()) == 5, within=60)
