"""SIP messages (RFC 3261): octets to values and back. Hostile octets end in `SipError` and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LONGEST_HEAD = 16 * 1024
LONGEST_BODY = 64 * 1024
"""Octets of the start line and headers, and of a body."""

MOST_HEADERS = 200
MOST_SEQUENCE = 2**31 - 1

COMPACT = {
    "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type", "f": "from", "k": "supported",
    "t": "to", "v": "via", "x": "session-expires",
}  # fmt: skip
"""One-letter names (RFC 3261 section 7.3.3, RFC 4028) of the headers that are looked at here."""

WRITTEN = {"call-id": "Call-ID", "cseq": "CSeq", "min-se": "Min-SE", "rack": "RAck"}
"""Names that are not written with a capital after each hyphen; readers do not care, but people do."""

_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]{1,64}\Z")
_STATUS = re.compile(r"SIP/2\.0 ([1-6][0-9]{2}) ?(.*)", re.IGNORECASE)
_REQUEST = re.compile(r"([A-Za-z0-9\-.!%*_+`'~]{1,32}) (\S{1,2048}) SIP/2\.0\Z", re.IGNORECASE)
_SEQUENCE = re.compile(r"([0-9]{1,10})[ \t]+(\S{1,32})\Z")
_FOLD = re.compile(r"\r?\n[ \t]+")
_LENGTH = re.compile(r"[0-9]{1,9}\Z")

Header = tuple[str, str]
"""A name in lower case, and its value."""


class SipError(ValueError):
    """Octets that are no SIP message."""


@dataclass(frozen=True, slots=True)
class Message:
    """What requests and responses have in common. `headers` in their order, names in lower case and long."""

    headers: tuple[Header, ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        """The values of a header, one for each line."""
        return [value for known, value in self.headers if known == name]

    def first(self, name: str) -> str:
        """The first value of a header, "" when it is not there."""
        return next((value for known, value in self.headers if known == name), "")

    @property
    def call_id(self) -> str:
        return self.first("call-id")

    @property
    def sequence(self) -> tuple[int, str]:
        """Number and method of CSeq; they were looked at when the message was read."""
        number, _, method = self.first("cseq").partition(" ")
        return int(number), method.strip()


@dataclass(frozen=True, slots=True)
class Request(Message):
    method: str
    uri: str

    def encode(self) -> bytes:
        return _encode(f"{self.method} {self.uri} SIP/2.0", self)


@dataclass(frozen=True, slots=True)
class Response(Message):
    status: int
    reason: str

    def encode(self) -> bytes:
        return _encode(f"SIP/2.0 {self.status} {self.reason}", self)


def request(method: str, uri: str, headers: Iterable[Header], body: bytes = b"") -> Request:
    """A request of ours."""
    return Request(tuple(headers), body, method, uri)


def answer(
    to: Request, status: int, reason: str, *, tag: str, extra: Sequence[Header] = (), body: bytes = b""
) -> Response:
    """Our answer to a request, with what RFC 3261 section 8.2.6 wants copied; `tag` is put to To where none is."""
    kept = [(name, value) for name, value in to.headers if name in {"via", "from", "call-id", "cseq", "record-route"}]
    party = to.first("to")
    if tag and ";tag=" not in party.lower():
        party = f"{party};tag={tag}"
    return Response((*kept, ("to", party), *extra), body, status, reason)


def parse(octets: bytes) -> Request | Response:
    """The one message in `octets`; what stands behind its Content-Length is left out. `SipError` when it is none."""
    head, separator, body = octets.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not separator:
        head, separator, body = head.partition(b"\n\n")
    if not separator or len(head) > LONGEST_HEAD:
        raise SipError("no end of the headers")
    start, *lines = _FOLD.sub(" ", head.decode("utf-8", "replace")).replace("\r\n", "\n").split("\n")
    headers = _headers(lines)
    whole = _cut(headers, body)
    return _typed(start, headers, whole)


def _headers(lines: Sequence[str]) -> tuple[Header, ...]:
    if len(lines) > MOST_HEADERS:
        raise SipError("too many headers")
    found = []
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.rstrip().lower()
        if not colon or not _TOKEN.match(name):
            raise SipError("a line that is no header")
        found.append((COMPACT.get(name, name), value.strip()))
    return tuple(found)


def _cut(headers: tuple[Header, ...], body: bytes) -> bytes:
    written = next((value for name, value in headers if name == "content-length"), None)
    if written is None:
        return body[:LONGEST_BODY]
    if not _LENGTH.match(written) or not int(written) <= min(len(body), LONGEST_BODY):
        raise SipError("a Content-Length that is not so")
    return body[: int(written)]


def _typed(start: str, headers: tuple[Header, ...], body: bytes) -> Request | Response:
    known = {name for name, _ in reversed(headers)}
    if not {"via", "from", "to", "call-id", "cseq"} <= known:
        raise SipError("a message without its names")
    sequence = _SEQUENCE.match(next(value for name, value in headers if name == "cseq"))
    if sequence is None or int(sequence[1]) > MOST_SEQUENCE:
        raise SipError("a CSeq that is none")
    headers = tuple(
        (name, f"{int(sequence[1])} {sequence[2].upper()}" if name == "cseq" else value) for name, value in headers
    )
    if (status := _STATUS.fullmatch(start)) is not None:
        return Response(headers, body, int(status[1]), status[2])
    if (asked := _REQUEST.match(start)) is not None:
        if asked[1].upper() != sequence[2].upper():
            raise SipError("a CSeq of another method")
        return Request(headers, body, asked[1].upper(), asked[2])
    raise SipError("neither a request nor a response")


def _encode(start: str, message: Message) -> bytes:
    lines = [start]
    for name, value in message.headers:
        if name != "content-length":
            lines.append(f"{WRITTEN.get(name) or name.title()}: {' '.join(value.split())}")
    lines.append(f"Content-Length: {len(message.body)}")
    return "\r\n".join([*lines, "", ""]).encode() + message.body
