"""A front that is called over HTTP/1.1 (RFC 9112): whole requests, one after the other on a connection, without TLS: it
listens for this machine alone."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, TypeVar
from urllib.parse import parse_qsl

import msgspec

from broadcaster.ports import Medium
from broadcaster.rehearsal.fronts.front import WRONG_PASSWORD, Front, FrontError, Proof
from broadcaster.rehearsal.names import Names

if TYPE_CHECKING:
    from collections.abc import Callable

    from broadcaster.rehearsal.stage import Stage

T = TypeVar("T")

LONGEST_HEAD = 16 * 1024
LARGEST = 256 * 1024
"""Octets of a request's head and body."""

END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: `path` without the query, `kind` of the body as its Content-Type says, `stays`: the connection is
    kept afterwards; `fields` of its head by their names in small letters."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    stays: bool
    kind: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


class HttpFront(Front[T]):
    """One connection. It belongs to the account that showed itself in its last request."""

    garbage: ClassVar[bytes] = b"220 mail.example.org ESMTP\r\n\r\n"
    largest: ClassVar[int] = LARGEST

    def __init__(self, stage: Stage, number: int) -> None:
        super().__init__(stage, number)
        self._buffer = bytearray()
        self._asked: Asked | None = None

    @abstractmethod
    def obey(self, asked: Asked) -> None:
        """Do what is asked, and `respond` now or later."""

    def enter(self, name: str, medium: Medium, proves: Proof, names: Callable[[str], Names]) -> str:
        """Make this a connection of an account; why not, or "". As after `admit`, look at `mute`."""
        if self.account is not None and self.account.name == name:
            password = self.stage.password(name)
            return WRONG_PASSWORD if password and not proves(password) else ""
        if self.account is not None:
            self.depart("")
        return self.admit(name, medium, proves, names)

    def respond(self, content: object, status: int = HTTPStatus.OK) -> None:
        """Answer what was asked, with JSON."""
        self.reply(msgspec.json.encode(content), "application/json; charset=utf-8", status)

    def reply(
        self, body: bytes, kind: str, status: int = HTTPStatus.OK, fields: Mapping[str, str] | None = None
    ) -> None:
        """Answer what was asked, with more `fields` in the head, and listen to the next request."""
        self._finish(status, {"Content-Type": kind, "Content-Length": str(len(body)), **(fields or {})}, body)

    def unchanged(self, fields: Mapping[str, str]) -> None:
        """Answer that it is as it was: 304, which has no body (RFC 9110, 15.4.5)."""
        self._finish(HTTPStatus.NOT_MODIFIED, fields, b"")

    def _finish(self, status: int, fields: Mapping[str, str], body: bytes) -> None:
        asked, self._asked = self._asked, None
        if asked is None or self.mute:
            return
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {one}" for name, one in fields.items())]
        lines.append(f"Connection: {'keep-alive' if asked.stays else 'close'}")
        self.send("\r\n".join(lines).encode() + END + body)
        if not asked.stays:
            self.say_bye()
        elif self._buffer:
            self.loop.call_soon(self.data_received, b"")

    def hear(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > LONGEST_HEAD + self.largest:
            raise FrontError("more than one request at a time")
        while self._asked is None and not self.mute and (asked := self._next()) is not None:
            self._asked = asked
            self.obey(asked)

    def complain(self, problem: FrontError) -> None:
        self._asked = Asked("", "", {}, b"", stays=False)
        self.respond({"errmsg": str(problem)}, HTTPStatus.BAD_REQUEST)

    def say_bye(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def connection_lost(self, problem: Exception | None) -> None:
        """There is no good-bye in HTTP: who closes and waits for nothing has gone in good order."""
        if self._asked is None and not self._reason:
            self.leaving = True
        super().connection_lost(problem)

    def _next(self) -> Asked | None:
        """The next request, if all of it is there."""
        end = self._buffer.find(END, 0, LONGEST_HEAD)
        if end < 0:
            if len(self._buffer) > LONGEST_HEAD:
                raise FrontError("a head that does not end")
            return None
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        start = end + len(END)
        length = _length(fields, self.largest)
        if len(self._buffer) < start + length:
            return None
        body = bytes(self._buffer[start : start + length])
        del self._buffer[: start + length]
        return _asked(first, fields, body)


def _length(fields: Mapping[str, str], largest: int) -> int:
    written = fields.get("content-length", "0")
    if "transfer-encoding" in fields or not (written.isascii() and written.isdigit() and len(written) < 10):
        raise FrontError("a request without its length")
    if int(written) > largest:
        raise FrontError(f"a request of {written} octets")
    return int(written)


def _asked(first: str, fields: Mapping[str, str], body: bytes) -> Asked:
    method, _, rest = first.partition(" ")
    target, _, version = rest.rpartition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or not target.startswith("/"):
        raise FrontError("that is no request of HTTP/1.1")
    path, _, query = target.partition("?")
    try:
        values = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=50))
    except ValueError as problem:
        raise FrontError("a query of too many fields") from problem
    stays = version == "HTTP/1.1" and fields.get("connection", "").lower() != "close"
    return Asked(method, path, values, body, stays, fields.get("content-type", ""), fields)
