"""How the rehearsal's terminals sign and verify: 74 octets behind a frame, by the table, SM2 over SM3 of header, body
and time."""

from __future__ import annotations

import time
from dataclasses import dataclass

from channels.loudspeaker.signing.sm2 import PrivateKey, PublicKey


@dataclass(frozen=True, slots=True)
class TerminalSeals:
    """`key` and `serial` are the terminals' own; `platform` is the key whose orders they obey, by the certificate
    `platform_serial`."""

    key: PrivateKey
    serial: str
    platform: PublicKey
    platform_serial: str

    def make(self, content: bytes) -> bytes:
        """The signature of a frame's header and body."""
        moment = int(time.time()).to_bytes(4)
        return moment + bytes.fromhex(self.serial) + self.key.sign(content + moment)

    def good(self, content: bytes, seal: bytes) -> bool:
        """Whether the platform has signed header and body."""
        moment, serial, signature = seal[:4], seal[4:10].hex(), seal[10:]
        return serial == self.platform_serial and self.platform.verify(content + moment, signature)
