"""SIP as the rehearsal's exchange reads and writes it: written from RFC 3261 by itself, apart from the driver."""

from __future__ import annotations

from typing import NamedTuple

from broadcaster.rehearsal.fronts.front import FrontError

SHORT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type"}
LONGEST = 64 * 1024


class Said(NamedTuple):
    """A message: its first line in three words, its headers by name in lower case, its body."""

    first: tuple[str, str, str]
    headers: dict[str, list[str]]
    body: str

    @property
    def is_answer(self) -> bool:
        return self.first[0] == "SIP/2.0"

    @property
    def method(self) -> str:
        return self.one("cseq").split()[-1].upper()

    @property
    def number(self) -> int:
        return int(self.one("cseq").split()[0])

    def one(self, name: str) -> str:
        return self.headers[name][0] if self.headers.get(name) else ""

    @property
    def branch(self) -> str:
        return after(self.one("via"), "branch=")

    @property
    def user(self) -> str:
        """Whom the request is for: the part of its URI before the @."""
        return between(self.first[1], "sip:", "@")

    @property
    def caller(self) -> str:
        return between(self.one("from"), "sip:", "@")


def between(text: str, start: str, end: str) -> str:
    """What stands behind `start`, up to `end`; "" when either is not there."""
    _, found, rest = text.partition(start)
    inside, closed, _ = rest.partition(end)
    return inside if found and closed else ""


def after(text: str, name: str) -> str:
    """A parameter's value."""
    _, found, rest = text.partition(name)
    return rest.split(";")[0].split(">")[0].split(",")[0].strip() if found else ""


def hear(octets: bytes) -> Said:
    """One message; `FrontError` when it is none."""
    head, _, body = octets.decode("utf-8", "replace").partition("\r\n\r\n")
    first, *rest = head.lstrip("\r\n").split("\r\n")
    words = first.split(" ", 2)
    if len(words) != 3 or "SIP/2.0" not in (words[0], words[2]):
        raise FrontError("no SIP")
    headers: dict[str, list[str]] = {}
    for line in rest:
        name, colon, value = line.partition(":")
        if not colon:
            raise FrontError("no header")
        known = name.strip().lower()
        headers.setdefault(SHORT.get(known, known), []).append(value.strip())
    said = Said((words[0], words[1], words[2]), headers, body)
    if not all(said.one(name) for name in ("via", "from", "to", "call-id", "cseq")):
        raise FrontError("a message without its names")
    if not said.one("cseq").split()[0].isdecimal() or len(said.one("cseq").split()) != 2:
        raise FrontError("no CSeq")
    return said


def answer(to: Said, status: int, reason: str, tag: str, *more: str, body: str = "") -> bytes:
    """The answer to a request, with the headers that an answer repeats and `more` lines."""
    lines = [f"SIP/2.0 {status} {reason}", *(f"Via: {one}" for one in to.headers["via"])]
    whom = to.one("to") if ";tag=" in to.one("to") else f"{to.one('to')};tag={tag}"
    lines += [f"From: {to.one('from')}", f"To: {whom if status > 100 else to.one('to')}"]
    lines += [f"Call-ID: {to.one('call-id')}", f"CSeq: {to.one('cseq')}", *more]
    return written(lines, body)


def written(lines: list[str], body: str = "") -> bytes:
    """Lines and body as they go out."""
    return "\r\n".join([*lines, f"Content-Length: {len(body.encode())}", "", body]).encode()


def cut(buffer: bytearray) -> bytes | None:
    """The first whole message of a stream, taken out of `buffer`; None when there is none yet."""
    while buffer[:2] == b"\r\n":
        del buffer[:2]
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > LONGEST:
            raise FrontError("headers without an end")
        return None
    size = 0
    for line in bytes(buffer[:end]).split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() in (b"content-length", b"l"):
            if not value.strip().isdigit():
                raise FrontError("no length")
            size = int(value)
    if size > LONGEST:
        raise FrontError("a body without an end")
    if len(buffer) < end + 4 + size:
        return None
    found = bytes(buffer[: end + 4 + size])
    del buffer[: end + 4 + size]
    return found
