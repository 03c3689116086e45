"""CRC-32/MPEG-2, by which frames of GD/J 089 end: polynomial 04C11DB7, first value FFFFFFFF, nothing mirrored."""

from __future__ import annotations

import zlib

_MIRROR = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))


def checksum(data: bytes) -> int:
    """The 32 bits over `data`; "123456789" has 0376E6E7.

    It is zlib's CRC-32 in a mirror, without the last exclusive-or: mirrored octets in, the mirrored value out.
    """
    mirrored = zlib.crc32(data.translate(_MIRROR)) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_MIRROR))
