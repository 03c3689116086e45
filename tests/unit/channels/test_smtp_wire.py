"""A mail as it goes over the wire, and the sealed key in it."""

from __future__ import annotations

import email
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from broadcaster.ports import DeliveryKey, Envelope, GatewaySettings, Medium, Message
from channels.email.seal import Seal
from channels.email.settings import SmtpSettings
from channels.email.wire import OUR_MESSAGE_ID, compose, from_xtext, message_id, verp, xtext

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


def mail(recipient: str = "resident@example.org", urgency: int = 0, **options: object) -> EmailMessage:
    raw = compose(envelope(urgency=urgency), recipient, settings(**options), NOW)
    parsed = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n").rstrip("\n")


def test_the_mail_carries_text_and_html_and_says_who_sends_it() -> None:
    parsed = mail()
    assert body(parsed, "plain") == MESSAGE.text
    assert body(parsed, "html") == MESSAGE.html
    assert parsed["Subject"] == MESSAGE.subject
    assert parsed["From"] == "鄞州区应急局 <yujing@ebs.example.cn>"
    assert parsed["To"] == "resident@example.org"
    assert parsed["Date"].datetime == NOW


def test_the_mail_asks_for_no_automatic_answers() -> None:
    assert mail()["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(("urgency", "important"), [(0, True), (1, True), (2, False), (3, False)])
def test_red_and_orange_are_marked_important(urgency: int, important: bool) -> None:
    assert (mail(urgency=urgency)["Importance"] == "high") is important


def test_the_wire_form_is_ascii_with_short_lines() -> None:
    raw = compose(envelope(), "resident@example.org", settings(), NOW)
    assert raw.isascii()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_a_recipient_in_chinese_is_written_as_utf_8() -> None:
    raw = compose(envelope(), "村书记@example.cn", settings(), NOW)
    assert "To: 村书记@example.cn".encode() in raw


def test_a_mail_without_html_is_plain() -> None:
    plain = envelope(Message("请转移。", subject="台风"))
    parsed = email.message_from_bytes(compose(plain, "a@example.org", settings(), NOW), policy=policy.default)
    assert parsed.get_content_type() == "text/plain"


def test_sent_again_it_has_the_same_message_id_and_otherwise_another() -> None:
    ours = settings()
    first = message_id(envelope(), "a@example.org", ours)
    assert message_id(envelope(), "a@example.org", ours) == first
    assert message_id(envelope(), "b@example.org", ours) != first
    assert message_id(envelope(Message("另一条", subject="台风")), "a@example.org", ours) != first
    again = replace(envelope(), key=KEY._replace(attempt=2))
    assert message_id(again, "a@example.org", ours) == first
    assert OUR_MESSAGE_ID.fullmatch(first)
    assert mail()["Message-ID"] == message_id(envelope(), "resident@example.org", ours)


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
