"""Frames of SL 651-2014, HEX form: found in a stream of octets, checked, taken apart, and made.

Upwards: 7E 7E, centre (1 octet), station (5, BCD), password (2), function (1), direction and length (2: four bits, 0
up, 8 down; twelve bits), then 02 or, of several, 16 with their total and number (12 bits each), the text, 03 or 17
(more follow), and the CRC (2). Downwards station and centre change places. The length counts what lies between 02 (or
16) and the closing sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from adapters import door
from adapters.door.crc import modbus as crc

START = b"\x7e\x7e"
HEAD = 14
"""Octets up to and including 02 or 16."""

TAIL = 3
LONGEST = HEAD + 0xFFF + TAIL

STX, SYN, ETX, ETB = 0x02, 0x16, 0x03, 0x17
EOT, ENQ, ACK, NAK, ESC = 0x04, 0x05, 0x06, 0x15, 0x1B
_ENDS = frozenset({ETX, ETB, EOT, ENQ, ACK, NAK, ESC})


class Function(IntEnum):
    """What a frame is for (AFN)."""

    HEARTBEAT = 0x2F
    TEST = 0x30
    UNIFORM = 0x31
    TIMED = 0x32
    EXTRA = 0x33
    HOURLY = 0x34
    MANUAL = 0x35
    PICTURE = 0x36
    QUERIED = 0x37


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame upwards. `station` is ten digits; `total` and `number` are 1 where it is alone; `more` says that others
    follow."""

    centre: int
    station: str
    password: bytes
    function: int
    text: bytes
    total: int = 1
    number: int = 1
    more: bool = False


def _length(octets: bytes | bytearray) -> int:
    return ((octets[11] & 0x0F) << 8) | octets[12]


class Framer(door.Framer[Frame]):
    """Finds frames in what comes, whose CRC has its octets in this order."""

    START = START
    HEAD = HEAD

    def __init__(self, order: str) -> None:
        super().__init__()
        self._order = order

    def _size(self, held: bytearray) -> int | None:
        if held[13] not in (STX, SYN) or held[11] >> 4:
            return None
        return HEAD + _length(held) + TAIL

    def _read(self, octets: bytes) -> Frame | None:
        length = _length(octets)
        end = octets[HEAD + length]
        order: Literal["big", "little"] = "big" if self._order == "big" else "little"
        if end not in _ENDS or crc(octets[:-2]) != int.from_bytes(octets[-2:], order):
            return None
        station = octets[3:8].hex()
        text, total, number = octets[HEAD : HEAD + length], 1, 1
        if octets[13] == SYN:
            if length < 3:
                return None
            total, number = (text[0] << 4) | (text[1] >> 4), ((text[1] & 0x0F) << 8) | text[2]
            text = text[3:]
            if not 1 <= number <= total:
                return None
        return Frame(octets[2], station, octets[8:10], octets[10], text, total, number, end == ETB)


def answer(frame: Frame, serial: bytes, time: bytes, end: int, order: str) -> bytes:
    """The frame downwards that confirms `frame`: its serial number, our time (6 octets, BCD), and how it goes on
    (`end`: EOT, ACK, NAK or ESC)."""
    text = serial + time
    octets = (
        START
        + bytes.fromhex(frame.station)
        + bytes((frame.centre,))
        + frame.password
        + bytes((frame.function, 0x80 | len(text) >> 8, len(text) & 0xFF, STX))
        + text
        + bytes((end,))
    )
    return octets + crc(octets).to_bytes(2, "big" if order == "big" else "little")


def report(frame: Frame, order: str = "big") -> bytes:
    """The octets of a frame upwards: what a station sends."""
    text, start = frame.text, STX
    if frame.total > 1:
        start = SYN
        numbers = bytes((frame.total >> 4, (frame.total & 0x0F) << 4 | frame.number >> 8, frame.number & 0xFF))
        text = numbers + text
    octets = (
        START
        + bytes((frame.centre,))
        + bytes.fromhex(frame.station)
        + frame.password
        + bytes((frame.function, len(text) >> 8, len(text) & 0xFF, start))
        + text
        + bytes((ETB if frame.more else ETX,))
    )
    return octets + crc(octets).to_bytes(2, "big" if order == "big" else "little")
