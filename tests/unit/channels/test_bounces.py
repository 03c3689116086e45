"""Delivery reports, bounces and answers become receipts and replies; whatever else arrives does not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.errors import InputError, UnauthenticatedError
from broadcaster.ports import DeliveryKey, Evidence, GatewaySettings, Medium, ParsesCallback, Receipt
from channels.email.letter import decoded
from channels.email.post import Kind, Post, read
from channels.email.seal import Seal, Seals
from channels.email.smtp import plugin

NOW = datetime(2026, 8, 1, 3, 0, tzinfo=UTC)
KEY = DeliveryKey(7, 12, 1)
TOKEN = "a token long enough to be one"
SEAL = Seal(TOKEN)
SEALED = SEAL.write(KEY)
REPLY_SEAL = Seal("another secret")
ANSWERED = REPLY_SEAL.write(KEY)
RETURN_PATH = f"bounce+{SEALED}@ebs.example.cn"
REPLY_TO = f"huifu+{ANSWERED}@ebs.example.cn"

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
MESSAGE_ID = f"<7-12.{SEAL.mark('id 7-12')}.0123456789abcdef@ebs.example.cn>"


def received(raw: bytes, *recipients: str) -> Post:
    return read(raw, recipients, NOW, Seals(SEAL, REPLY_SEAL))


def receipts_in(raw: bytes) -> tuple[Receipt, ...]:
    return received(raw).receipts


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
    (receipt,) = receipts_in(report(envelope=SEALED))
    assert (receipt.key, receipt.evidence) == (KEY, Evidence.FAILED)
    assert receipt.reason == "5.1.1 没有这个邮箱"
    assert receipt.at == datetime(2026, 8, 1, 2, 59, tzinfo=UTC)


def test_a_delivery_is_evidence() -> None:
    (receipt,) = receipts_in(report("delivered", "2.1.5", envelope=SEALED))
    assert (receipt.key, receipt.evidence, receipt.reason) == (KEY, Evidence.DELIVERED, "")


@pytest.mark.parametrize("action", ["relayed", "expanded", "delayed", "sung", ""])
def test_what_proves_nothing_about_the_mailbox_makes_no_receipt(action: str) -> None:
    assert received(report(action, "2.0.0", envelope=SEALED)) == Post(Kind.NOTICE)


def test_a_delay_is_nothing_final() -> None:
    assert received(report("delayed", "4.4.1", envelope=SEALED)) == Post(Kind.NOTICE)


@pytest.mark.parametrize("action", ["Failed", "FAILED (after 3 days)", "error"])
def test_the_action_is_read_as_the_servers_write_it(action: str) -> None:
    assert len(receipts_in(report(action, envelope=SEALED))) == 1


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
    (receipt,) = receipts_in(raw)
    assert receipt.key == KEY


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/rfc822"])
def test_without_a_key_the_returned_message_id_names_the_mail(kind: str) -> None:
    raw = report(returned=HEADERS_RETURNED.format(kind=kind, message_id=MESSAGE_ID))
    (receipt,) = receipts_in(raw)
    assert (receipt.ref, receipt.key) == (MESSAGE_ID, None)


def test_the_returned_mail_of_somebody_else_is_none_of_our_business() -> None:
    raw = report(returned=HEADERS_RETURNED.format(kind="message/rfc822", message_id="<newsletter@example.org>"))
    assert received(raw) == Post(Kind.FORGED)
    guessed = HEADERS_RETURNED.format(kind="message/rfc822", message_id=MESSAGE_ID.replace("<7-12", "<7-13"))
    assert received(report(returned=guessed)) == Post(Kind.FORGED)


@pytest.mark.parametrize("envelope", ["7-12-1", "7-12-1.0000000000000000", Seal("guess").write(KEY), "QQ314159"])
def test_a_report_that_we_did_not_seal_is_not_believed(envelope: str) -> None:
    assert received(report("delivered", "2.0.0", envelope=envelope)) == Post(Kind.FORGED)


def test_a_report_about_several_recipients_is_read_whole() -> None:
    other = "\nFinal-Recipient: rfc822; b@example.org\nAction: delayed\nStatus: 4.4.1\n"
    raw = report(envelope=SEALED).replace(b"said something\n", b"said something\n" + other.encode())
    assert [receipt.evidence for receipt in receipts_in(raw)] == [Evidence.FAILED]


@pytest.mark.parametrize("date", ["", "Date: yesterday\n", "Date: Fri, 01 Aug 2036 10:59:00 +0800\n"])
def test_a_missing_or_impossible_date_becomes_the_moment_of_arrival(date: str) -> None:
    raw = report(envelope=SEALED).replace(b"Date: Sat, 01 Aug 2026 10:59:00 +0800\n", date.encode(), 1)
    (receipt,) = receipts_in(raw)
    assert receipt.at == NOW


def test_a_vacation_notice_is_not_evidence() -> None:
    for said in ("Auto-Submitted: auto-replied", "Auto-Submitted: auto-replied (vacation)"):
        notice = f"From: a@example.org\nTo: {RETURN_PATH}, {REPLY_TO}\n{said}\n\n收到，我在休假 550 5.1.1\n"
        assert received(notice.encode()) == Post(Kind.NOTICE)


ODD = {
    "qmail": (
        "Hi. This is the qmail-send program at mail.example.org.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        "<zhang.san@example.org>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
        "--- Below this line is a copy of the message.\n\nReturn-Path: <x@example.org>\n",
        "5.1.1 没有这个邮箱",
    ),
    "in Chinese": (
        "抱歉，您的邮件被退回来了……\n收件人邮件地址（zhang.san@example.org）不存在，邮件无法送达。\n"
        "host mx.example.org said: 550 5.1.1 User not found\n",
        "5.1.1 没有这个邮箱",
    ),
    "without a code": ("抱歉，您的邮件被退回：收件人不存在，或已停用。\n", "对方退回，未说明状态码"),
    "full": ("您的邮件未能送达，对方邮箱已满。\n552 5.2.2 mailbox is full\n", "5.2.2 邮箱已满"),
}


@pytest.mark.parametrize("form", ODD)
def test_a_bounce_without_a_report_counts_for_the_mail_to_whose_return_path_it_came(form: str) -> None:
    said, reason = ODD[form]
    head = (
        "From: Postmaster@example.org\nTo: {to}\nSubject: failure notice\nContent-Type: text/plain; charset=utf-8\n\n"
    )
    (receipt,) = received(f"{head.format(to=RETURN_PATH)}{said}".encode()).receipts
    assert (receipt.key, receipt.evidence, receipt.reason) == (KEY, Evidence.FAILED, reason)
    forged = f"bounce+{Seal('guess').write(KEY)}@ebs.example.cn"
    assert received(f"{head.format(to=forged)}{said}".encode()) == Post(Kind.FORGED)
    assert received(f"{head.format(to='bounce@ebs.example.cn')}{said}".encode()) == Post(Kind.STRANGE)


@pytest.mark.parametrize(
    "said",
    [
        "Delayed: 450 4.2.1 try later. You need not send again.",
        "您的邮件暂时未能送达，系统将继续尝试投递。",
        "邮件投递失败通知：对方服务器忙，稍后重试。",
        "您好，您的来信已收到。",
    ],
)
def test_a_bounce_that_says_later_or_nothing_is_nothing_final(said: str) -> None:
    head = f"From: mailer-daemon@example.org\nTo: {RETURN_PATH}\nContent-Type: text/plain; charset=utf-8\n\n"
    assert received(f"{head}{said}\n".encode()).receipts == ()


def test_what_a_person_writes_to_the_return_path_is_no_bounce() -> None:
    head = f"From: zhang.san@example.org\nTo: {RETURN_PATH}\nContent-Type: text/plain; charset=utf-8\n\n"
    assert received(f"{head}老人不存在被退回的问题 5.1.1\n".encode()).receipts == ()


def letter(text: str, to: str = REPLY_TO, head: str = "", kind: str = "text/plain") -> bytes:
    written = f"From: 张三 <zhang.san@example.org>\nTo: {to}\nMessage-ID: <1@example.org>\n{head}"
    return f"{written}Content-Type: {kind}; charset=utf-8\n\n{text}".encode()


@pytest.mark.parametrize(
    "quote",
    [
        "> 原文",
        "------------------ 原始邮件 ------------------\n发件人: 应急局",
        "-----Original Message-----\nFrom: a",
        "发件人：应急局\n发送时间：2026年8月1日",
        "On Sat, Aug 1, 2026 at 3:00 AM 应急局 <yujing@ebs.example.cn> wrote:\n> x",
        "在 2026-08-01 03:00:00，应急局 写道：",
        "---- 回复的原邮件 ----\n| 发件人 | x |",
        "--\n张三",
        "发自我的iPhone",
        "________________________________\nFrom: a",
    ],
)
def test_an_answer_is_what_stands_above_the_quote(quote: str) -> None:
    (reply,) = received(letter(f"1\n已全部转移\n\n{quote}\n台风红色预警，请立即转移，回复2求助\n")).replies
    assert (reply.text, reply.address, reply.key, reply.id) == (
        "1\n已全部转移",
        "zhang.san@example.org",
        KEY,
        "<1@example.org>",
    )
    assert reply.at == NOW


def test_an_answer_in_html_is_read_without_its_markup_and_its_quote() -> None:
    said = "<style>p{}</style><div>1&nbsp;收到</div><div><br></div><blockquote>回复2求助</blockquote>"
    (reply,) = received(letter(said, kind="text/html")).replies
    assert reply.text == "1 收到"


def test_an_answer_is_known_by_the_mail_that_it_answers_where_plus_addresses_are_lost() -> None:
    (reply,) = received(letter("1", to="huifu@ebs.example.cn", head=f"In-Reply-To: {MESSAGE_ID}\n")).replies
    assert (reply.key, reply.text) == (KEY, "1")
    named = MESSAGE_ID.replace("<7-12", "<7-13")
    assert not received(letter("1", to="huifu@ebs.example.cn", head=f"References: {named}\n")).replies


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (letter("1", to="huifu@ebs.example.cn"), Kind.STRANGE),
        (letter("1", to=f"huifu+{Seal('guess').write(KEY)}@ebs.example.cn"), Kind.FORGED),
        (letter("1", head="Auto-Submitted: auto-replied\n"), Kind.NOTICE),
        (letter("1", head="Precedence: bulk\n"), Kind.NOTICE),
        (letter("我在休假", head="Subject: 自动回复: 台风预警\n"), Kind.NOTICE),
        (letter("我在休假", head="Subject: =?gb18030?B?19S2r7vYuLQ6IMyot+c=?=\n"), Kind.NOTICE),
        (letter("> 1"), Kind.NOTICE),
    ],
)
def test_what_nobody_wrote_or_nobody_sealed_is_no_answer(raw: bytes, kind: Kind) -> None:
    assert received(raw) == Post(kind)


def test_answers_are_not_read_where_that_is_not_wanted() -> None:
    assert read(letter("1"), (), NOW, Seals(SEAL, None)).replies == ()


def test_the_envelope_names_the_mail_when_the_header_does_not() -> None:
    (reply,) = received(letter("1", to="undisclosed"), REPLY_TO).replies
    assert reply.key == KEY


def test_what_is_no_mail_is_refused() -> None:
    with pytest.raises(InputError, match="不是一封邮件"):
        received(b"")


def nested(kind: str) -> bytes:
    opening = {
        "multipart": "Content-Type: multipart/mixed; boundary=b{0}\n\n--b{0}\n",
        "message": "Content-Type: message/rfc822\n\n",
        "parts": "--b\n\nx\n",
        "blocks": "a: b\n\n",
    }[kind]
    status = "--b\nContent-Type: message/delivery-status\n\n"
    head = f"To: {RETURN_PATH}\nContent-Type: multipart/report; boundary=b\n\n{status}"
    return (head + "".join(opening.format(level) for level in range(20_000))).encode()


@pytest.mark.parametrize("kind", ["multipart", "message", "parts", "blocks"])
def test_a_mail_that_is_built_to_be_a_burden_is_not_read(kind: str) -> None:
    with pytest.raises(InputError, match="异常"):
        received(nested(kind))


def test_a_report_that_returns_a_huge_mail_is_read_as_far_as_it_matters() -> None:
    huge = HEADERS_RETURNED.format(kind="message/rfc822", message_id=MESSAGE_ID) + "长" * 1_000_000
    (receipt,) = receipts_in(report(envelope=SEALED, returned=huge))
    assert (receipt.key, receipt.ref) == (KEY, MESSAGE_ID)


@given(st.binary(max_size=400), st.integers(0, 900))
def test_no_damage_to_a_report_makes_more_than_a_refusal(noise: bytes, place: int) -> None:
    raw = report(envelope=SEALED, returned=HEADERS_RETURNED.format(kind="message/rfc822", message_id=MESSAGE_ID))
    try:
        found = receipts_in(raw[:place] + noise + raw[place + len(noise) :])
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


@pytest.mark.parametrize("charset", ["punycode", "-PunyCode", "punycode_", "idna", " IDNA"])
def test_a_charset_that_takes_long_is_not_used_however_it_is_spelt(charset: str) -> None:
    assert decoded(b"relayed-xn--abc", charset) == "relayed-xn--abc"
