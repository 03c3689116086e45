"""A group's share: the platform takes 20 messages of a robot in a minute, and more are lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

MOST = 20
SECONDS = 60.0

Monotonic = Callable[[], float]


class Pace:
    """When each group got its last messages; `monotonic` in seconds."""

    def __init__(self, monotonic: Monotonic) -> None:
        self._monotonic = monotonic
        self._given: dict[str, deque[float]] = {}

    def wait(self, group: str) -> float:
        """Take a place for one message; 0, or, if there is none, the seconds until there will be."""
        now = self._monotonic()
        given = self._given.setdefault(group, deque(maxlen=MOST))
        if len(given) == MOST and (left := given[0] + SECONDS - now) > 0:
            return left
        given.append(now)
        return 0.0
