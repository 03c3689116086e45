"""SGIP's sequence numbers: twelve octets, the sender's node, the time of sending, a serial number.

A submit's sequence number is its message's id, so no two of an account may be alike, whichever connection or process
they leave by. The serial number is therefore cut in two: sixteen bits for the connection, sixteen for the frame, which
begin again after 65,536 frames, when the time is another.
"""

from __future__ import annotations

import secrets
import struct
from datetime import datetime
from itertools import count

from channels.sms.session.octets import stamp

SEQUENCE = struct.Struct(">III")
LOW = 0xFFFF

_numbers = count(secrets.randbelow(LOW + 1))


class Series:
    """The sequence numbers of one connection, which takes its own sixteen bits with the first: another connection of
    this process has others, one of another process most likely."""

    def __init__(self, node: int) -> None:
        self._node = node
        self._connection: int | None = None
        self._last = 0
        self._at: datetime | None = None
        self._time = 0

    def number(self, sequence: int, now: datetime) -> bytes:
        """The number of the connection's frame `sequence`."""
        if self._connection is None:
            self._connection = next(_numbers) & LOW
        moment = now.replace(microsecond=0)
        if moment != self._at:
            self._at, self._time = moment, int(stamp(now))
        self._last = sequence
        return SEQUENCE.pack(self._node, self._time, self._connection << 16 | sequence & LOW)

    def frame(self, number: bytes) -> int:
        """The frame that `number` was given to, if it was among the connection's last 65,536; 0 where it was not."""
        node, _, serial = SEQUENCE.unpack(number)
        if node != self._node or serial >> 16 != self._connection:
            return 0
        behind: int = self._last - serial & LOW
        return max(0, self._last - behind)
