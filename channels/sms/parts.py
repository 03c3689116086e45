"""A text as the parts that go over a carrier's interface: octets, coding, header (3GPP TS 23.038 and TS 23.040).

Carriers' interfaces take 8-bit ASCII or UCS-2, whatever the air interface makes of it, so a text is one or the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

ASCII = 0
UCS2 = 8
GBK = 15
"""Data codings: CMPP Msg_Fmt, SMGP MsgFormat, SMPP data_coding."""

PLAIN = frozenset(map(chr, range(0x20, 0x7F))) - set("^{}\\[~]|`") | {"\n", "\r"}
"""What ASCII and the handsets' 7-bit alphabet have in common, one septet each."""

SINGLE_OCTETS = {ASCII: 160, UCS2: 140}
PART_OCTETS = {ASCII: 153, UCS2: 134}
"""In one of several parts, behind the six octets of the header."""

CONCATENATED = b"\x05\x00\x03"
"""The header's length, element "concatenated, 8-bit reference", its length; then reference, total, number."""

MOST_PARTS = 255


class Part(NamedTuple):
    """One short message. `content` begins with the header where there are several (`total` > 1)."""

    content: bytes
    coding: int
    total: int
    number: int


def parts(text: str, reference: int) -> Sequence[Part]:
    """The parts of `text`, marked with `reference` modulo 256. A character of two UTF-16 units is never cut in two."""
    coding = ASCII if PLAIN.issuperset(text) else UCS2
    data = text.encode("ascii" if coding == ASCII else "utf-16-be", "replace")
    if len(data) <= SINGLE_OCTETS[coding]:
        return (Part(data, coding, 1, 1),)
    pieces = _cut(data, coding)
    mark = bytes([reference % 256, len(pieces)])
    return [
        Part(CONCATENATED + mark + bytes([number]) + piece, coding, len(pieces), number)
        for number, piece in enumerate(pieces, 1)
    ]


def count(text: str) -> int:
    """How many `parts` there are of `text`."""
    coding = ASCII if PLAIN.issuperset(text) else UCS2
    data = text.encode("ascii" if coding == ASCII else "utf-16-be", "replace")
    if len(data) <= SINGLE_OCTETS[coding]:
        return 1
    if coding == UCS2 and len(data) > 2 * len(text):
        return len(_cut(data, coding))
    return -(-len(data) // PART_OCTETS[coding])


def _cut(data: bytes, coding: int) -> list[bytes]:
    room = PART_OCTETS[coding]
    pieces, start = [], 0
    while start < len(data):
        end = min(start + room, len(data))
        if coding == UCS2 and end < len(data) and 0xD8 <= data[end - 2] <= 0xDB:
            end -= 2  # the first half of a pair stays with the second
        pieces.append(data[start:end])
        start = end
    return pieces


class Piece(NamedTuple):
    """A received short message: its text, and its place where it is one of several (`total` 1: it is whole)."""

    text: str
    reference: int
    total: int
    number: int


def piece(content: bytes, coding: int, *, headed: bool) -> Piece:
    """Read what somebody sent; octets that make no sense become replacement characters, a header that makes none is
    text."""
    reference, total, number = 0, 1, 1
    if headed and content:
        header, rest = content[1 : 1 + content[0]], content[1 + content[0] :]
        place = _place(header)
        if place is not None:
            (reference, total, number), content = place, rest
        elif len(header) == content[0]:
            content = rest
    return Piece(_text(content, coding), reference, total, number)


def _place(header: bytes) -> tuple[int, int, int] | None:
    """Reference, total and number in the elements of a user data header; None where they are not, or impossible."""
    at = 0
    while at + 2 <= len(header):
        kind, length = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + length]
        if (kind, length, len(value)) in ((0, 3, 3), (8, 4, 4)):
            reference = int.from_bytes(value[:-2])
            total, number = value[-2], value[-1]
            return (reference, total, number) if 1 <= number <= total else None
        at += 2 + length
    return None


def _text(content: bytes, coding: int) -> str:
    if coding & 0x0C == UCS2:
        return content.decode("utf-16-be", "replace")
    if coding == GBK:
        return content.decode("gb18030", "replace")
    try:
        return content.decode("ascii")
    except UnicodeDecodeError:  # some gateways say ASCII and send GBK
        return content.decode("gb18030", "replace")
