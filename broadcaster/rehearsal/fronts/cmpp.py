"""The front of China Mobile's CMPP, 2.0 and 3.0: the gateway's side (ISMG), in the version that a client signs in with.

Written from the protocol's tables (中国移动通信互联网短信网关接口协议), apart from the driver.
"""

from __future__ import annotations

import hmac
import struct
from hashlib import md5
from typing import TYPE_CHECKING, ClassVar

from broadcaster.ports import Medium
from broadcaster.rehearsal.evidence import Proof
from broadcaster.rehearsal.fronts.act import Act, Door
from broadcaster.rehearsal.fronts.carrier import ANSWER, DELIVER, SUBMIT, Carrier, Submitted, numbers
from broadcaster.rehearsal.fronts.front import WRONG_PASSWORD, FrontError
from broadcaster.rehearsal.fronts.statuses import status
from broadcaster.rehearsal.judge import BAD_ADDRESS
from broadcaster.rehearsal.script import CarrierFront as Settings
from channels.line.settings import Address
from channels.line.wire import ACCEPTED, DEFERRED, ReplyRow
from channels.sms.parts import Part

if TYPE_CHECKING:
    from broadcaster.rehearsal.stage import Stage

CONNECT, TERMINATE, ACTIVE_TEST = 1, 2, 8
HIGHEST = 0x30
"""The version that a client may speak at most."""

HEADER = struct.Struct(">III")
CONNECT_BODY = struct.Struct(">6s16sBI")
SUBMIT_2 = struct.Struct(">8xI 8xxxBB 10xx21xxBB 6x2x6x 17s17x21s B21sB")
SUBMIT_3 = struct.Struct(">8xI 8xxxBB 10xx32xxxBB 6x2x6x 17s17x21s B32sxB")
"""Sequence, report wanted?, level, header?, coding, validity, source, receivers, the first of them, length."""

ANSWER_2 = struct.Struct(">IIIQB")
ANSWER_3 = struct.Struct(">IIIQI")
REPORT_2 = struct.Struct(">III Q21s10xBBB21sBB Q7s10s10s21sI 8x")
REPORT_3 = struct.Struct(">III Q21s10xBBB32sxBB Q7s10s10s32sI 20x")
"""A DELIVER (id, to, pid, header?, coding, from, report?, length) that holds a status report (id, status, submitted,
done, to, sequence)."""

SAID_2 = struct.Struct(">Q21s10xBBB21sBB")
SAID_3 = struct.Struct(">Q21s10xBBB32sxBB")
TAIL_2, TAIL_3 = 8, 20

NOBODY_KNOWS, BAD_RECEIVER, FLOW_CONTROL, OTHER = 3, 13, 8, 99
"""Of CONNECT: the secret is wrong. Of SUBMIT: Dest_terminal_Id, flow control, whatever carriers have besides."""

VERSION_TOO_HIGH, TOO_MANY = 4, 5

PREFIX, NATIONAL = "86", 11
"""Before a number that is written internationally; digits of one that is not."""


class CmppFront(Carrier):
    """One connection."""

    protocol: ClassVar[str] = "cmpp"
    shortest = 12
    longest = 5000  # a SUBMIT to a hundred receivers has 12 + 162 + 3200 + 160

    _third = False
    _source = b""

    def submitted(self, data: bytes, at: int, length: int) -> Submitted:
        layout, tail = (SUBMIT_3, TAIL_3) if self._third else (SUBMIT_2, TAIL_2)
        start = at + layout.size
        if length < layout.size + tail:
            raise FrontError(f"a SUBMIT of {length} octets")
        sequence, reported, level, headed, coding, valid, source, receivers, to, size = layout.unpack_from(data, at)
        if receivers != 1:  # nobody here sends to many with one: no such number
            to, size = b"", 0
        elif length != layout.size + size + tail:
            raise FrontError(f"a SUBMIT of {length} octets with {size} of content")
        self._source = source
        return (
            sequence, national(to), data[start : start + size], coding, headed == 1, 3 - level,
            self._moments.read(valid), reported == 1,
        )  # fmt: skip

    def delivered(self, data: bytes, at: int, length: int) -> tuple[int, bool]:
        width = 4 if self._third else 1
        if length < 12 + 8 + width:
            raise FrontError(f"a DELIVER_RESP of {length} octets")
        sequence = int.from_bytes(data[at + 8 : at + 12])
        return sequence, not any(data[at + 20 : at + 20 + width])

    def obey(self, command: int, frame: bytes) -> None:
        sequence = int.from_bytes(frame[8:12])
        match command:
            case 0x00000001 if self.account is None:
                self._connect(sequence, frame[12:])
            case 0x00000008:
                self.loop.call_later(self.silence(), self.send, pack(ANSWER | ACTIVE_TEST, sequence, b"\0"))
            case 0x80000008:
                return
            case 0x00000002 if self.account is not None:
                self._farewell = sequence
                self.leave()
            case _:
                raise FrontError(f"command {command:#010x} makes no sense now")

    def answered(self, sequence: int, number: int, verdict: int, reason: str) -> bytes:
        if verdict == ACCEPTED:
            result = 0
        elif verdict == DEFERRED:
            number, result = 0, FLOW_CONTROL
        else:
            number, result = 0, BAD_RECEIVER if reason == BAD_ADDRESS else OTHER
        layout = ANSWER_3 if self._third else ANSWER_2
        return layout.pack(layout.size, ANSWER | SUBMIT, sequence, number, result)

    def report(self, sequence: int, number: int, row: Proof) -> bytes:
        layout, length = (REPORT_3, 71) if self._third else (REPORT_2, 60)
        to, done = row[6].encode(), self._now()
        return layout.pack(
            layout.size, DELIVER, sequence, number, self._source, 0, 0, 0, to, 1, length,
            number, status(row[5]), done, done, to, sequence,
        )  # fmt: skip

    def said(self, sequence: int, row: ReplyRow, part: Part) -> bytes:
        layout, tail = (SAID_3, TAIL_3) if self._third else (SAID_2, TAIL_2)
        body = layout.pack(
            int(row[0], 16), self._source, 0, int(part.total > 1), part.coding, row[1].encode(), 0, len(part.content)
        )
        return pack(DELIVER, sequence, body + part.content + bytes(tail))

    def asking(self, sequence: int) -> bytes:
        return pack(ACTIVE_TEST, sequence, b"")

    def say_bye(self) -> None:
        self.send(pack(ANSWER | TERMINATE, self._farewell, b""))
        if self.transport is not None:
            self.transport.close()

    def _connect(self, sequence: int, body: bytes) -> None:
        if len(body) != CONNECT_BODY.size:
            raise FrontError(f"a CONNECT of {len(body)} octets")
        user, proof, version, stamp = CONNECT_BODY.unpack(body)
        self._third = version >= HIGHEST
        if version > HIGHEST:
            self._refuse(sequence, VERSION_TOO_HIGH)
            return
        name = user.rstrip(b"\0").decode("ascii", "replace")

        def proves(password: str) -> bool:
            expected = md5(
                user.rstrip(b"\0") + bytes(9) + password.encode() + f"{stamp:010d}".encode(), usedforsecurity=False
            )
            return hmac.compare_digest(expected.digest(), proof)

        refusal = self.admit(name, Medium.SMS, proves, numbers)
        if refusal:
            self._refuse(sequence, NOBODY_KNOWS if refusal == WRONG_PASSWORD else TOO_MANY)
        elif self.account is not None:
            self.send(self._connected(sequence, 0, proof, self.stage.password(name)))
            self.signed_in(self.account)

    def _refuse(self, sequence: int, status: int) -> None:
        self.send(self._connected(sequence, status, b"", ""))
        if self.transport is not None:
            self.transport.close()

    def _connected(self, sequence: int, status: int, proof: bytes, password: str) -> bytes:
        word = status.to_bytes(4 if self._third else 1)
        ours = md5(word + proof + password.encode(), usedforsecurity=False).digest()
        return pack(ANSWER | CONNECT, sequence, word + ours + bytes([HIGHEST if self._third else 0x20]))


def national(number: bytes) -> str:
    """A number as the people's own list has it."""
    text = number.rstrip(b"\0").decode("ascii", "replace")
    if len(text) <= NATIONAL:
        return text
    text = text.lstrip("+")
    return text[len(PREFIX) :] if len(text) == len(PREFIX) + NATIONAL and text.startswith(PREFIX) else text


def pack(command: int, sequence: int, body: bytes) -> bytes:
    return HEADER.pack(HEADER.size + len(body), command, sequence) + body


def act(stage: Stage, settings: Settings) -> Act:
    """The front on a stage."""
    return Door(Address.parse(settings.listen), lambda: CmppFront(stage, stage.next_number(), settings))
