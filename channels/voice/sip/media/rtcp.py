"""The least of RTCP (RFC 3550 section 6): who we are and what we sent, every few seconds; what the other end misses."""

from __future__ import annotations

import struct

EVERY = 5.0
"""Seconds between two reports."""

SENDER, RECEIVER, DESCRIPTION, GOODBYE = 200, 201, 202, 203
BETWEEN_EPOCHS = 2_208_988_800
"""Seconds between 1900, where NTP begins, and 1970."""

CNAME = 1
BLOCK = 24


def report(source: int, name: str, wall: float, timestamp: int, packets: int, octets: int) -> bytes:
    """A sender's report and its description; `wall` in Unix seconds, `timestamp` the RTP timestamp of that moment."""
    fraction, whole = wall % 1, int(wall) + BETWEEN_EPOCHS
    sender = struct.pack(
        "!BBHIIIIII", 0x80, SENDER, 6, source, whole & 0xFFFFFFFF, int(fraction * 2**32), timestamp, packets, octets
    )
    item = bytes([CNAME, len(name)]) + name.encode("ascii") + b"\0"
    item += bytes(-len(item) % 4)
    return sender + struct.pack("!BBHI", 0x81, DESCRIPTION, 1 + len(item) // 4, source) + item


def goodbye(source: int) -> bytes:
    """The last word, behind an empty receiver's report, as RFC 3550 wants it."""
    return struct.pack("!BBHI", 0x80, RECEIVER, 1, source) + struct.pack("!BBHI", 0x81, GOODBYE, 1, source)


def missed(octets: bytes, source: int) -> float | None:
    """The share of `source`'s packets that the other end missed lately, None when it does not say."""
    place = 0
    while place + 8 <= len(octets):
        first, kind, length = struct.unpack_from("!BBH", octets, place)
        end = place + 4 * (length + 1)
        if first >> 6 != 2 or end > len(octets):
            return None
        if kind in {SENDER, RECEIVER}:
            block = place + (28 if kind == SENDER else 8)
            for _ in range(first & 31):
                if block + BLOCK > end:
                    return None
                about, share = struct.unpack_from("!IB", octets, block)
                if about == source:
                    return float(share) / 256
                block += BLOCK
        place = end
    return None
