"""Delivery reports become receipts; whatever else lands in the bounce mailbox does not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.errors import InputError, UnauthenticatedError
from broadcaster.ports import DeliveryKey, Evidence, GatewaySettings, Medium, ParsesCallback
from channels.email.bounce import receipts_in
from channels.email.seal import Seal
from channels.email.smtp import plugin

NOW = datetime(2026, 8, 1, 3, 0, tzinfo=UTC)
KEY = DeliveryKey(7, 12, 1)
TOKEN = "a token long enough to be one"
SEAL = Seal(TOKEN)
SEALED = SEAL.write(KEY)

REPORT = """\
Return-Path: <>
From: MAILER-DAEMON@mail.example.org
To: {to}
Subject: Undelivered Mail Returned to Sender
Date: Sat, 01 Aug 2026 10:59:00 +0800
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=b"

--=b
Content-Type: text/plain; charset=us-ascii

I am sorry: zhang.san@example.org does not exist.

--=b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org
{envelope}Arrival-Date: Sat, 01 Aug 2026 10:58:59 +0800

Final-Recipient: rfc822; zhang.san@example.org
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {status} <zhang.san@example.org>: said something
{returned}
--=b--
"""
HEADERS_RETURNED = """
--=b
Content-Type: {kind}

From: yujing@ebs.example.cn
Message-ID: {message_id}
Subject: x

"""
MESSAGE_ID = "<7-12.0123456789abcdef@ebs.example.cn>"


def report(
    action: str = "failed",
    status: str = "5.1.1",
    *,
    to: str = "bounce@ebs.example.cn",
    envelope: str = "",
    returned: str = "",
) -> bytes:
    written = f"Original-Envelope-Id: {envelope}\n" if envelope else ""
    return REPORT.format(action=action, status=status, to=to, envelope=written, returned=returned).encode()


def test_a_failure_is_told_with_its_reason_and_without_the_person() -> None:
    (receipt,) = receipts_in(report(envelope=SEALED), NOW, SEAL)
    assert (receipt.key, receipt.evidence) == (KEY, Evidence.FAILED)
    assert receipt.reason == "5.1.1 没有这个邮箱"
    assert receipt.at == datetime(2026, 8, 1, 2, 59, tzinfo=UTC)


def test_a_delivery_is_evidence() -> None:
    (receipt,) = receipts_in(report("delivered", "2.1.5", envelope=SEALED), NOW, SEAL)
    assert (receipt.key, receipt.evidence, receipt.reason) == (KEY, Evidence.DELIVERED, "")


@pytest.mark.parametrize("action", ["relayed", "expanded", "delayed", "sung", ""])
def test_what_proves_nothing_about_the_mailbox_makes_no_receipt(action: str) -> None:
    assert receipts_in(report(action, "2.0.0", envelope=SEALED), NOW, SEAL) == ()


@pytest.mark.parametrize("action", ["Failed", "FAILED (after 3 days)"])
def test_the_action_is_read_as_the_servers_write_it(action: str) -> None:
    assert len(receipts_in(report(action, envelope=SEALED), NOW, SEAL)) == 1


@pytest.mark.parametrize(
    "raw",
    [
        report(envelope=SEALED),
        report(to=f"bounce+{SEALED}@ebs.example.cn"),
        report(to=f"<BOUNCE+{SEALED.upper()}@EBS.example.cn>"),
    ],
    ids=["ENVID", "return path", "return path in capitals"],
)
def test_either_place_of_the_key_is_enough_to_know_the_mail(raw: bytes) -> None:
    (receipt,) = receipts_in(raw, NOW, SEAL)
    assert receipt.key == KEY


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/rfc822"])
def test_without_a_key_the_returned_message_id_names_the_mail(kind: str) -> None:
    raw = report(returned=HEADERS_RETURNED.format(kind=kind, message_id=MESSAGE_ID))
    (receipt,) = receipts_in(raw, NOW, SEAL)
    assert (receipt.ref, receipt.key) == (MESSAGE_ID, None)


def test_the_returned_mail_of_somebody_else_is_none_of_our_business() -> None:
    raw = report(returned=HEADERS_RETURNED.format(kind="message/rfc822", message_id="<newsletter@example.org>"))
    assert receipts_in(raw, NOW, SEAL) == ()


@pytest.mark.parametrize("envelope", ["7-12-1", "7-12-1.0000000000000000", Seal("guess").write(KEY), "QQ314159"])
def test_a_report_that_we_did_not_seal_is_not_believed(envelope: str) -> None:
    assert receipts_in(report("delivered", "2.0.0", envelope=envelope), NOW, SEAL) == ()


def test_a_report_about_several_recipients_is_read_whole() -> None:
    other = "\nFinal-Recipient: rfc822; b@example.org\nAction: delayed\nStatus: 4.4.1\n"
    raw = report(envelope=SEALED).replace(b"said something\n", b"said something\n" + other.encode())
    assert [receipt.evidence for receipt in receipts_in(raw, NOW, SEAL)] == [Evidence.FAILED]


@pytest.mark.parametrize("date", ["", "Date: yesterday\n", "Date: Fri, 01 Aug 2036 10:59:00 +0800\n"])
def test_a_missing_or_impossible_date_becomes_the_moment_of_arrival(date: str) -> None:
    raw = report(envelope=SEALED).replace(b"Date: Sat, 01 Aug 2026 10:59:00 +0800\n", date.encode(), 1)
    (receipt,) = receipts_in(raw, NOW, SEAL)
    assert receipt.at == NOW


def test_a_vacation_notice_is_not_evidence() -> None:
    notice = (
        f"From: a@example.org\nTo: bounce+{SEALED}@ebs.example.cn\nAuto-Submitted: auto-replied\n\n收到，我在休假\n"
    )
    assert receipts_in(notice.encode(), NOW, SEAL) == ()


def test_what_is_no_mail_is_refused() -> None:
    with pytest.raises(InputError, match="不是一封邮件"):
        receipts_in(b"", NOW, SEAL)


@given(st.binary(max_size=400), st.integers(0, 900))
def test_no_damage_to_a_report_makes_more_than_a_refusal(noise: bytes, place: int) -> None:
    raw = report(envelope=SEALED, returned=HEADERS_RETURNED.format(kind="message/rfc822", message_id=MESSAGE_ID))
    try:
        found = receipts_in(raw[:place] + noise + raw[place + len(noise) :], NOW, SEAL)
    except InputError:
        return
    assert all(receipt.key in (KEY, None) for receipt in found)


def gateway(**options: object) -> GatewaySettings:
    given = {"host": "relay", "sender": "yujing@ebs.example.cn", **options}
    return GatewaySettings("mail", Medium.EMAIL, "smtp", rate=10, options=given)


@pytest.mark.parametrize(
    ("headers", "query"), [({"authorization": f"Bearer {TOKEN}"}, {}), ({}, {"token": TOKEN})], ids=["header", "query"]
)
def test_the_mail_server_posts_a_bounce_and_is_answered(headers: dict[str, str], query: dict[str, str]) -> None:
    assert isinstance(plugin, ParsesCallback)
    result = plugin.parse(gateway(bounce_token=TOKEN), headers, query, report(envelope=SEALED))
    assert [receipt.key for receipt in result.receipts] == [KEY]
    assert (result.status, result.replies) == (200, ())


@pytest.mark.parametrize(
    ("options", "headers"),
    [
        ({"bounce_token": TOKEN}, {}),
        ({"bounce_token": TOKEN}, {"authorization": "Bearer wrong"}),
        ({"bounce_token": TOKEN}, {"authorization": "Bearer 错"}),
        ({}, {"authorization": "Bearer "}),
        ({}, {}),
    ],
)
def test_without_the_token_nothing_is_believed(options: dict[str, object], headers: dict[str, str]) -> None:
    with pytest.raises(UnauthenticatedError):
        plugin.parse(gateway(**options), headers, {}, report(envelope=SEALED))
