"""The 74 octets by which the emergency broadcast system signs (GY/T 389, GD/J 082 and 089): the time in seconds (4, big
endian), the certificate's serial number (6, BCD), r and s (32 each)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from broadcaster.errors import InputError
from channels.loudspeaker.signing.sm2 import WIDTH

TIME, SERIAL = 4, 6
LENGTH = TIME + SERIAL + 2 * WIDTH
_SERIAL = re.compile(r"[0-9A-Fa-f]{12}")


@dataclass(frozen=True, slots=True)
class Seal:
    """Who signed when, and what came of it: `serial` 12 digits, `signature` r and s."""

    time: datetime
    serial: str
    signature: bytes

    def encode(self) -> bytes:
        """The 74 octets."""
        return seconds(self.time) + bytes.fromhex(self.serial) + self.signature

    @classmethod
    def decode(cls, octets: bytes) -> Seal:
        """From 74 octets; `InputError` for any other number."""
        if len(octets) != LENGTH:
            raise InputError(f"签名值应为 {LENGTH} 字节，来的是 {len(octets)} 字节。")
        time = datetime.fromtimestamp(int.from_bytes(octets[:TIME]), UTC)
        return cls(time, octets[TIME : TIME + SERIAL].hex().upper(), octets[TIME + SERIAL :])


def is_serial(text: str) -> bool:
    """Whether `text` can be a certificate's serial number here."""
    return _SERIAL.fullmatch(text) is not None


def seconds(time: datetime) -> bytes:
    """The four octets of a time."""
    return int(time.timestamp()).to_bytes(TIME)
