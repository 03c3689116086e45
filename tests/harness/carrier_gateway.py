"""A carrier's gateway for tests, whatever its protocol: it shares no line with our clients.

A protocol adds its frames (`Session`) and how it brings what it has to say (`CarrierGateway`).
"""

from __future__ import annotations

import asyncio
import struct
from abc import abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from typing import Any, ClassVar, Generic, TypeVar

from broadcaster.parting import closed

SECRET = "shared-secret"
USER = "901234"
SERVICE_NUMBER = "10690001"
REDELIVER_AFTER = 0.3
ANSWER = 0x80000000
BEIJING = timezone(timedelta(hours=8))
Kind = TypeVar("Kind", bound="CarrierGateway")


@dataclass
class Taken:
    """A submit that was taken; `ref` is its id, in hex."""

    ref: str
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


class Fields:
    """A body, read from its beginning."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def take(self, count: int) -> bytes:
        self._at += count
        return self._body[self._at - count : self._at]

    def number(self, count: int = 1) -> int:
        return int.from_bytes(self.take(count))

    def word(self, count: int) -> str:
        return self.take(count).rstrip(b"\0").decode("ascii")

    @property
    def left(self) -> bytes:
        return self._body[self._at :]


@dataclass
class CarrierGateway:
    """Behaviour that tests turn: what to answer, whether and when to report, whether to fall silent."""

    FLOW_CONTROL: ClassVar[int]
    BAD_NUMBER: ClassVar[int]
    BAD_SOURCE: ClassVar[int]
    """Results: not now; not to this number; not from this one."""

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
    unacknowledged: dict[Hashable, bytes] = field(default_factory=dict)
    sessions: list[Session[Any]] = field(default_factory=list)
    signed_in: int = 0
    alive_tests: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _sequence: int = 1000
    _again: dict[Hashable, asyncio.TimerHandle] = field(default_factory=dict)

    @abstractmethod
    def session(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: asyncio.Task[None]
    ) -> Session[Any]: ...

    @abstractmethod
    def say(self, address: str, content: bytes, coding: int = 8, *, headed: int = 0) -> str:
        """A resident writes; the message's id in hex. It comes again until it is acknowledged."""

    @abstractmethod
    def report_on(self, ref: str, address: str, status: str) -> None:
        """What became of a submit; it comes again until it is acknowledged."""

    async def __aenter__(self) -> Any:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            await closed(self._server)
        for timer in self._again.values():
            timer.cancel()
        for session in list(self.sessions):
            session.writer.transport.abort()
            session.task.cancel()
        await asyncio.gather(*(session.task for session in self.sessions), return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        await self.attend(self.session(reader, writer, task))

    async def attend(self, session: Session[Any]) -> None:
        """Serve a connection until it ends."""
        self.sessions.append(session)
        try:
            await session.run()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            for timer in session.timers:
                timer.cancel()
            session.writer.close()

    def push(self, key: Hashable, frame: bytes) -> None:
        """Bring a frame, again and again until it is acknowledged."""
        self.unacknowledged[key] = frame
        self._push(key)

    def bearers(self) -> list[Session[Any]]:
        """The connections that what there is to say may go on; the last one is used."""
        return [session for session in self.sessions if not session.task.done() and session.let_in]

    def next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _push(self, key: Hashable) -> None:
        self._again.pop(key, None)
        frame = self.unacknowledged.get(key)
        if frame is None:
            return
        live = self.bearers()
        if live and not self.silent:
            live[-1].send(frame)
        self._again[key] = asyncio.get_running_loop().call_later(REDELIVER_AFTER, self._push, key)


@dataclass(eq=False)
class Session(Generic[Kind]):
    """One connection."""

    HEADER: ClassVar[struct.Struct] = struct.Struct(">III")

    gateway: Kind
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    task: asyncio.Task[None]
    let_in: bool = False
    open: int = 0
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    @abstractmethod
    async def handle(self, command: int, sequence: Any, body: bytes) -> bool:
        """What to do with a frame; False ends the connection."""

    @abstractmethod
    def read(self, sequence: Any, body: bytes) -> Taken:
        """What a submit says."""

    @abstractmethod
    def answer(self, sequence: Any, found: Taken, result: int) -> None:
        """Answer a submit."""

    async def run(self) -> None:
        while True:
            length, command, sequence = self.HEADER.unpack(await self.reader.readexactly(self.HEADER.size))
            body = await self.reader.readexactly(length - self.HEADER.size)
            if not await self.handle(command, sequence, body):
                await self.writer.drain()
                return

    def frame(self, command: int, sequence: Any, body: bytes) -> bytes:
        return self.HEADER.pack(self.HEADER.size + len(body), command, sequence) + body

    def write(self, command: int, sequence: Any, body: bytes) -> None:
        self.send(self.frame(command, sequence, body))

    def send(self, frame: bytes) -> None:
        if not self.writer.is_closing():
            self.writer.write(frame)

    def submit(self, sequence: Any, body: bytes) -> None:
        """Take a submit, or not, as the gateway's behaviour has it."""
        gateway = self.gateway
        self.open += 1
        gateway.window_seen = max(gateway.window_seen, self.open)
        if gateway.babble:
            self.writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            return
        found = self.read(sequence, body)
        if gateway.cut_after is not None and len(gateway.taken) >= gateway.cut_after:
            self.writer.transport.abort()
            return
        result = gateway.BAD_NUMBER if found.address == gateway.bad_address else gateway.result
        if result == 0:
            gateway.taken.append(found)
        if gateway.silent:
            return
        status = gateway.statuses.get(found.part, gateway.report) if result == 0 else ""
        if status and gateway.report_first:
            gateway.report_on(found.ref, found.address, status)
        timer = asyncio.get_running_loop().call_later(
            gateway.answer_after, self._answer, sequence, found, result, status
        )
        self.timers.append(timer)

    def _answer(self, sequence: Any, found: Taken, result: int, status: str) -> None:
        self.open -= 1
        self.answer(sequence, found, result)
        if status and not self.gateway.report_first:
            self.gateway.report_on(found.ref, found.address, status)
