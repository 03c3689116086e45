"""What comes back by mail, from servers that nobody here wrote: Postfix's reports, Dovecot's mailboxes."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage

import msgspec
import pytest

from broadcaster.ports import Accepted, DeliveryKey, Evidence, GatewaySettings, Medium, Receipt, Rejected
from broadcaster.testing.memory import MemoryInbox, MemoryJournal
from channels.email.post import Kind
from channels.email.seal import Seal
from channels.email.smtp import SmtpDriver, SmtpPlugin
from tests.harness.mail_relay import running_relay
from tests.harness.mails import MESSAGE, TOKEN, envelope, sent
from tests.harness.postfix import Postfix, postfix
from tests.harness.waiting import wait_until


@pytest.fixture(scope="module")
def server() -> Iterator[Postfix]:
    with running_relay("DSN") as beyond, postfix(next_port=beyond.port) as server:
        yield server


class Office:
    """A gateway through the server, with as many connections as are wanted, and what has come back to it."""

    def __init__(self, server: Postfix, **options: object) -> None:
        self.inbox = MemoryInbox()
        self.journal = MemoryJournal()
        self.plugin = SmtpPlugin()
        self.drivers: list[SmtpDriver] = []
        given = {
            "host": "127.0.0.1",
            "port": server.port,
            "tls": "none",
            "sender": "yujing@ebs.example.cn",
            "return_path": "bounce@ebs.example.cn",
            "reply_to": "huifu@ebs.example.cn",
            "replies": True,
            "bounce_token": TOKEN,
            "listen": f"127.0.0.1:{server.back}",
            **options,
        }
        self.gateway = GatewaySettings("mail", Medium.EMAIL, "smtp", rate=100, options=given)

    async def open(self) -> SmtpDriver:
        driver = self.plugin.build(self.gateway, self.journal)
        assert isinstance(driver, SmtpDriver)
        self.drivers.append(driver)
        await driver.open(self.inbox)
        return driver

    async def close(self) -> None:
        for driver in self.drivers:
            await driver.close()

    async def receipt(self, ordinal: int) -> Receipt:
        """The receipt about a delivery."""

        def found() -> Receipt | None:
            about = (one for one in self.inbox.stored_receipts if one.key and one.key.ordinal == ordinal)
            return next(about, None)

        received: Receipt = await wait_until(found, what=f"a receipt about {ordinal}")
        return received

    def noted(self, kind: Kind) -> int:
        return sum(kind.value in line for line in self.journal.lines)


@pytest.fixture
async def office(server: Postfix) -> AsyncIterator[Office]:
    office = Office(server)
    yield office
    await office.close()


async def test_a_mail_that_lies_in_the_mailbox_is_delivered(office: Office, server: Postfix) -> None:
    (outcome,) = await sent(await office.open(), "zhang@home.example.org", first=1)
    assert isinstance(outcome, Accepted)
    receipt = await office.receipt(1)
    assert (receipt.key, receipt.evidence, receipt.ref) == (DeliveryKey(7, 1, 1), Evidence.DELIVERED, outcome.ref)
    (mail,) = [mail for mail in server.delivered() if mail["Message-ID"] == outcome.ref]
    assert mail["X-Original-To"] == "zhang@home.example.org"


async def test_a_mailbox_that_does_not_exist_is_a_failure_with_its_reason(office: Office) -> None:
    await sent(await office.open(), "nobody7@home.example.org", first=2)
    receipt = await office.receipt(2)
    assert (receipt.evidence, receipt.reason) == (Evidence.FAILED, "5.1.1 没有这个邮箱")


@pytest.mark.parametrize(
    ("ordinal", "said", "reason"),
    [
        (3, "answer-550-5.1.1", "5.1.1 没有这个邮箱"),
        (4, "answer-552-5.2.2", "5.2.2 邮箱已满"),
        (5, "content-552-5.3.4", "5.3.4 邮件太大"),
        (6, "content-554-5.7.1", "5.7.1 被对方拒收"),
    ],
)
async def test_what_the_server_behind_refuses_comes_back_as_a_failure(
    office: Office, ordinal: int, said: str, reason: str
) -> None:
    await sent(await office.open(), f"{said}@next.example.org", first=ordinal)
    receipt = await office.receipt(ordinal)
    assert (receipt.evidence, receipt.reason) == (Evidence.FAILED, reason)


async def test_a_mail_that_is_larger_than_the_server_takes_is_rejected_and_those_beside_it_go_out(
    office: Office,
) -> None:
    driver = await office.open()
    large = msgspec.structs.replace(MESSAGE, text="长" * 300_000)
    batch = [envelope("wang@home.example.org", 40), envelope("wang@home.example.org", 41, large)]
    outcomes = [outcome async for outcome in driver.send(batch)]
    assert {outcome.key.ordinal: type(outcome) for outcome in outcomes} == {40: Accepted, 41: Rejected}
    assert "邮件太大" in str(outcomes)
    assert (await office.receipt(40)).evidence is Evidence.DELIVERED


async def test_a_delay_is_heard_of_and_is_no_receipt(office: Office) -> None:
    await sent(await office.open(), "x@down.example.org", "answer-452-4.2.2@next.example.org", first=7)
    await wait_until(lambda: office.noted(Kind.NOTICE) >= 2, what="two delays")
    assert [one for one in office.inbox.stored_receipts if one.key and one.key.ordinal == 7] == []


async def test_what_cannot_be_stored_is_brought_again(office: Office) -> None:
    driver = await office.open()
    office.inbox.refuse(True)
    await sent(driver, "nobody@home.example.org", first=9)
    await office.inbox.until(lambda: office.inbox.attempts > 0)
    office.inbox.refuse(False)
    assert (await office.receipt(9)).evidence is Evidence.FAILED


async def test_a_report_waits_at_the_server_until_somebody_listens(server: Postfix) -> None:
    office = Office(server)
    await sent(await office.open(), "nobody@home.example.org", first=10)
    await office.close()
    office.inbox.stored_receipts.clear()
    await sent_by_hand(server, f"bounce+{Seal(TOKEN).write(DeliveryKey(7, 11, 1))}@ebs.example.cn", "550 5.1.1 no")
    later = Office(server)
    await later.open()
    assert (await later.receipt(11)).evidence is Evidence.FAILED
    await later.close()


async def test_several_processes_may_listen_and_each_report_counts_once(server: Postfix) -> None:
    offices = [Office(server) for _ in range(3)]
    drivers = [await office.open() for office in offices]
    await asyncio.gather(
        *(sent(driver, *["nobody@home.example.org"] * 5, first=20 + 5 * n) for n, driver in enumerate(drivers))
    )

    def received() -> list[int]:
        return sorted(
            receipt.key.ordinal
            for office in offices
            for receipt in office.inbox.stored_receipts
            if receipt.key and 20 <= receipt.key.ordinal < 35
        )

    await wait_until(lambda: len(received()) >= 15)
    assert received() == list(range(20, 35))
    for office in offices:
        await office.close()


async def test_a_forged_report_is_ignored_and_counted(office: Office, server: Postfix) -> None:
    await office.open()
    guessed = Seal("guess").write(DeliveryKey(7, 13, 1))
    for _ in range(3):
        await sent_by_hand(server, f"bounce+{guessed}@ebs.example.cn", "550 5.1.1 no such user")
    await wait_until(lambda: any("共 2 封" in line for line in office.journal.lines))
    about = {one.key.ordinal for one in office.inbox.stored_receipts if one.key}
    assert 13 not in about, "what comes late of another test's mails is none of this one's"


async def test_an_answer_to_the_reply_address_is_a_reply(office: Office, server: Postfix) -> None:
    await sent(await office.open(), "li@home.example.org", first=12)
    await office.receipt(12)
    (mail,) = [mail for mail in server.delivered() if mail["X-Original-To"] == "li@home.example.org"]
    answer = EmailMessage()
    answer["From"], answer["To"], answer["Subject"] = "li@home.example.org", mail["Reply-To"], f"Re: {mail['Subject']}"
    answer["In-Reply-To"] = mail["Message-ID"]
    answer.set_content("1 已转移32人\n\n发件人：应急局\n> 请回复1确认，2求助")
    await asyncio.to_thread(_hand_over, server, answer, mail["Reply-To"])
    await office.inbox.until(lambda: bool(office.inbox.stored_replies))
    (reply,) = office.inbox.stored_replies
    assert (reply.text, reply.address) == ("1 已转移32人", "li@home.example.org")
    assert reply.key is not None
    assert (reply.key.alert, reply.key.ordinal) == (7, 12)


async def sent_by_hand(server: Postfix, to: str, said: str) -> None:
    bounce = EmailMessage()
    bounce["From"], bounce["To"], bounce["Subject"] = "MAILER-DAEMON@far.example.org", to, "Undelivered"
    bounce.set_content(said)
    await asyncio.to_thread(_hand_over, server, bounce, to)


def _hand_over(server: Postfix, mail: EmailMessage, to: str) -> None:
    with smtplib.SMTP("127.0.0.1", server.port) as client:
        client.sendmail("", [to], mail.as_bytes())
