"""A carrier's SGIP 1.2 gateway (SMG) for tests, written from the protocol's tables alone.

What it has to say it brings on a connection that it opens itself.
"""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.harness.carrier_gateway import (
    ANSWER,
    BEIJING,
    SECRET,
    SERVICE_NUMBER,
    USER,
    CarrierGateway,
    Fields,
    Session,
    Taken,
)
from tests.harness.ports import free_port

HEADER = struct.Struct(">II12s")
SMG = 100_010
COME_AGAIN = 0.2
FAILED = {"UNDELIV": 25}


def bind(kind: int, user: str, password: str, number: bytes = bytes(12)) -> bytes:
    """A Bind."""
    body = struct.pack(">B16s16s8x", kind, user.encode(), password.encode())
    return HEADER.pack(20 + len(body), 1, number) + body


@dataclass
class SgipGateway(CarrierGateway):
    """`theirs` is where the enterprise listens; `per_message`: a connection for every single thing there is to say."""

    FLOW_CONTROL, BAD_NUMBER, BAD_SOURCE = 11, 6, 64

    theirs: int = field(default_factory=free_port)
    smg_password: str = SECRET
    per_message: bool = False
    answers_to_bind: list[int] = field(default_factory=list)
    numbers: list[bytes] = field(default_factory=list)
    _coming: list[asyncio.Task[None]] = field(default_factory=list)

    async def __aexit__(self, *_: object) -> None:
        for task in self._coming:
            task.cancel()
        await asyncio.gather(*self._coming, return_exceptions=True)
        await super().__aexit__()

    def session(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: asyncio.Task[None]
    ) -> SgipSession:
        return SgipSession(self, reader, writer, task)

    def number(self) -> bytes:
        return struct.pack(">III", SMG, int(datetime.now(BEIJING).strftime("%m%d%H%M%S")), self.next())

    def say(self, address: str, content: bytes, coding: int = 8, *, headed: int = 0) -> str:
        body = struct.pack(">21s21sBBBI", address.encode(), SERVICE_NUMBER.encode(), 0, headed, coding, len(content))
        return self._bring(4, body + content + bytes(8)).hex()

    def report_on(self, ref: str, address: str, status: str) -> None:
        state, error = {"DELIVRD": (0, 0), "ACCEPTD": (1, 0)}.get(status, (2, FAILED.get(status, 32)))
        self._bring(5, struct.pack(">12sB21sBB8x", bytes.fromhex(ref), 0, address.encode(), state, error))

    def bearers(self) -> list[Session[Any]]:
        return [one for one in super().bearers() if isinstance(one, Visit) and not one.single]

    def _bring(self, command: int, body: bytes) -> bytes:
        number = self.number()
        frame = HEADER.pack(20 + len(body), command, number) + body
        if self.per_message:
            self.unacknowledged[number] = frame
            self._coming.append(asyncio.create_task(self._come(number)))
        else:
            if not self._coming:
                self._coming.append(asyncio.create_task(self._come(None)))
            self.push(number, frame)
        return number

    async def _come(self, only: bytes | None) -> None:
        """Keep a connection to the enterprise, or one for each attempt to bring a message."""
        while only is None or only in self.unacknowledged:
            if not self.silent:
                with suppress(OSError):
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.theirs)
                    task = asyncio.current_task()
                    assert task is not None
                    visit = Visit(self, reader, writer, task)
                    visit.single = only
                    visit.send(bind(2, USER, self.smg_password, self.number()))
                    await self.attend(visit)
            await asyncio.sleep(COME_AGAIN)


class SgipSession(Session[SgipGateway]):
    """The enterprise's connection to us."""

    HEADER = HEADER

    async def handle(self, command: int, sequence: bytes, body: bytes) -> bool:
        if command == 1:
            kind, user, password = struct.unpack(">B16s16s8x", body)
            good = kind == 1 and user.rstrip(b"\0").decode() == USER and password.rstrip(b"\0").decode() == SECRET
            self.let_in = good
            self.gateway.signed_in += good
            self.write(ANSWER | 1, sequence, struct.pack(">B8x", 0 if good else 1))
        elif command == 3:
            self.submit(sequence, body)
        elif command == 2:
            self.write(ANSWER | 2, sequence, b"")
            return False
        return True

    def answer(self, sequence: bytes, found: Taken, result: int) -> None:
        self.write(ANSWER | 3, sequence, struct.pack(">B8x", result))

    def read(self, sequence: bytes, body: bytes) -> Taken:
        self.gateway.numbers.append(sequence)
        fields = Fields(body)
        source, payer = fields.word(21), fields.word(21)
        assert payer == "0" * 21
        assert fields.number() == 1
        address = fields.word(21)
        assert address.startswith("86")
        corporation = fields.word(5)
        assert corporation == "01234"
        fields.word(10)
        fields.take(1)
        fields.word(6), fields.word(6)
        _, why, level = fields.take(3)
        assert why == 2
        valid, _ = fields.word(16), fields.word(16)
        wants_report, _, headed, coding, kind = fields.take(5)
        assert (wants_report, kind) == (1, 0)
        content = fields.take(fields.number(4))
        assert len(fields.left) == 8, "the frame's length is the sum of its fields"
        total, part = (content[4], content[5]) if headed else (1, 1)
        return Taken(
            sequence.hex(), total, part, level // 3, headed, coding, valid, source, address[2:], content
        )  # fmt: skip


class Visit(SgipSession):
    """Our connection to the enterprise; `single` is the only thing to be said on it."""

    single: bytes | None = None

    async def handle(self, command: int, sequence: bytes, body: bytes) -> bool:
        gateway = self.gateway
        if command == ANSWER | 1:
            gateway.answers_to_bind.append(body[0])
            self.let_in = body[0] == 0
            if self.let_in and self.single in gateway.unacknowledged:
                self.send(gateway.unacknowledged[self.single])
            return self.let_in
        if command in (ANSWER | 4, ANSWER | 5):
            if body[0] == 0:
                gateway.unacknowledged.pop(sequence, None)
            if self.single is not None:
                self.write(2, gateway.number(), b"")
            return True
        if command == 2:
            self.write(ANSWER | 2, sequence, b"")
        return command not in (2, ANSWER | 2)
