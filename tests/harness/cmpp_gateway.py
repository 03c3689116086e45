"""A carrier's CMPP gateway for tests, written from the protocol's tables alone: it shares no line with our client."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

SECRET = "shared-secret"
USER = "901234"
SERVICE_NUMBER = "10690001"
REDELIVER_AFTER = 0.3
Handler = Callable[["Session", int, bytes], Awaitable[None]]
_numbers = itertools.count(0x0102030405060708)


@dataclass
class Taken:
    """A SUBMIT that was taken."""

    number: int
    total: int
    part: int
    level: int
    headed: int
    coding: int
    valid: str
    source: str
    address: str
    content: bytes

    @property
    def text(self) -> str:
        body = self.content[1 + self.content[0] :] if self.headed else self.content
        return body.decode("utf-16-be" if self.coding == 8 else "ascii")


@dataclass
class Gateway:
    """Behaviour that tests turn: what to answer, whether and when to report, whether to fall silent."""

    third: bool = False
    result: int = 0
    bad_address: str = "10000000000"
    silent: bool = False
    cut_after: int | None = None
    babble: bool = False
    answer_after: float = 0.0
    report: str = "DELIVRD"
    report_first: bool = False
    statuses: dict[int, str] = field(default_factory=dict)
    window_seen: int = 0
    taken: list[Taken] = field(default_factory=list)
    unacknowledged: dict[int, bytes] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)
    signed_in: int = 0
    alive_tests: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _sequence: int = 1000

    async def __aenter__(self) -> Gateway:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for session in list(self.sessions):
            session.writer.transport.abort()
            session.task.cancel()
        await asyncio.gather(*(session.task for session in self.sessions), return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        session = Session(self, reader, writer, task)
        self.sessions.append(session)
        try:
            await session.run()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            for timer in session.timers:
                timer.cancel()
            writer.close()

    def say(self, address: str, content: bytes, coding: int = 8, *, headed: int = 0) -> str:
        """A resident writes; the message's id in hex. It comes again until it is acknowledged."""
        number = next(_numbers)
        self._deliver(number, address, content, coding, headed, 0)
        return f"{number:016x}"

    def report_on(self, number: int, address: str, status: str) -> None:
        stamp = datetime.now(timezone(timedelta(hours=8))).strftime("%y%m%d%H%M").encode()
        width = 32 if self.third else 21
        content = struct.pack(f">Q7s10s10s{width}sI", number, status.encode(), stamp, stamp, address.encode(), 7)
        assert len(content) == (71 if self.third else 60)
        self._deliver(next(_numbers), address, content, 0, 0, 1)

    def _deliver(self, number: int, address: str, content: bytes, coding: int, headed: int, report: int) -> None:
        width = 32 if self.third else 21
        body = struct.pack(">Q21s10sBBB", number, SERVICE_NUMBER.encode(), b"", 0, headed, coding)
        body += struct.pack(f">{width}s", address.encode()) + (b"\0" if self.third else b"")
        body += bytes([report, len(content)]) + content + bytes(20 if self.third else 8)
        self._sequence += 1
        self.unacknowledged[self._sequence] = body
        self._push(self._sequence)

    def _push(self, sequence: int) -> None:
        body = self.unacknowledged.get(sequence)
        live = [session for session in self.sessions if not session.task.done() and session.let_in]
        if body is None:
            return
        if live and not self.silent:
            live[-1].write(5, sequence, body)
        timer = asyncio.get_running_loop().call_later(REDELIVER_AFTER, self._push, sequence)
        if live:
            live[-1].timers.append(timer)


@dataclass
class Session:
    """One connection."""

    gateway: Gateway
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    task: asyncio.Task[None]
    let_in: bool = False
    open: int = 0
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    async def run(self) -> None:
        while True:
            length, command, sequence = struct.unpack(">III", await self.reader.readexactly(12))
            body = await self.reader.readexactly(length - 12)
            if command == 1:
                self._connect(sequence, body)
            elif command == 4:
                self._submit(sequence, body)
            elif command == 0x80000005:
                self.gateway.unacknowledged.pop(sequence, None)
            elif command == 8:
                self.gateway.alive_tests += 1
                if not self.gateway.silent:
                    self.write(0x80000008, sequence, b"\0")
            elif command == 2:
                self.write(0x80000002, sequence, b"")
                await self.writer.drain()
                return

    def write(self, command: int, sequence: int, body: bytes) -> None:
        if not self.writer.is_closing():
            self.writer.write(struct.pack(">III", 12 + len(body), command, sequence) + body)

    def _connect(self, sequence: int, body: bytes) -> None:
        user, proof, version, stamp = struct.unpack(">6s16sBI", body)
        digest = hashlib.md5(user + b"\0" * 9 + SECRET.encode() + f"{stamp:010d}".encode()).digest()
        good = user.decode() == USER and proof == digest
        status = 0 if good else 3
        if version > (0x30 if self.gateway.third else 0x20):
            status = 4
        self.let_in = status == 0
        self.gateway.signed_in += self.let_in
        width = ">I16sB" if self.gateway.third else ">B16sB"
        self.write(0x80000001, sequence, struct.pack(width, status, bytes(16), version))

    def _submit(self, sequence: int, body: bytes) -> None:
        gateway = self.gateway
        self.open += 1
        gateway.window_seen = max(gateway.window_seen, self.open)
        if gateway.babble:
            self.writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            return
        found = self._read(body)
        if gateway.cut_after is not None and len(gateway.taken) >= gateway.cut_after:
            self.writer.transport.abort()
            return
        result = 13 if found.address == gateway.bad_address else gateway.result
        if result == 0:
            gateway.taken.append(found)
        if gateway.silent:
            return
        status = gateway.statuses.get(found.part, gateway.report)
        if result == 0 and gateway.report_first and status:
            gateway.report_on(found.number, found.address, status)
        timer = asyncio.get_running_loop().call_later(
            gateway.answer_after, self._answer, sequence, found, result, status
        )
        self.timers.append(timer)

    def _answer(self, sequence: int, found: Taken, result: int, status: str) -> None:
        self.open -= 1
        width = ">QI" if self.gateway.third else ">QB"
        self.write(0x80000004, sequence, struct.pack(width, found.number, result))
        if result == 0 and status and not self.gateway.report_first:
            self.gateway.report_on(found.number, found.address, status)

    def _read(self, body: bytes) -> Taken:
        at = 0

        def take(count: int) -> bytes:
            nonlocal at
            at += count
            return body[at - count : at]

        def word(count: int) -> str:
            return take(count).rstrip(b"\0").decode("ascii")

        third = self.gateway.third
        take(8)
        total, part, wants_report, level = take(4)
        assert wants_report == 1
        word(10)
        take(1)
        word(32 if third else 21)
        take(1 if third else 0)
        _, headed, coding = take(3)
        assert word(6) == USER
        word(2), word(6)
        valid, _, source = word(17), word(17), word(21)
        assert take(1) == b"\1"
        address = word(32 if third else 21)
        take(1 if third else 0)
        content = take(take(1)[0])
        assert len(body) - at == (20 if third else 8), "the frame's length is the sum of its fields"
        return Taken(next(_numbers), total, part, level, headed, coding, valid, source, address, content)
