"""A CMPP client for tests, written from the protocol's tables: it shares no line with our driver and our front."""

from __future__ import annotations

import asyncio
import hashlib
import struct
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Self

STAMP = 1109080706
"""MMDDHHMMSS of a sign-in."""

SOURCE = b"10690001"
PATIENCE = 60.0


class Frame(NamedTuple):
    command: int
    sequence: int
    body: bytes


@dataclass(frozen=True)
class Delivered:
    """A DELIVER. Of a report: `about`, `status` and `to`."""

    sequence: int
    number: int
    to: str
    headed: int
    coding: int
    source: str
    report: int
    content: bytes
    about: int = 0
    status: str = ""


class CmppClient:
    """One connection. It acknowledges nothing by itself."""

    def __init__(self, port: int, *, third: bool, version: int = 0) -> None:
        self.port = port
        self.third = third
        self.version = version or (0x30 if third else 0x20)
        self._sequence = 0
        self._before: list[Frame] = []

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.transport.abort()

    def write(self, command: int, body: bytes, sequence: int | None = None) -> int:
        if sequence is None:
            self._sequence += 1
            sequence = self._sequence
        self.writer.write(struct.pack(">III", 12 + len(body), command, sequence) + body)
        return sequence

    async def read(self) -> Frame:
        """The next frame; IncompleteReadError when the gateway hung up."""
        if self._before:
            return self._before.pop(0)
        return await self._next()

    async def answer(self, command: int, sequence: int) -> bytes:
        """The body of the answer to a frame; what comes before is kept for `read`."""
        while True:
            frame = await self._next()
            if (frame.command, frame.sequence) == (command | 0x80000000, sequence):
                return frame.body
            self._before.append(frame)

    async def sign_in(self, user: bytes, secret: bytes) -> tuple[int, bytes, int]:
        """Status, the gateway's proof, its version."""
        proof = hashlib.md5(user + bytes(9) + secret + b"%010d" % STAMP).digest()
        self.proof = proof
        body = struct.pack(">6s16sBI", user, proof, self.version, STAMP)
        answered = await self.answer(1, self.write(1, body))
        width = 4 if self.third else 1
        assert len(answered) == width + 17
        return int.from_bytes(answered[:width]), answered[width:-1], answered[-1]

    def submit(self, to: str, content: bytes, *, coding: int = 8, headed: int = 0, wanted: int = 1) -> int:
        """Write a SUBMIT; its sequence."""
        body = struct.pack(">QBBBB10sB", 0, 1, 1, wanted, 2, b"EBS", 2)
        if self.third:
            body += bytes(32) + struct.pack(">BBBB", 0, 0, headed, coding)
        else:
            body += bytes(21) + struct.pack(">BBB", 0, headed, coding)
        body += struct.pack(">6s2s6s17s17s21sB", b"901234", b"01", b"0", b"", b"", SOURCE, 1)
        body += struct.pack(">32sB", to.encode(), 0) if self.third else struct.pack(">21s", to.encode())
        body += bytes([len(content)]) + content + bytes(20 if self.third else 8)
        return self.write(4, body)

    async def submitted(self, sequence: int) -> tuple[int, int]:
        """The Msg_Id and the result of a SUBMIT."""
        answered = await self.answer(4, sequence)
        assert len(answered) == (12 if self.third else 9)
        return int.from_bytes(answered[:8]), int.from_bytes(answered[8:])

    async def delivered(self) -> Delivered:
        """The next DELIVER."""
        frame = await self.read()
        assert frame.command == 5
        body, width = frame.body, 32 if self.third else 21
        number, to, _, _, headed, coding = struct.unpack_from(">Q21s10sBBB", body)
        at = 42
        source = body[at : at + width]
        at += width + (1 if self.third else 0)
        report, length = body[at], body[at + 1]
        content = body[at + 2 : at + 2 + length]
        assert len(body) == at + 2 + length + (20 if self.third else 8)
        about, status = 0, ""
        if report:
            assert length == (71 if self.third else 60)
            about, word, _, _, receiver, _ = struct.unpack(f">Q7s10s10s{width}sI", content)
            status = word.rstrip(b"\0").decode()
            assert receiver == source
        return Delivered(
            frame.sequence, number, to.rstrip(b"\0").decode(), headed, coding, source.rstrip(b"\0").decode(), report,
            content, about, status,
        )  # fmt: skip

    def acknowledge(self, one: Delivered, result: int = 0) -> None:
        self.write(0x80000005, struct.pack(">QI" if self.third else ">QB", one.number, result), one.sequence)

    async def _next(self) -> Frame:
        async with asyncio.timeout(PATIENCE):
            length, command, sequence = struct.unpack(">III", await self.reader.readexactly(12))
            return Frame(command, sequence, await self.reader.readexactly(length - 12))
