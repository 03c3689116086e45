"""One connection to a mail server that is ready for mails: commands out without waiting, answers back in their order.

`dialling.py` connects, secures and signs in; from then on the connection is this one's (RFC 5321, RFC 2920).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from channels.email.answer import CLOSING, NONSENSE

LONGEST_ANSWER = 64 * 1024
"""Octets of one answer, with all its lines: generous; a server that sends more is no mail server."""


class Answer(NamedTuple):
    """A server's answer: its code (`NONSENSE` when it is none of SMTP's) and its words, one line."""

    code: int
    text: str


class LostError(ConnectionError):
    """The connection is over; says why, without addresses."""


class Line(asyncio.Protocol):
    """`write` commands, then ask for the `answer` to each, in order. What a server says unasked ends the line."""

    def __init__(self, extensions: dict[str, str]) -> None:
        self.extensions = extensions
        self.served = 0
        self.dirty = False
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._words: list[str] = []
        self._size = 0
        self._answers: deque[Answer] = deque()
        self._expected = 0
        self._waiter: asyncio.Future[None] | None = None
        self._lost = ""

    @property
    def alive(self) -> bool:
        """Whether it may be written to."""
        return not self._lost and self._transport is not None and not self._transport.is_closing()

    @property
    def pipelining(self) -> bool:
        """Whether the server takes several commands at once."""
        return "pipelining" in self.extensions

    def take_over(self, transport: asyncio.Transport) -> None:
        """Be the protocol of a connection that somebody else has made."""
        self._transport = transport
        transport.set_protocol(self)

    def write(self, octets: bytes, answers: int) -> None:
        """Send, and expect so many answers; `LostError` when the connection is over."""
        if self._transport is None or not self.alive:
            raise LostError(self._lost or "closed")
        self._expected += answers
        self._transport.write(octets)

    async def answer(self, within: float) -> Answer:
        """The next answer; `TimeoutError` after `within` seconds, `LostError` when none will come."""
        while not self._answers:
            if self._lost:
                raise LostError(self._lost)
            await self._news(within)
        return self._answers.popleft()

    def heard(self) -> Iterator[Answer]:
        """The answers that have come and were not asked for."""
        while self._answers:
            yield self._answers.popleft()

    def end(self, why: str = "closed") -> None:
        """Hang up; the first reason counts."""
        self._lost = self._lost or why
        if self._transport is not None:
            self._transport.abort()
        self._wake()

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        *lines, self._rest = data.split(b"\n")
        for line in lines:
            if not self._lost:
                self._take(line)
        if len(self._rest) > LONGEST_ANSWER:
            self.end("an answer without an end")
        elif self._answers:
            self._wake()

    def eof_received(self) -> bool:
        self._lost = self._lost or "closed by the server"
        self._wake()
        return False

    def connection_lost(self, problem: Exception | None) -> None:
        self._lost = self._lost or (type(problem).__name__ if problem else "closed by the server")
        self._wake()

    def _take(self, line: bytes) -> None:
        code, more = line[:3], line[3:4]
        number = int(code) if code.isdigit() and len(code) == 3 and more in (b" ", b"-", b"\r", b"") else NONSENSE
        self._words.append(line[4:].decode("utf-8", "replace").strip())
        self._size += len(line) + 1
        if self._size > LONGEST_ANSWER:
            self.end("an answer without an end")
            return
        if more == b"-" and number != NONSENSE:
            return
        answer, self._words, self._size = Answer(number, " ".join(self._words)), [], 0
        if self._expected:
            self._expected -= 1
            self._answers.append(answer)
        else:  # it belongs to no command; usually 421: the server ends an idle connection
            self.end("the server ended the connection" if answer.code == CLOSING else "an answer to nothing")

    async def _news(self, within: float) -> None:
        waiter = self._waiter = self._loop.create_future()
        timer = self._loop.call_later(within, _too_late, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _too_late(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())
