"""Mails as the rehearsal's mail server sees them, and the delivery reports that it writes (RFC 3461, 3464)."""

from __future__ import annotations

import email
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import format_datetime

from broadcaster.ports import DeliveryKey

NO_KEY = DeliveryKey(0, 0, 0)
OUR_KEY = re.compile(r"(\d{1,9})-(\d{1,9})-(\d{1,4})\.")
STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")

BOUNDARY = "rehearsal-report"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What MAIL and RCPT said. `notify`: the words of NOTIFY, FAILURE alone where it was not said."""

    sender: str
    recipient: str = ""
    envelope_id: str = ""
    notify: frozenset[str] = frozenset({"FAILURE"})

    @property
    def key(self) -> DeliveryKey:
        """The client's reference, as our own driver writes it into ENVID; alert 0 without one."""
        found = OUR_KEY.match(self.envelope_id)
        return DeliveryKey(*map(int, found.groups())) if found else NO_KEY

    def wants(self, *, good: bool) -> bool:
        """Whether the sender wants to be told."""
        return bool(self.sender) and ("SUCCESS" if good else "FAILURE") in self.notify


@dataclass(frozen=True, slots=True)
class Letter:
    """What the reader sees, and what reports name it by; `urgency` 0 if the mail is marked important, 2 if not."""

    message_id: str
    text: str
    urgency: int


def opened(raw: bytes) -> Letter:
    """A mail, read. Hostile ones are read as far as they can be."""
    mail = email.message_from_bytes(raw)
    urgency = 0 if str(mail.get("X-Priority", "")).startswith("1") else 2
    return Letter(str(mail.get("Message-ID", "")).strip(), _text(mail), urgency)


def _text(mail: Message) -> str:
    """The plain text; the HTML where there is none."""
    texts = {part.get_content_type(): part for part in mail.walk() if part.get_content_maintype() == "text"}
    part = texts.get("text/plain", texts.get("text/html"))
    content = part.get_payload(decode=True) if part is not None else None
    if part is None or not isinstance(content, bytes):
        return ""
    try:
        text = content.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        text = content.decode("utf-8", "replace")
    return text.replace("\r\n", "\n")


def unxtext(written: str) -> str:
    """xtext (RFC 3461, 4), read."""
    return _XTEXT.sub(lambda found: chr(int(found[1], 16)), written)


def report(envelope: Envelope, message_id: str, at: float, reason: str) -> bytes:
    """The delivery report on a mail: it has reached its mailbox (no `reason`), or has failed."""
    found = STATUS.search(reason)
    status = (found[1] if found else "5.0.0") if reason else "2.0.0"
    action = "failed" if reason else "delivered"
    kind = "rfc822" if envelope.recipient.isascii() else "utf-8"
    lines = (
        "From: Mail Delivery System <MAILER-DAEMON@rehearsal.invalid>",
        f"To: <{envelope.sender}>",
        f"Date: {format_datetime(datetime.fromtimestamp(at, UTC))}",
        f"Subject: Delivery report: {action}",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{BOUNDARY}"',
        "",
        f"--{BOUNDARY}",
        "Content-Type: text/plain; charset=utf-8",
        "",
        f"Your mail was {action}.",
        "",
        f"--{BOUNDARY}",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; rehearsal.invalid",
        *([f"Original-Envelope-Id: {envelope.envelope_id}"] if envelope.envelope_id else []),
        "",
        f"Final-Recipient: {kind}; {envelope.recipient}",
        f"Action: {action}",
        f"Status: {status}",
        f"Last-Attempt-Date: {format_datetime(datetime.fromtimestamp(at, UTC))}",
        "",
        f"--{BOUNDARY}",
        "Content-Type: text/rfc822-headers",
        "",
        f"Message-ID: {message_id}",
        "",
        f"--{BOUNDARY}--",
        "",
    )
    return "\r\n".join(lines).encode()
