"""Frames in a stream of octets: found by how they begin, checked as a whole; what is none never gathers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

Frame = TypeVar("Frame")

MOST_SPOILT = 50
"""Beginnings in a row that lead to nothing, after which we part: each costs a CRC."""


class Framer(ABC, Generic[Frame]):
    """A kind says how its frames begin (two octets, the same), after how many octets the size is known (`HEAD`), the
    size, and what a whole one says."""

    START: ClassVar[bytes]
    HEAD: ClassVar[int]

    def __init__(self) -> None:
        self._held = bytearray()
        self.spoilt = 0
        """Beginnings since the last good frame that led to nothing: a wrong length, closing sign or CRC."""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete with `data`; `ConnectionAbortedError` when it is nothing but nonsense. What is
        no frame is passed over, octet by octet."""
        held = self._held
        held += data
        found: list[Frame] = []
        while self._begins():
            size = self._size(held)
            if size is not None and len(held) < size:
                break
            frame = None if size is None else self._read(bytes(held[:size]))
            if size is None or frame is None:
                self._pass_over()
                continue
            del held[:size]
            self.spoilt = 0
            found.append(frame)
        return found

    def _begins(self) -> bool:
        """Whether what is held begins with enough of a frame to know its size."""
        held, start = self._held, self.START
        place = held.find(start)
        if place < 0:
            del held[: len(held) - (held[-1:] == start[:1])]
            return False
        del held[:place]
        return len(held) >= self.HEAD

    def _pass_over(self) -> None:
        self.spoilt += 1
        if self.spoilt > MOST_SPOILT:
            self._held.clear()
            raise ConnectionAbortedError("nothing but nonsense")
        del self._held[:1]

    @abstractmethod
    def _size(self, held: bytearray) -> int | None:
        """Octets of the frame of which `held` has the head; None where that is no head."""

    @abstractmethod
    def _read(self, octets: bytes) -> Frame | None:
        """What a frame of the right size says; None for what is none."""
