"""A whole installation whose mails go through a server of their own, and come back: receipts, answers, escalation."""

from __future__ import annotations

import asyncio
import email
import smtplib
from email import policy
from email.message import EmailMessage
from typing import Any

import pytest

from adapters import cap
from audiences.generator.places import DISTRICT_CODE
from tests.harness.ground import Ground, ground
from tests.harness.mail_relay import RelayProcess, running_relay
from tests.harness.mails import MAIL, POLICIES, TOKEN
from tests.harness.ports import free_port
from tests.harness.waiting import wait_until

MAILBOXES = """
INSERT INTO contact (person_id, medium, address, region_code, priority, active)
SELECT person_id, 'email', 'head' || id || '@example.org', '', 0, true
FROM contact WHERE medium = 'phone' AND person_id IS NOT NULL
"""


def parsed(taken: dict[str, Any]) -> EmailMessage:
    mail = email.message_from_string(taken["content"], policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


async def test_people_on_duty_get_the_alert_by_mail_and_confirm_by_answering(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    back = free_port()
    with running_relay("DSN", "PIPELINING") as relay:
        await relay.hand_back(back)
        policies = POLICIES + MAIL.format(port=relay.port, rate=200, slots=2, token=TOKEN, back=back)
        folder = tmp_path_factory.mktemp("mail")
        async with ground(folder, households=20, rates={}, policies=policies) as made:
            async with made.house.database.connection() as connection:
                await connection.execute(MAILBOXES)
            await made.hire()
            await made.connected()
            alert = await made.send("red", [DISTRICT_CODE], to_heads=True)
            await made.taken(alert.id, 500)
            mails = [parsed(mail) for mail in await relay.taken()]
            assert len(mails) == 500
            _hold_the_document(mails)
            await _delivered(made, alert.id, 500)
            await _confirmed(made, relay, alert.id, mails[:20], back)


def _hold_the_document(mails: list[EmailMessage]) -> None:
    for mail in mails:
        (attached,) = mail.iter_attachments()
        assert attached.get_filename() == "alert.cap.xml"
    content = attached.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert cap.read(content).infos[0].headline.endswith("发布台风预警")


async def _delivered(made: Ground, alert_id: int, count: int) -> None:
    async def all_of_them() -> bool:
        return (await made.progress(alert_id)).deliveries["delivered"] == count

    await wait_until(all_of_them, what="the relay's reports counted")


async def _confirmed(made: Ground, relay: RelayProcess, alert_id: int, mails: list[EmailMessage], back: int) -> None:
    await asyncio.to_thread(_answer, mails, back)

    async def all_of_them() -> bool:
        return (await made.progress(alert_id)).units.acknowledged == len(mails)

    await wait_until(all_of_them, what="the answers to confirm their units")


def _answer(mails: list[EmailMessage], back: int) -> None:
    with smtplib.LMTP("127.0.0.1", back) as client:
        for mail in mails:
            answer = EmailMessage()
            answer["From"], answer["To"], answer["Subject"] = mail["To"], mail["Reply-To"], f"Re: {mail['Subject']}"
            answer["Message-ID"] = f"<answer-to-{mail['To']}>"
            answer.set_content("1\n\n> 请回复1确认")
            client.sendmail(str(mail["To"]), [str(mail["Reply-To"])], answer.as_bytes())
