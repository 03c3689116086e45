"""A carrier's CMPP gateway for tests, written from the protocol's tables alone."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import struct
from dataclasses import dataclass
from datetime import datetime

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

_numbers = itertools.count(0x0102030405060708)


@dataclass
class CmppGateway(CarrierGateway):
    """Speaks version 2.0, or 3.0 (`third`)."""

    FLOW_CONTROL, BAD_NUMBER, BAD_SOURCE = 8, 13, 10

    third: bool = False

    def session(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: asyncio.Task[None]
    ) -> CmppSession:
        return CmppSession(self, reader, writer, task)

    def say(self, address: str, content: bytes, coding: int = 8, *, headed: int = 0) -> str:
        number = next(_numbers)
        self._deliver(number, address, content, coding, headed, 0)
        return f"{number:016x}"

    def report_on(self, ref: str, address: str, status: str) -> None:
        stamp = datetime.now(BEIJING).strftime("%y%m%d%H%M").encode()
        width = 32 if self.third else 21
        content = struct.pack(
            f">8s7s10s10s{width}sI", bytes.fromhex(ref), status.encode(), stamp, stamp, address.encode(), 7
        )
        assert len(content) == (71 if self.third else 60)
        self._deliver(next(_numbers), address, content, 0, 0, 1)

    def _deliver(self, number: int, address: str, content: bytes, coding: int, headed: int, report: int) -> None:
        width = 32 if self.third else 21
        body = struct.pack(">Q21s10sBBB", number, SERVICE_NUMBER.encode(), b"", 0, headed, coding)
        body += struct.pack(f">{width}s", address.encode()) + (b"\0" if self.third else b"")
        body += bytes([report, len(content)]) + content + bytes(20 if self.third else 8)
        sequence = self.next()
        self.push(sequence, struct.pack(">III", 12 + len(body), 5, sequence) + body)


class CmppSession(Session[CmppGateway]):
    async def handle(self, command: int, sequence: int, body: bytes) -> bool:
        if command == 1:
            self._connect(sequence, body)
        elif command == 4:
            self.submit(sequence, body)
        elif command == ANSWER | 5:
            self.gateway.unacknowledged.pop(sequence, None)
        elif command == 8:
            self.gateway.alive_tests += 1
            if not self.gateway.silent:
                self.write(ANSWER | 8, sequence, b"\0")
        elif command == 2:
            self.write(ANSWER | 2, sequence, b"")
            return False
        return True

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
        self.write(ANSWER | 1, sequence, struct.pack(width, status, bytes(16), version))

    def answer(self, sequence: int, found: Taken, result: int) -> None:
        width = ">8sI" if self.gateway.third else ">8sB"
        self.write(ANSWER | 4, sequence, struct.pack(width, bytes.fromhex(found.ref), result))

    def read(self, sequence: int, body: bytes) -> Taken:
        third, fields = self.gateway.third, Fields(body)
        fields.take(8)
        total, part, wants_report, level = fields.take(4)
        assert wants_report == 1
        fields.word(10)
        fields.take(1)
        fields.word(32 if third else 21)
        fields.take(1 if third else 0)
        _, headed, coding = fields.take(3)
        assert fields.word(6) == USER
        fields.word(2), fields.word(6)
        valid, _, source = fields.word(17), fields.word(17), fields.word(21)
        assert fields.number() == 1
        address = fields.word(32 if third else 21)
        fields.take(1 if third else 0)
        content = fields.take(fields.number())
        assert len(fields.left) == (20 if third else 8), "the frame's length is the sum of its fields"
        return Taken(f"{next(_numbers):016x}", total, part, level, headed, coding, valid, source, address, content)
