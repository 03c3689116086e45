"""A stream of octets (TCP, TLS) in messages, by Content-Length (RFC 3261 section 18.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from channels.voice.sip.message import LONGEST_BODY, LONGEST_HEAD, Request, Response, SipError, parse

END = b"\r\n\r\n"
_LENGTH = re.compile(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,9})[ \t]*\r?$")


class Framer:
    """Cuts a stream into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, octets: bytes) -> Iterator[Request | Response]:
        """The messages that `octets` complete; `SipError` when nobody can tell any more where the next one begins."""
        self._buffer += octets
        while True:
            self._skip_blank()
            end = self._buffer.find(END, max(0, self._searched - len(END)))
            if end < 0:
                self._searched = len(self._buffer)
                if self._searched > LONGEST_HEAD:
                    raise SipError("headers that do not end")
                return
            if end > LONGEST_HEAD:
                raise SipError("headers that are too long")
            size = self._body(end)
            whole = end + len(END) + size
            if len(self._buffer) < whole:
                self._searched = end
                return
            frame = bytes(self._buffer[:whole])
            del self._buffer[:whole]
            self._searched = 0
            yield parse(frame)

    def _skip_blank(self) -> None:
        """Lines without anything keep a connection open (RFC 5626)."""
        blank = 0
        while blank < len(self._buffer) and self._buffer[blank] in b"\r\n":
            blank += 1
        if blank:
            del self._buffer[:blank]
            self._searched = max(0, self._searched - blank)

    def _body(self, end: int) -> int:
        found = _LENGTH.search(self._buffer, 0, end + 2)
        if found is None:
            raise SipError("a message on a stream without Content-Length")
        size = int(found[1])
        if size > LONGEST_BODY:
            raise SipError("a body that is too long")
        return size
