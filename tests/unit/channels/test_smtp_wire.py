"""A mail as it goes over the wire, and the sealed key in it."""

from __future__ import annotations

import email
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from broadcaster.ports import Attachment, DeliveryKey, Envelope, GatewaySettings, Medium, Message
from channels.email.mould import Mould
from channels.email.seal import Seal
from channels.email.settings import SmtpSettings
from channels.email.wire import from_xtext, message_id, named_by_us, verp, xtext

NOW = datetime(2026, 8, 1, 3, 0, tzinfo=UTC)
KEY = DeliveryKey(7, 12, 1)
MESSAGE = Message(
    "姜山镇上游村：台风红色预警。\n请立即转移。\n.\n…",
    subject="【红色】台风预警 " + "长" * 80,
    html="<p>请立即转移</p>",
)
SEALED = st.builds(
    DeliveryKey,
    st.integers(0, 10**12 - 1),
    st.integers(0, 10**12 - 1),
    st.integers(0, 10**6 - 1),
)


def settings(**options: object) -> SmtpSettings:
    given = {"host": "relay", "sender": "yujing@ebs.example.cn", "sender_name": "鄞州区应急局", **options}
    return SmtpSettings.read(GatewaySettings("mail", Medium.EMAIL, "smtp", rate=10, options=given))


def envelope(message: Message = MESSAGE, urgency: int = 0) -> Envelope:
    return Envelope(KEY, "resident@example.org", message, urgency, NOW)


def cast(envelope: Envelope, recipient: str = "resident@example.org", **options: object) -> bytes:
    mould = Mould(settings(**options))
    return mould.cast(envelope, recipient, mould.message_id(envelope, recipient), NOW)


def mail(recipient: str = "resident@example.org", urgency: int = 0, **options: object) -> EmailMessage:
    return parsed(cast(envelope(urgency=urgency), recipient, **options))


def parsed(raw: bytes) -> EmailMessage:
    mail = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n").rstrip("\n")


def test_the_mail_carries_text_and_html_and_says_who_sends_it() -> None:
    whole = mail()
    assert body(whole, "plain") == MESSAGE.text
    assert body(whole, "html") == MESSAGE.html
    assert whole["Subject"] == MESSAGE.subject
    assert whole["From"] == "鄞州区应急局 <yujing@ebs.example.cn>"
    assert whole["To"] == "resident@example.org"
    assert whole["Date"].datetime == NOW


def test_the_mail_asks_for_no_automatic_answers_and_is_no_bulk() -> None:
    assert mail()["Auto-Submitted"] == "auto-generated"
    assert mail()["Precedence"] is None
    assert mail()["List-Unsubscribe"] is None


def test_answers_go_to_an_address_with_the_sealed_key_where_they_are_read() -> None:
    plain: dict[str, Any] = {"reply_to": "huifu@ebs.example.cn", "bounce_token": "a token long enough to be one"}
    read = {**plain, "replies": True}
    assert parsed(cast(envelope(), **plain))["Reply-To"] == "huifu@ebs.example.cn"
    sealed = settings(**read).reply_seal.write(KEY)
    assert parsed(cast(envelope(), **read))["Reply-To"] == f"huifu+{sealed}@ebs.example.cn"
    assert settings(**read).seal.read(sealed) is None, "who may answer a mail cannot say that it bounced"


def test_a_file_goes_along_whole_beside_text_and_html() -> None:
    document = Attachment("alert.cap.xml", "application/cap+xml", "<alert>台风</alert>".encode() * 50)
    whole = parsed(cast(envelope(replace(MESSAGE, attachments=(document,)))))
    assert whole.get_content_type() == "multipart/mixed"
    assert (body(whole, "plain"), body(whole, "html")) == (MESSAGE.text, MESSAGE.html)
    (attached,) = whole.iter_attachments()
    assert attached.get_filename() == "alert.cap.xml"
    assert attached.get_content_type() == "application/cap+xml"
    assert attached.get_payload(decode=True) == document.content
    assert not any(part.defects for part in whole.walk())


@given(st.text(max_size=300), st.text(max_size=300), st.text(alphabet=st.characters(exclude_categories=["Cc", "Z"])))
def test_whatever_is_said_comes_out_of_the_mail_as_it_went_in(text: str, html: str, subject: str) -> None:
    said = Message(text or "x", subject=subject or "x", html=html)
    whole = parsed(cast(envelope(said)))
    assert whole["Subject"] == said.subject.encode("utf-8", "replace").decode()
    plain = whole.get_body(("plain",))
    assert plain is not None
    content = plain.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert content.replace(b"\r\n", b"\n") == said.text.replace("\r\n", "\n").encode("utf-8", "replace")


@pytest.mark.parametrize(("urgency", "important"), [(0, True), (1, True), (2, False), (3, False)])
def test_red_and_orange_are_marked_important(urgency: int, important: bool) -> None:
    assert (mail(urgency=urgency)["Importance"] == "high") is important


def test_the_wire_form_is_ascii_with_short_lines() -> None:
    raw = cast(envelope())
    assert raw.isascii()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_a_recipient_in_chinese_is_written_as_utf_8() -> None:
    raw = cast(envelope(), "村书记@example.cn")
    assert "To: 村书记@example.cn".encode() in raw


def test_a_mail_without_html_is_plain() -> None:
    plain = envelope(Message("请转移。", subject="台风"))
    assert parsed(cast(plain)).get_content_type() == "text/plain"


def test_sent_again_it_has_the_same_message_id_and_otherwise_another() -> None:
    seal = settings().seal

    def named(envelope: Envelope, recipient: str = "a@example.org") -> str:
        return message_id(envelope, recipient, seal, "ebs.example.cn")

    first = named(envelope())
    assert named(envelope()) == first
    assert named(envelope(), "b@example.org") != first
    assert named(envelope(Message("另一条", subject="台风"))) != first
    assert named(replace(envelope(), key=KEY._replace(attempt=2))) == first
    assert named_by_us(f"<other@example.org>\n {first}", seal) == (first, KEY)
    assert named_by_us(first, Seal("guess")) is None
    assert mail()["Message-ID"] == named(envelope(), "resident@example.org")


@given(SEALED)
def test_a_sealed_key_is_read_back_wherever_it_stands(key: DeliveryKey) -> None:
    seal = Seal("secret")
    sealed = seal.write(key)
    for text in (
        sealed,
        verp("bounce@example.cn", sealed),
        f"<{verp('b@example.cn', sealed).upper()}>",
        from_xtext(sealed),
    ):
        assert seal.read(text) == key


@given(SEALED, SEALED)
def test_a_key_that_somebody_else_wrote_is_no_key(key: DeliveryKey, other: DeliveryKey) -> None:
    seal = Seal("secret")
    assert seal.read(Seal("guess").write(key)) is None
    assert seal.read(str(key)) is None
    forged = f"{other}.{seal.write(key).partition('.')[2]}"
    assert seal.read(forged) == (key if key == other else None)


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126)))
def test_xtext_comes_back_and_holds_nothing_that_ends_a_parameter(text: str) -> None:
    written = xtext(text)
    assert from_xtext(written) == text
    assert "=" not in written
    assert " " not in written
