"""A line of the journal that would come too often is kept once in a while, with how often it was meant."""

from __future__ import annotations

import time
from collections.abc import Callable

from broadcaster.ports import Journal

PAUSE = 60.0
"""Seconds between two lines of one kind."""


class Sparing:
    """One kind of line; `now` tells seconds."""

    def __init__(self, direction: str, *, now: Callable[[], float] = time.monotonic) -> None:
        self._direction = direction
        self._now = now
        self._said = float("-inf")
        self._unsaid = 0

    def note(self, journal: Journal, text: str) -> None:
        """Say it, unless something of the kind was said just now."""
        now = self._now()
        if now - self._said < PAUSE:
            self._unsaid += 1
            return
        before = f", and {self._unsaid} times since the last such line" if self._unsaid else ""
        self._said, self._unsaid = now, 0
        journal.note(self._direction, text + before)
