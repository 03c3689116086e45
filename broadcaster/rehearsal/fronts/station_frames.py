"""Frames of SL 651-2014 (HEX) as a station writes them, and the centre's confirmations as it reads them. Written from
the tables, apart from the adapter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from broadcaster.clock import BEIJING

TIMED, ADDED = 0x32, 0x33
"""Functions: the report that is due, and one that is made because a level was crossed (加报)."""

LEVEL, FLOW, VOLTAGE = 0x39, 0x27, 0x38
"""Identifiers of elements: metres, cubic metres a second, volts."""

CENTRE = 0x01
PASSWORD = b"\x00\x00"
RIVER = 0x48
"""The class of a station at a river."""

_START, _BEGIN, _END = b"\x7e\x7e", 0x02, 0x03
_HEAD, _TAIL = 14, 3
_DOWN = 0x8
_MOST_HELD = 8 * 1024
_DIGITS = {LEVEL: (4, 3), FLOW: (5, 3), VOLTAGE: (2, 2)}
"""Octets and decimals in which an element is written: N(7,3), N(9,3), N(4,2)."""


class Confirmed(NamedTuple):
    """What the centre has stored: the report's function and serial number."""

    function: int
    serial: int


def report(station: str, serial: int, at: float, elements: Iterable[tuple[int, float]], function: int = TIMED) -> bytes:
    """The frame of a report. `station` has eight digits, `serial` 1 to 65535; `at` is when it was measured and sent,
    Unix seconds."""
    moment = datetime.fromtimestamp(at, UTC).astimezone(BEIJING)
    address = bytes.fromhex(f"00{station}")
    text = (
        serial.to_bytes(2, "big")
        + bytes.fromhex(f"{moment:%y%m%d%H%M%S}")
        + b"\xf1\xf1" + address + bytes((RIVER,))
        + b"\xf0\xf0" + bytes.fromhex(f"{moment:%y%m%d%H%M}")
        + b"".join(_element(identifier, value) for identifier, value in elements)
    )  # fmt: skip
    head = bytes((CENTRE,)) + address + PASSWORD + bytes((function,)) + len(text).to_bytes(2, "big")
    return _sealed(_START + head + bytes((_BEGIN,)) + text + bytes((_END,)))


class Answers:
    """Finds confirmations in what comes from the centre; what is none is passed over."""

    def __init__(self, station: str) -> None:
        self._address = bytes.fromhex(f"00{station}")
        self._held = bytearray()

    def feed(self, data: bytes) -> Sequence[Confirmed]:
        """Those that are complete with `data`."""
        self._held += data
        found: list[Confirmed] = []
        while (place := self._held.find(_START)) >= 0:
            del self._held[:place]
            if len(self._held) < _HEAD:
                break
            if self._held[11] >> 4 != _DOWN or self._held[13] != _BEGIN:
                del self._held[:1]
                continue
            size = _HEAD + ((self._held[11] & 0x0F) << 8 | self._held[12]) + _TAIL
            if len(self._held) < size:
                break
            confirmed = self._read(bytes(self._held[:size]))
            del self._held[: size if confirmed is not None else 1]
            if confirmed is not None:
                found.append(confirmed)
        if len(self._held) > _MOST_HELD:
            self._held.clear()
        return found

    def _read(self, frame: bytes) -> Confirmed | None:
        whole = crc(frame[:-2]) == int.from_bytes(frame[-2:], "big")
        if not whole or frame[2:7] != self._address or len(frame) < _HEAD + 2 + _TAIL:
            return None
        return Confirmed(frame[10], int.from_bytes(frame[_HEAD : _HEAD + 2], "big"))


def crc(data: bytes) -> int:
    """CRC-16/MODBUS: polynomial A001, beginning with FFFF."""
    value = 0xFFFF
    for octet in data:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value


def _element(identifier: int, value: float) -> bytes:
    octets, decimals = _DIGITS[identifier]
    digits = f"{round(abs(value) * 10**decimals):0{2 * octets}d}"
    written = bytes.fromhex(digits) if value >= 0 else b"\xff" + bytes.fromhex(digits[2:])
    return bytes((identifier, octets << 3 | decimals)) + written


def _sealed(frame: bytes) -> bytes:
    return frame + crc(frame).to_bytes(2, "big")
