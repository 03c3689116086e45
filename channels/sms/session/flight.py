"""What is in flight on all connections of one account: a report may come on any of them, before the answer."""

from __future__ import annotations

import asyncio
from typing import Protocol, TypeAlias


class Submits(Protocol):
    """A connection that parts are submitted on."""

    @property
    def written(self) -> int:
        """The number of the frame that was written last."""
        ...

    @property
    def oldest(self) -> int:
        """The number of the first frame that still waits for its answer; beyond all numbers where none does."""
        ...


Mark: TypeAlias = tuple[tuple[Submits, int], ...]
"""A moment: what was not answered on each connection then."""


class Flight:
    """Events in `waiting` are set whenever something was answered, or never will be."""

    def __init__(self) -> None:
        self._links: dict[Submits, None] = {}
        self.waiting: set[asyncio.Event] = set()

    def join(self, link: Submits) -> None:
        self._links[link] = None

    def leave(self, link: Submits) -> None:
        self._links.pop(link, None)

    def mark(self) -> Mark:
        """Now."""
        return tuple((link, link.written) for link in self._links if link.oldest <= link.written)

    @staticmethod
    def settled(mark: Mark) -> bool:
        """Whether all that was in flight at `mark` has landed."""
        return all(link.oldest > written for link, written in mark)

    def landed(self) -> None:
        """Something has been answered, or never will be."""
        for event in self.waiting:
            event.set()
