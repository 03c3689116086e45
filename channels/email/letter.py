"""A mail that came, taken apart within bounds: whoever wrote it may mean harm.

The standard library's parser does the work. It recurses into what is nested, makes an object of each part and each
block of fields, and reads a field's parameters with effort that grows with the square of their length; so what goes in
is cut and counted first.
"""

from __future__ import annotations

import codecs
import email
import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.policy import Compat32
from email.utils import parseaddr

from broadcaster.errors import InputError

LONGEST = 64 * 1024
"""Octets that are read: a report's own words come first, then the mail that it returns."""

MOST_NESTED = 24
MOST_PARTS = 100
MOST_BLOCKS = 3_000
LONGEST_FIELD = 2_000
LONGEST_TEXT = 32 * 1024

_SLOW = frozenset({"punycode", "idna"})
"""Codecs whose decoding takes effort that grows with the square of the text."""

_SERVERS = frozenset({"mailer-daemon", "postmaster", "mailerdaemon", "mdaemon", "mail-daemon", "maildelivery"})
_REMEDY = "请把退信邮箱收到的原始邮件（message/rfc822）完整提交。"
_NESTS = re.compile(rb"boundary|message/", re.IGNORECASE)
_BLANK = re.compile(rb"\n\r?\n")


class _Bounded(Compat32):
    """Fields as they came, cut to what anybody needs of them."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:LONGEST_FIELD]


_POLICY = _Bounded()


def opened(raw: bytes, lines: int | None = None) -> Message:
    """The mail in its parts, as far as it is read: `LONGEST`, and so many `lines` if that is said. `InputError` for
    what is no mail, or one that is built to be a burden."""
    raw = raw[:LONGEST]
    if lines is not None:
        raw = b"\n".join(raw.split(b"\n", lines)[:lines])
    nested = sum(1 for _ in _NESTS.finditer(raw))
    blocks = sum(1 for _ in _BLANK.finditer(raw))
    if nested > MOST_NESTED or blocks > MOST_BLOCKS or raw.count(b"\n--") > MOST_PARTS:
        raise InputError("收到的邮件结构异常，未读取。", remedy="请人工查看这封邮件。")
    mail = email.message_from_bytes(raw, policy=_POLICY)
    if not mail.keys():
        raise InputError("收到的退信不是一封邮件。", remedy=_REMEDY)
    return mail


def field(block: Message, name: str) -> str:
    """A field's text on one line, "" when there is none."""
    return tidy(block.get(name))


def fields(block: Message, *names: str) -> Iterator[str]:
    """The texts of all fields of these names."""
    for name in names:
        for value in block.get_all(name, []):
            yield tidy(value)


def tidy(value: object) -> str:
    """A field's value on one line."""
    return "" if value is None else " ".join(str(value).split())


def subject(mail: Message) -> str:
    """The subject in plain characters, however it was written."""
    raw = next((str(value) for name, value in mail.raw_items() if name.lower() == "subject"), "")[:400]
    try:
        pieces = decode_header(raw)
    except (HeaderParseError, ValueError):
        return tidy(raw)
    return tidy("".join(_spelt(piece, charset) for piece, charset in pieces))


def _spelt(piece: bytes | str, charset: str | None) -> str:
    written = piece.encode("utf-8", "surrogateescape") if isinstance(piece, str) else piece
    return decoded(written, charset or "utf-8")


def from_a_server(mail: Message) -> bool:
    """Whether a mail server wrote it, by its sender."""
    path = field(mail, "Return-Path")
    writer = parseaddr(field(mail, "From")[:400])[1].partition("@")[0].lower()
    return path == "<>" or writer in _SERVERS


def octets(part: Message) -> bytes:
    """What a part holds, without its transfer encoding."""
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def text(part: Message) -> str:
    """What a part says, from its beginning."""
    return decoded(octets(part)[:LONGEST_TEXT], part.get_content_charset() or "utf-8")


def decoded(content: bytes, charset: str) -> str:
    """Text in its own charset where that is known and true, else in UTF-8 or the national one."""
    for known in (charset, "utf-8"):
        try:
            if codecs.lookup(known).name not in _SLOW:  # by whichever of its many spellings
                return content.decode(known)
        except (LookupError, UnicodeError, ValueError):
            continue
    return content.decode("gb18030", "replace")
