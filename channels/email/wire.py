"""A mail as it goes over the wire, and the places in it that carry our delivery key.

The key travels sealed in two places, because each survives what loses the other: ENVID of the DSN extension (RFC 3461)
and the return path (VERP: `bounce+7-12-1.<seal>@…`). The Message-ID names the delivery without the attempt.
"""

from __future__ import annotations

import re
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from broadcaster.ports import Envelope
from channels.email.channel import international
from channels.email.settings import SmtpSettings

OUR_MESSAGE_ID = re.compile(r"<[0-9]{1,12}-[0-9]{1,12}\.[0-9a-f]{16}@[^<>\s]+>")
GRAVE = 1  # urgency up to which a mail is marked important: red and orange
_XTEXT_PLAIN = re.compile(r"[!-*,-<>-~]")  # RFC 3461 4: all printable ASCII but "+" and "="
_XTEXT_HEX = re.compile(r"\+([0-9A-F]{2})")


def compose(envelope: Envelope, recipient: str, settings: SmtpSettings, now: datetime) -> bytes:
    """The complete mail, CRLF line ends, ASCII only unless `recipient` is international."""
    message = envelope.message
    mail = EmailMessage(policy=policy.SMTPUTF8 if international(recipient) else policy.SMTP)
    mail["From"] = _address(settings.sender, settings.options.sender_name)
    mail["To"] = _address(recipient)
    if settings.reply_to:
        mail["Reply-To"] = _address(settings.reply_to)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = message_id(envelope, recipient, settings)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notices, please
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"  # the same for Exchange
    if envelope.urgency <= GRAVE:
        mail["Importance"] = "high"
        mail["X-Priority"] = "1"
    mail.set_content(message.text, cte="base64")
    if message.html:
        mail.add_alternative(message.html, subtype="html", cte="base64")
    return mail.as_bytes()


def message_id(envelope: Envelope, recipient: str, settings: SmtpSettings) -> str:
    """The same for every attempt to send a mail, so that mailboxes show it once; different for everything else."""
    delivery = f"{envelope.key.alert}-{envelope.key.ordinal}"
    said = "\0".join((delivery, recipient, envelope.message.subject, envelope.message.text))
    return f"<{delivery}.{settings.seal.mark(said)}@{settings.sender.rpartition('@')[2]}>"


def verp(return_path: str, sealed: str) -> str:
    """The return path of one mail: the mailbox with the sealed key as its plus part."""
    local, _, domain = return_path.rpartition("@")
    return f"{local}+{sealed}@{domain}"


def xtext(text: str) -> str:
    """`text` as xtext (RFC 3461 4); ValueError for what is not ASCII."""
    return "".join(
        character if _XTEXT_PLAIN.fullmatch(character) else f"+{octet:02X}"
        for character, octet in zip(text, text.encode("ascii"), strict=True)
    )


def from_xtext(written: str) -> str:
    """What `xtext` wrote."""
    return _XTEXT_HEX.sub(lambda match: chr(int(match[1], 16)), written)


def _address(canonical: str, name: str = "") -> Address:
    local, _, domain = canonical.rpartition("@")
    return Address(name, local, domain)
