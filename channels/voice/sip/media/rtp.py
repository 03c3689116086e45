"""RTP packets (RFC 3550) and telephone events in them (RFC 4733)."""

from __future__ import annotations

import struct
from collections import deque
from typing import NamedTuple

HEAD = struct.Struct("!BBHII")
VERSION = 0x80
MARKER = 0x80
KEYS = "0123456789*#ABCD"
"""Telephone events 0 to 15."""

REMEMBERED = 32
"""Presses of which packets may still come: each comes in several, and late ones are no news."""


class RtpError(ValueError):
    """Octets that are no RTP packet."""


class Packet(NamedTuple):
    payload_type: int
    sequence: int
    timestamp: int
    source: int
    payload: bytes


def packet(payload_type: int, sequence: int, timestamp: int, source: int, payload: bytes, *, marker: bool) -> bytes:
    """The octets of a packet; `marker` on the first one of a talkspurt (RFC 3551)."""
    return HEAD.pack(VERSION, payload_type | (MARKER if marker else 0), sequence, timestamp, source) + payload


def read(octets: bytes) -> Packet:
    """The packet; `RtpError` when it is none."""
    if len(octets) < HEAD.size:
        raise RtpError("too short")
    first, second, sequence, timestamp, source = HEAD.unpack_from(octets)
    if first >> 6 != 2:
        raise RtpError("another version")
    start = HEAD.size + 4 * (first & 15)
    if first & 16:
        if len(octets) < start + 4:
            raise RtpError("an extension that is not there")
        start += 4 + 4 * int.from_bytes(octets[start + 2 : start + 4], "big")
    end = len(octets)
    if first & 32:
        end -= octets[-1]
        if octets[-1] == 0:
            raise RtpError("padding of nothing")
    if not start <= end:
        raise RtpError("more header than packet")
    return Packet(second & 127, sequence, timestamp, source, octets[start:end])


class Presses:
    """Tells a key once, however many packets say so: all of one press have its timestamp."""

    def __init__(self) -> None:
        self._known: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)

    def take(self, heard: Packet) -> str:
        """The key that was pressed now, "" when the packet says nothing new."""
        press = (heard.source, heard.timestamp)
        if len(heard.payload) < 4 or heard.payload[0] >= len(KEYS) or press in self._known:
            return ""
        self._known.append(press)
        return KEYS[heard.payload[0]]
