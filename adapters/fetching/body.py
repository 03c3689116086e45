"""Reading the body of an answer: unpacked, counted as it grows, and stopped at a limit."""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._-]+)""", re.IGNORECASE)
_CHARSETS = frozenset({"gbk", "gb2312", "gb18030", "big5", "utf-16", "iso-8859-1", "windows-1252"})
"""What a server may say: of Python's other codecs some take time that grows with the square of the text."""

_UTF8 = frozenset({"utf-8", "utf8", "us-ascii"})


class TooLargeError(Exception):
    """More than the limit, as it came or unpacked."""


class CutOffError(Exception):
    """It ends before its end."""


class EncodingError(Exception):
    """It is packed in a way that was not asked for, or not at all as it says."""


async def whole(pieces: AsyncIterator[bytes], encoding: str, most: int) -> bytes:
    """The body, unpacked if `encoding` (Content-Encoding) says so. At most `most` bytes are ever held, packed or not:
    `TooLargeError` at the first that is too many."""
    unpack = _unpacker(encoding)
    body = bytearray()
    taken = 0
    async for piece in pieces:
        taken += len(piece)
        if taken > most:
            raise TooLargeError
        if unpack is None:
            body += piece
        else:
            _grow(body, unpack, piece, most)
    if unpack is not None and taken and not unpack.eof:
        raise CutOffError
    return bytes(body)


def _grow(body: bytearray, unpack: zlib._Decompress, piece: bytes, most: int) -> None:
    while piece:
        try:
            body += unpack.decompress(piece, most + 1 - len(body))
        except zlib.error as problem:
            raise EncodingError from problem
        if len(body) > most:
            raise TooLargeError
        piece = unpack.unconsumed_tail
        if unpack.eof:
            return


def _unpacker(encoding: str) -> zlib._Decompress | None:
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        case "deflate":
            return zlib.decompressobj()
    raise EncodingError


@dataclass(frozen=True, slots=True)
class Text:
    """A document in an encoding that it declares itself, or UTF-8; `remark` where the server said something else."""

    document: bytes
    remark: str = ""


def declared(document: bytes, content_type: str) -> Text:
    """Settle who is right about the encoding of an XML document: the document where it says anything, else the server.

    RFC 7303 3.1 lets the server win; in the field the server's word is a default that nobody chose.
    """
    said = _CHARSET.search(content_type)
    charset = said.group(1).lower() if said else ""
    own = _DECLARED.match(document[:200])
    if own:
        name = own.group(1).decode("ascii").lower()
        if charset and charset != name and not {charset, name} <= _UTF8:
            return Text(document, f"服务器说编码是 {charset}，文件自称 {name}，以文件为准")
        return Text(document)
    if not charset or charset in _UTF8 or document[:2] in (b"\xfe\xff", b"\xff\xfe") or _is_utf8(document):
        return Text(document)
    if charset not in _CHARSETS:
        return Text(document, f"服务器说编码是 {charset[:20]}，不认识")
    try:
        return Text(document.decode(charset).encode("utf-8"))
    except UnicodeError:
        return Text(document, f"服务器说编码是 {charset}，内容却不是")


def _is_utf8(document: bytes) -> bool:
    try:
        document.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
