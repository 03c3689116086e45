"""Packets of HJ 212-2017: `##`, four digits of length, the data, four hexadecimal digits of CRC, CR LF."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from adapters import door
from adapters.door.crc import hj212 as crc

LONGEST = 9999
"""Octets of a packet's data: what four digits can say. (The standard asks for at most 1,024; devices send more.)"""

_TAIL = 6
_DATA = re.compile(r"(?P<head>.*?)CP=&&(?P<parameters>.*)&&\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: the fields of its head, and its parameters as they are written between the signs &&."""

    head: Mapping[str, str]
    parameters: str

    @property
    def command(self) -> str:
        """CN: what it is for."""
        return self.head.get("CN", "")

    @property
    def station(self) -> str:
        """MN: who sends it."""
        return self.head.get("MN", "")

    @property
    def flag(self) -> int:
        """Bit 0: it wants an answer; bit 1: it is one of several."""
        written = self.head.get("Flag", "0")
        return int(written) if written.isascii() and written.isdigit() and len(written) < 4 else 0

    @property
    def place(self) -> tuple[int, int]:
        """How many packets the message has, and which of them this is."""
        total, number = self.head.get("PNUM", "1"), self.head.get("PNO", "1")
        if not (total.isascii() and total.isdigit() and number.isascii() and number.isdigit()):
            return 1, 1
        return int(total[:5]), int(number[:5])


class Framer(door.Framer[Packet]):
    """Finds packets in what comes."""

    START = b"##"
    HEAD = 6

    def _size(self, held: bytearray) -> int | None:
        return self.HEAD + int(held[2:6]) + _TAIL if held[2:6].isdigit() else None

    def _read(self, octets: bytes) -> Packet | None:
        data, tail = octets[self.HEAD : -_TAIL], octets[-_TAIL:]
        return read(data) if tail[4:] == b"\r\n" and tail[:4].upper() == b"%04X" % crc(data) else None


def read(data: bytes) -> Packet | None:
    """The packet whose data this is; None for what is none."""
    match = _DATA.fullmatch(data.decode("gb18030", "replace"))
    if match is None:
        return None
    pairs = (pair.partition("=") for pair in match["head"].split(";") if pair)
    return Packet({name.strip(): value.strip() for name, _, value in pairs}, match["parameters"])


def write(data: str) -> bytes:
    """The packet with this data."""
    octets = data.encode("ascii", "replace")
    return b"##%04d%s%04X\r\n" % (len(octets), octets, crc(octets))


def answer(packet: Packet) -> bytes:
    """The 9014 that says that a packet's data has been taken."""
    head = packet.head
    fields = f"QN={head.get('QN', '')};ST=91;CN=9014;PW={head.get('PW', '')};MN={packet.station};Flag=4;CP=&&&&"
    return write(fields)
