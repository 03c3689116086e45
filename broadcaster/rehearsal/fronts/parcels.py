"""Messages that come in several parts, put together as a handset does (3GPP TS 23.040, 9.2.3.24.1 and .8)."""

from __future__ import annotations

from typing import NamedTuple

MOST = 10_000
"""Messages of which parts may be missing at a time on one connection; beyond, the oldest is forgotten."""

ASCII, UCS2, GBK = 0, 8, 15
FROM_HANDSET = bytes.maketrans(b"\x00\x02\x11", b"@$_")


class Place(NamedTuple):
    """Where a part belongs: `number` of `total`, of the message that the sender calls `reference`; then its text."""

    reference: int
    total: int
    number: int
    content: bytes


class Parcel:
    """A message on its way. `first` is the id of its first part; the others follow."""

    __slots__ = ("first", "parts", "total")

    def __init__(self, first: int, total: int) -> None:
        self.first = first
        self.total = total
        self.parts: dict[int, bytes] = {}

    def content(self) -> bytes:
        return b"".join(self.parts[number] for number in sorted(self.parts))


class Parcels:
    """What has begun to come on one connection, by address and reference."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int, int], Parcel] = {}

    def find(self, address: str, place: Place) -> Parcel | None:
        """The message that this part belongs to; None where it begins a new one."""
        found = self._open.get((address, place.reference, place.total))
        return None if found is None or place.number in found.parts else found

    def begin(self, address: str, place: Place, first: int) -> Parcel:
        """A message whose first part to come is at `place`."""
        key = (address, place.reference, place.total)
        self._open.pop(key, None)
        parcel = self._open[key] = Parcel(first, place.total)
        if len(self._open) > MOST:
            del self._open[next(iter(self._open))]
        return parcel

    def close(self, address: str, place: Place) -> None:
        """The message is whole, or will never be."""
        self._open.pop((address, place.reference, place.total), None)


def place(content: bytes) -> Place | None:
    """What a user data header says of the part that it begins; None where it says nothing of parts."""
    end = 1 + content[0] if content else 0
    at = 1
    while at + 2 <= end <= len(content):
        kind, length = content[at], content[at + 1]
        value = content[at + 2 : at + 2 + length]
        if (kind, length) in ((0x00, 3), (0x08, 4)) and len(value) == length:
            total, number = value[-2], value[-1]
            if 1 <= number <= total:
                return Place(int.from_bytes(value[:-2]), total, number, content[end:])
        at += 2 + length
    return None


def headless(content: bytes) -> bytes:
    """The text behind a user data header that says nothing of parts."""
    return content[1 + content[0] :] if content else content


def text(content: bytes, coding: int, *, handset: bool) -> str:
    """What the reader sees. `handset`: texts without a coding are in the handsets' alphabet, whose few signs that ASCII
    has elsewhere are put right."""
    if coding == UCS2:
        return content.decode("utf-16-be", "replace")
    if coding == GBK:
        return content.decode("gb18030", "replace")
    return (content.translate(FROM_HANDSET) if handset else content).decode("latin-1")
