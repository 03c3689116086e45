"""A carrier's SMGP 3.0 gateway for tests, written from the protocol's tables alone."""

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

_numbers = itertools.count(1)


def _number() -> bytes:
    """A MsgID: the gateway's code, the time, a serial number, all BCD; any octet may be in it."""
    return bytes.fromhex(f"0a0d00{datetime.now(BEIJING):%m%d%H%M}{next(_numbers):06d}")


@dataclass
class SmgpGateway(CarrierGateway):
    FLOW_CONTROL, BAD_NUMBER, BAD_SOURCE = 1, 47, 46

    hex_ids: bool = False
    """Whether reports write the MsgID in hex."""

    def session(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: asyncio.Task[None]
    ) -> SmgpSession:
        return SmgpSession(self, reader, writer, task)

    def say(self, address: str, content: bytes, coding: int = 8, *, headed: int = 0) -> str:
        number = _number()
        self._deliver(number, address, content, coding, headed, 0)
        return number.hex()

    def report_on(self, ref: str, address: str, status: str) -> None:
        number = ref.encode() if self.hex_ids else bytes.fromhex(ref)
        stamp = datetime.now(BEIJING).strftime("%y%m%d%H%M").encode()
        content = b"id:" + number + b" sub:001 dlvrd:001 submit date:" + stamp + b" done date:" + stamp
        content += b" stat:" + status.encode() + b" err:000 text:" + bytes(20)
        if not self.hex_ids:
            assert len(content) == 122
        self._deliver(_number(), address, content, 0, 0, 1)

    def _deliver(self, number: bytes, address: str, content: bytes, coding: int, headed: int, report: int) -> None:
        at = datetime.now(BEIJING).strftime("%Y%m%d%H%M%S").encode()
        body = struct.pack(">10sBB14s21s21sB", number, report, coding, at, address.encode(), SERVICE_NUMBER.encode(),
                           len(content))  # fmt: skip
        body += content + bytes(8) + struct.pack(">HH8s", 3, 8, b"link-id")
        if headed:
            body += struct.pack(">HHB", 2, 1, headed)
        sequence = self.next()
        self.push(sequence, struct.pack(">III", 12 + len(body), 3, sequence) + body)


class SmgpSession(Session[SmgpGateway]):
    async def handle(self, command: int, sequence: int, body: bytes) -> bool:
        if command == 1:
            self._login(sequence, body)
        elif command == 2:
            self.submit(sequence, body)
        elif command == ANSWER | 3:
            number, status = struct.unpack(">10sI", body)
            pushed = self.gateway.unacknowledged.get(sequence, b"")
            if status == 0 and pushed[12:22] == number:
                del self.gateway.unacknowledged[sequence]
        elif command == 4:
            self.gateway.alive_tests += 1
            if not self.gateway.silent:
                self.write(ANSWER | 4, sequence, b"")
        elif command == 6:
            self.write(ANSWER | 6, sequence, b"")
            return False
        return True

    def _login(self, sequence: int, body: bytes) -> None:
        user, proof, mode, stamp, version = struct.unpack(">8s16sBIB", body)
        known = user.rstrip(b"\0")
        digest = hashlib.md5(known + bytes(7) + SECRET.encode() + f"{stamp:010d}".encode()).digest()
        status = 0 if known.decode() == USER and proof == digest and mode == 2 else 21
        if version > 0x30:
            status = 22
        self.let_in = status == 0
        self.gateway.signed_in += self.let_in
        self.write(ANSWER | 1, sequence, struct.pack(">I16sB", status, bytes(16), 0x30))

    def answer(self, sequence: int, found: Taken, result: int) -> None:
        self.write(ANSWER | 2, sequence, struct.pack(">10sI", bytes.fromhex(found.ref), result))

    def read(self, sequence: int, body: bytes) -> Taken:
        fields = Fields(body)
        kind, wants_report, level = fields.take(3)
        assert (kind, wants_report) == (6, 1)
        fields.word(10), fields.word(2), fields.word(6), fields.word(6)
        coding, valid, _, source = fields.number(), fields.word(17), fields.word(17), fields.word(21)
        fields.word(21)
        assert fields.number() == 1
        address = fields.word(21)
        content = fields.take(fields.number())
        fields.take(8)
        options = {}
        while fields.left:
            tag, length = fields.number(2), fields.number(2)
            options[tag] = fields.number(length)
        total, part, headed = options.get(9, 1), options.get(10, 1), options.get(2, 0)
        return Taken(_number().hex(), total, part, level, headed, coding, valid, source, address, content)
