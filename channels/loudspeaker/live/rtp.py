"""RTP packets (RFC 3550) of G.711 (RFC 3551): one source, whose sequence and time go on from broadcast to broadcast."""

from __future__ import annotations

import secrets
import struct
import time
from collections.abc import Callable

from channels.loudspeaker.live.g711 import PAYLOAD_TYPES, RATE
from channels.speech.track import Line

HEADER = struct.Struct(">BBHII")
VERSION = 0x80
MARKER = 0x80
"""Of the first packet after silence."""


class Source:
    """Makes packets, of the encoding's payload type unless another was agreed on. While nothing is said, its clock goes
    on (RFC 3551, 4.1)."""

    def __init__(
        self, line: Line, *, payload_type: int | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._type = PAYLOAD_TYPES[line] if payload_type is None else payload_type
        self._now = now
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(16)
        self._offset = secrets.randbits(32)
        self._time = 0
        self._first = True
        self._last: float | None = None

    def begin(self) -> None:
        """A broadcast begins."""
        self._time += int(self._silence() * RATE)
        self._first = True

    def packet(self, frame: bytes) -> bytes:
        """The next 20 ms."""
        marker = MARKER if self._first else 0
        head = HEADER.pack(
            VERSION, marker | self._type, self._sequence, (self._offset + self._time) & 0xFFFFFFFF, self._ssrc
        )
        self._first = False
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._time += len(frame)
        self._last = self._now()
        return head + frame

    def _silence(self) -> float:
        """Seconds since the last packet."""
        return 0.0 if self._last is None else max(0.0, self._now() - self._last)
