"""One connection of a carrier's protocol, whoever opened it: frames that begin with their length in four octets."""

from __future__ import annotations

from channels.listening.frames import FrameStream
from channels.sms.session.events import WireError

LENGTH = 4
"""Octets of a frame's length, with which it begins (big-endian)."""


class Connection(FrameStream):
    """Frames have `shortest` to `longest` octets."""

    head = LENGTH

    def __init__(self, shortest: int, longest: int, quiet: float) -> None:
        super().__init__(quiet)
        self._shortest = shortest
        self._longest = longest

    def size(self, data: bytes, at: int) -> int:
        length = int.from_bytes(data[at : at + LENGTH])
        if not self._shortest <= length <= self._longest:
            raise WireError(f"a frame of {length} octets")
        return length
