"""Frames and bodies of GD/J 089 as a terminal writes and reads them. Written from the tables, apart from the driver."""

from __future__ import annotations

from typing import NamedTuple, Protocol

HEARTBEAT, FAULT, SWITCHED, PLAYED = 0x10, 0x13, 0x14, 0x15
PLAY, STOP = 0x01, 0x02
REQUEST, RESPONSE = 1, 2
BEGAN, ENDED = 1, 2
EMERGENCY, DAILY = 1, 2
IDLE = 1
SOUND = 2
HTTP = 4

START = bytes.fromhex("fefd0100")
CODE, MESSAGE = 12, 18
"""Octets of a code (F and 23 digits) and of a message's id (F and 35 digits)."""

_POLYNOMIAL = 0x04C11DB7


def _table() -> list[int]:
    found = []
    for octet in range(256):
        value = octet << 24
        for _ in range(8):
            value = (value << 1) ^ (_POLYNOMIAL if value & 0x80000000 else 0)
        found.append(value & 0xFFFFFFFF)
    return found


_TABLE = _table()


def crc(data: bytes) -> int:
    """CRC-32/MPEG-2."""
    value = 0xFFFFFFFF
    for octet in data:
        value = (value << 8 & 0xFFFFFFFF) ^ _TABLE[value >> 24 ^ octet]
    return value


class TerminalFrameError(ValueError):
    """What came is no frame."""


class Heard(NamedTuple):
    """A frame from the platform."""

    session: int
    packet: int
    kind: int
    body: bytes


class Order(NamedTuple):
    """开播, as far as a terminal needs it: times in Unix seconds."""

    message: str
    begins: int
    ends: int
    url: str


SEAL = 74
"""Octets of a signature, which stand behind two that say so."""


class Seals(Protocol):
    """Signs for a terminal, and knows the platform's signature."""

    def make(self, content: bytes) -> bytes:
        """The octets of a signature for header and body."""
        ...

    def good(self, content: bytes, seal: bytes) -> bool:
        """Whether these are a signature of the platform's for header and body."""
        ...


class Frames:
    """The frames of one terminal; `flagged`: an octet says whether a frame is signed (the form of 2019). With `seals`
    it signs, and obeys nobody who does not."""

    def __init__(self, code: str, platform: str, *, flagged: bool, seals: Seals | None = None) -> None:
        self._seals = seals
        self._source = bytes.fromhex("F" + code)
        self._platform = bytes.fromhex("F" + platform)
        self._flag = bytes([seals is not None]) if flagged else b""
        self._rest = b""

    def write(self, session: int, packet: int, kind: int, body: bytes) -> bytes:
        """A frame to the platform."""
        targeted = self._source + (1).to_bytes(2) + self._platform + bytes([kind]) + len(body).to_bytes(2) + body
        start = START + session.to_bytes(4) + bytes([packet]) + self._flag
        behind = 0 if self._seals is None else 2 + SEAL
        whole = start + (len(start) + 2 + len(targeted) + behind + 4).to_bytes(2) + targeted
        if self._seals is not None:
            whole += SEAL.to_bytes(2) + self._seals.make(whole)
        return whole + crc(whole).to_bytes(4)

    def feed(self, data: bytes) -> list[Heard]:
        """The frames that are whole now."""
        data = self._rest + data
        found = []
        length_at = 9 + len(self._flag)
        while len(data) >= length_at + 2:
            size = int.from_bytes(data[length_at : length_at + 2])
            if data[:4] != START or size < length_at + 2 + CODE + 9:
                raise TerminalFrameError("no frame")
            if len(data) < size:
                break
            found.append(self._read(data[:size], length_at + 2))
            data = data[size:]
        self._rest = data
        return found

    def _read(self, frame: bytes, at: int) -> Heard:
        if crc(frame[:-4]) != int.from_bytes(frame[-4:]):
            raise TerminalFrameError("a wrong checksum")
        targets = int.from_bytes(frame[at + CODE : at + CODE + 2])
        kind = at + CODE + 2 + CODE * targets
        if self._source not in frame[at + CODE + 2 : kind]:
            raise TerminalFrameError("a frame for another terminal")
        size = int.from_bytes(frame[kind + 1 : kind + 3])
        if self._seals is not None:
            content, behind = frame[: kind + 3 + size], frame[kind + 3 + size : -4]
            signed = len(behind) == 2 + SEAL and int.from_bytes(behind[:2]) == SEAL
            if not signed or (self._flag and frame[9] != 1) or not self._seals.good(content, behind[2:]):
                raise TerminalFrameError("no signature of the platform's")
        return Heard(int.from_bytes(frame[4:8]), frame[8], frame[kind], frame[kind + 3 : kind + 3 + size])


def order(body: bytes) -> Order:
    """What 开播 says; raises TerminalFrameError when there is no sound to be fetched over HTTP."""
    message = body[:MESSAGE].hex()[1:]
    at = MESSAGE + 1 + 1 + 5 + 1
    begins, ends, many = int.from_bytes(body[at : at + 4]), int.from_bytes(body[at + 4 : at + 8]), body[at + 8]
    at += 9
    for _ in range(many):
        kind, size = body[at], int.from_bytes(body[at + 1 : at + 3])
        data, at = body[at + 3 : at + 3 + size], at + 3 + size
        if kind == SOUND and data[0] == HTTP:
            return Order(message, begins, ends, data[13:].decode("ascii"))
    raise TerminalFrameError("nothing to play")


def answered(result: int, words: str = "") -> bytes:
    """The body of a response."""
    text = words.encode()
    return bytes([result]) + len(text).to_bytes(2) + text


def heartbeat(*, first: bool) -> bytes:
    """Idle, and whether it signs in; a physical address of six octets."""
    return bytes([IDLE, 1 if first else 2, 6]) + bytes(6)


def switched(state: int, task: int, message: str, at: float) -> bytes:
    return bytes([state, task]) + _packed(message) + int(at).to_bytes(4)


def played(message: str, *, good: bool, words: str, began: float, ended: float, now: float) -> bytes:
    """The result of a broadcast; times in Unix seconds."""
    text = words.encode()
    times = int(began).to_bytes(4) + int(ended).to_bytes(4)
    return _packed(message) + bytes([good]) + len(text).to_bytes(2) + text + times + b"\1" + int(now).to_bytes(4)


def _packed(message: str) -> bytes:
    return bytes.fromhex("F" + message)
