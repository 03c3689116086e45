"""A mail as it goes over the wire (RFC 5322, RFC 2045), cast from what all mails of an alert share.

Header fields are written by the standard library once for each value and kept; bodies and attachments are base64, so
that every relay passes them on unchanged and a signature stays good. A body differs for every household, but one pass
in C over all of it costs less than finding out which lines do not.
"""

from __future__ import annotations

import binascii
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.utils import format_datetime
from functools import lru_cache

from broadcaster.ports import Attachment, Envelope
from channels.email.channel import international
from channels.email.settings import SmtpSettings
from channels.email.wire import message_id, verp

GRAVE = 1  # urgency up to which a mail is marked important: red and orange
LINE = 76  # characters of a base64 line (RFC 2045 6.8)
# Neither can occur in base64, which has no "_": no body is looked through for them.
_WHOLE, _BODIES = "=_daohu_whole", "=_daohu_bodies"
_IMPORTANT = b"Importance: high\r\nX-Priority: 1\r\n"
# No vacation notices, please (RFC 3834; the second is Exchange's). No `Precedence: bulk`: servers may put bulk off, or
# throw it away.
_AUTOMATIC = b"Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: OOF, AutoReply\r\nMIME-Version: 1.0\r\n"
_PLAIN = b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
_HTML = b'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'


class Mould:
    """Makes the mails of one gateway."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._domain = settings.sender.rpartition("@")[2]
        self._dated: tuple[int, bytes] = (0, b"")

    def message_id(self, envelope: Envelope, recipient: str) -> str:
        """The mail's name; it is the delivery's `ref`."""
        return message_id(envelope, recipient, self._settings.seal, self._domain)

    def cast(self, envelope: Envelope, recipient: str, name: str, now: datetime) -> bytes:
        """The complete mail to `recipient` under the Message-ID `name`: CRLF line ends, ASCII only unless `recipient`
        is international."""
        message = envelope.message
        wide = international(recipient)
        return b"".join(
            (
                _mailbox("From", self._settings.sender, self._settings.options.sender_name, wide=wide),
                f"To: {recipient}\r\n".encode(),
                self._reply_to(envelope, wide=wide),
                _field("Subject", message.subject, wide=wide),
                self._date(now),
                f"Message-ID: {name}\r\n".encode(),
                _IMPORTANT if envelope.urgency <= GRAVE else b"",
                _AUTOMATIC,
                _body(message.text, message.html, message.attachments),
            )
        )

    def _reply_to(self, envelope: Envelope, *, wide: bool) -> bytes:
        settings = self._settings
        if not settings.reply_to:
            return b""
        if not settings.options.replies:
            return _mailbox("Reply-To", settings.reply_to, "", wide=wide)
        return f"Reply-To: {verp(settings.reply_to, settings.reply_seal.write(envelope.key))}\r\n".encode()

    def _date(self, now: datetime) -> bytes:
        second = int(now.timestamp())
        if self._dated[0] != second:
            self._dated = (second, f"Date: {format_datetime(now)}\r\n".encode())
        return self._dated[1]


def _body(text: str, html: str, attachments: tuple[Attachment, ...]) -> bytes:
    words = _PLAIN + _text(text)
    if html:
        words = _multipart("alternative", _BODIES, (words, _HTML + _text(html)))
    if attachments:
        words = _multipart("mixed", _WHOLE, (words, *map(_attached, attachments)))
    return words


def _multipart(kind: str, boundary: str, parts: tuple[bytes, ...]) -> bytes:
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n--{boundary}\r\n'.encode()
    return head + f"--{boundary}\r\n".encode().join(parts) + f"--{boundary}--\r\n".encode()


@lru_cache(maxsize=64)
def _attached(attachment: Attachment) -> bytes:
    name = attachment.name.encode("ascii", "replace").decode().translate(_UNQUOTED)
    head = (
        f'Content-Type: {attachment.media_type}; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n'
        f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'
    )
    return head.encode() + base64_lines(attachment.content)


_UNQUOTED = str.maketrans(dict.fromkeys('"\\\r\n/', "_"))


def _text(text: str) -> bytes:
    return base64_lines(text.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "replace"))


def base64_lines(octets: bytes) -> bytes:
    """base64 in lines, each with its CRLF."""
    long = binascii.b2a_base64(octets, newline=False)
    lines = [long[start : start + LINE] for start in range(0, len(long), LINE)]
    lines.append(b"")
    return b"\r\n".join(lines)


@lru_cache(maxsize=4096)
def _field(name: str, value: str, *, wide: bool) -> bytes:
    """A header field, folded and encoded; `wide` in UTF-8 as it is (RFC 6532)."""
    written = policy.SMTPUTF8 if wide else policy.SMTP
    value = value.encode("utf-8", "replace").decode()
    return written.fold_binary(*written.header_store_parse(name, value))


@lru_cache(maxsize=64)
def _mailbox(field: str, canonical: str, name: str, *, wide: bool) -> bytes:
    local, _, domain = canonical.rpartition("@")
    return _field(field, str(Address(name, local, domain)), wide=wide)
