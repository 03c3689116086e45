"""Frames of GD/J 089 between platform and terminal, over TCP.

FE FD | 01 00 | session 4 | 1 request, 2 response | [signed? 1] | length of the whole frame 2 | source 9 or 12
| n 2 | n targets | business type 1 | length 2 | body | [74 as two octets, signature] | CRC-32/MPEG-2
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from channels.loudspeaker.terminal_tcp.checksum import checksum
from channels.loudspeaker.terminal_tcp.dialect import Dialect, WireError, packed, unpacked

MAGIC = b"\xfe\xfd\x01\x00"
LENGTH_AT = 9
REQUEST, RESPONSE = 1, 2
CRC = 4
SIGNATURE = 74
"""Octets of a signature, see `signing/seal.py`."""

LONGEST_UP = 16 * 1024
"""Octets of the longest frame that a terminal may send: a fault's description has 255, a result's a few hundred."""

LONGEST = 0xFFFF
"""Octets of the longest frame that can be written."""


class Kind(IntEnum):
    """Business types. Up: heartbeat, query_reply, fault, switched, played, recorded. Down: play, stop, query_reply's
    question (11, as its answer), configure."""

    PLAY = 0x01
    STOP = 0x02
    HEARTBEAT = 0x10
    QUERY = 0x11
    CONFIGURE = 0x12
    FAULT = 0x13
    SWITCHED = 0x14
    PLAYED = 0x15
    RECORDED = 0x16


class Frame(NamedTuple):
    """`kind` as in `Kind`, or whatever else came; `signature` is empty where there is none."""

    session: int
    answer: bool
    source: str
    targets: tuple[str, ...]
    kind: int
    body: bytes
    signature: bytes = b""


class Layout:
    """Writes and reads the frames of one dialect. A frame that is to be signed is written in two steps: its `content`,
    then that `sealed`."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._length_at = LENGTH_AT + dialect.sign_flag
        self.head = self._length_at + 2
        self.shortest = self.head + dialect.code_octets + 2 + 1 + 2 + CRC

    def size(self, data: bytes, at: int, longest: int = LONGEST_UP) -> int:
        """Octets of the frame that begins at `at`, of which `head` octets are there."""
        if data[at : at + len(MAGIC)] != MAGIC:
            raise WireError("does not begin as a frame does")
        length = int.from_bytes(data[at + self._length_at : at + self.head])
        if not self.shortest <= length <= longest:
            raise WireError(f"a frame of {length} octets")
        return length

    def write(self, frame: Frame) -> bytes:
        """The octets of `frame` as it is, signed or not; ValueError when they are too many for its length."""
        content = self.content(frame, signed=bool(frame.signature))
        if frame.signature:
            return self.sealed(content, frame.signature)
        return content + checksum(content).to_bytes(CRC)

    def content(self, frame: Frame, *, signed: bool) -> bytes:
        """Header and body, with the length that the whole will have: what a signature is of. ValueError when that is
        too long."""
        targets = b"".join(packed(target) for target in frame.targets)
        body = (
            packed(frame.source)
            + len(frame.targets).to_bytes(2)
            + targets
            + bytes([frame.kind])
            + len(frame.body).to_bytes(2)
            + frame.body
        )
        tail = 2 + SIGNATURE if signed else 0
        length = self.head + len(body) + tail + CRC
        if length > LONGEST:
            raise ValueError(f"a frame of {length} octets")
        flag = bytes([signed]) if self.dialect.sign_flag else b""
        head = MAGIC + frame.session.to_bytes(4) + bytes([RESPONSE if frame.answer else REQUEST]) + flag
        return head + length.to_bytes(2) + body

    def sealed(self, content: bytes, signature: bytes) -> bytes:
        """A whole frame: its content, the 74 octets of a signature, the checksum."""
        content += SIGNATURE.to_bytes(2) + signature
        return content + checksum(content).to_bytes(CRC)

    def signed(self, data: bytes) -> bytes:
        """Of a whole frame that is signed, what the signature is of."""
        return data[: -CRC - SIGNATURE - 2]

    def read(self, data: bytes) -> Frame:
        """What a whole frame says; `WireError` when it is damaged."""
        if int.from_bytes(data[-CRC:]) != checksum(data[:-CRC]):
            raise WireError("a wrong checksum")
        dialect, end = self.dialect, len(data) - CRC
        code, at = dialect.code_octets, self.head
        kind_at = at + code + 2 + code * int.from_bytes(data[at + code : at + code + 2])
        body_at = kind_at + 3
        if body_at > end:
            raise WireError("more targets than octets")
        body_end = body_at + int.from_bytes(data[kind_at + 1 : body_at])
        if body_end > end:
            raise WireError("a body that is longer than its frame")
        packet = data[8]
        if packet not in (REQUEST, RESPONSE):
            raise WireError(f"a packet of type {packet}")
        return Frame(
            session=int.from_bytes(data[4:8]),
            answer=packet == RESPONSE,
            source=unpacked(data[at : at + code], dialect.digits),
            targets=tuple(
                unpacked(data[place : place + code], dialect.digits) for place in range(at + code + 2, kind_at, code)
            ),
            kind=data[kind_at],
            body=data[body_at:body_end],
            signature=self._signature(data, body_end, end),
        )

    @staticmethod
    def _signature(data: bytes, at: int, end: int) -> bytes:
        """What is between body and checksum; some write the length of a signature also where there is none."""
        if end == at or data[at:end] == b"\0\0":
            return b""
        if end - at == 2 + SIGNATURE and int.from_bytes(data[at : at + 2]) == SIGNATURE:
            return data[at + 2 : end]
        raise WireError(f"{end - at} octets behind the body")
