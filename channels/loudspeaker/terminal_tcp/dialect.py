"""What the forms of GD/J 089 that are in the field differ in; every point of it is an option of the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from channels.listening.frames import ProtocolError

BEIJING = timedelta(hours=8)


class WireError(ProtocolError):
    """Octets that are not the protocol."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """`sign_flag`: an octet behind the packet type says whether the frame is signed. `digits` of a resource code: 23
    (GY/T 386) or 18 (GD/J 084). `local_time`: times are Beijing's, eight hours ahead of what they should be."""

    sign_flag: bool = False
    digits: int = 23
    local_time: bool = False

    @property
    def code_octets(self) -> int:
        """Octets of a resource code: two digits each, a half octet F before an odd number of them."""
        return (self.digits + 1) // 2

    @property
    def message_digits(self) -> int:
        """Digits of a message's id (EBMID): the platform's code, the day, four digits."""
        return self.digits + 12

    @property
    def message_octets(self) -> int:
        """Octets of a message's id."""
        return (self.message_digits + 1) // 2

    def time(self, moment: datetime) -> bytes:
        """A moment in four octets: seconds since 1970."""
        shift = int(BEIJING.total_seconds()) if self.local_time else 0
        return (max(0, int(moment.timestamp()) + shift) & 0xFFFFFFFF).to_bytes(4)

    def moment(self, octets: bytes) -> datetime:
        """The moment that four octets name."""
        found = datetime.fromtimestamp(int.from_bytes(octets), UTC)
        return found - BEIJING if self.local_time else found


def packed(digits: str) -> bytes:
    """Decimal digits, two in an octet; an odd number of them behind a half octet F."""
    return bytes.fromhex("F" + digits if len(digits) % 2 else digits)


def unpacked(octets: bytes, digits: int) -> str:
    """So many digits of `octets`; `WireError` when they are none. What is before them is F, or whatever."""
    found = octets.hex()[-digits:]
    if not found.isdecimal():
        raise WireError("a code that is not of digits")
    return found
