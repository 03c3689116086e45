"""A carrier's rate limit: at most so many messages in any one second."""

from __future__ import annotations

from collections import deque


class RateWindow:
    """Counts what was taken during the last second, exactly."""

    def __init__(self, rate: float) -> None:
        self._rate = int(rate) if rate >= 1 else (1 if rate else 0)
        self._taken: deque[tuple[float, int]] = deque()
        self._count = 0

    def take(self, now: float, wanted: int) -> int:
        """How many of `wanted` messages are let through at `now` (seconds, monotone)."""
        if self._rate == 0:
            return wanted
        while self._taken and self._taken[0][0] <= now - 1:
            self._count -= self._taken.popleft()[1]
        granted = min(wanted, self._rate - self._count)
        if granted > 0:
            self._taken.append((now, granted))
            self._count += granted
        return granted

    def wait(self, now: float) -> float:
        """Seconds until something is let through again."""
        return max(0.001, self._taken[0][0] + 1 - now) if self._taken else 0.001
