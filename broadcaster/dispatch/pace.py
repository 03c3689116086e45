"""Pace: holds a slot to its share of an account's rate."""

from __future__ import annotations

import time

SLICES = 20
"""A second is sent in this many slices, so that no window of one second carries more than the rate."""


class Pace:
    """Spreads messages evenly: `rate` messages/s at the most in any window of one second.

    A slice goes out at once and the next waits its time. Any one-second window can touch one slice more than a second
    holds, so the slices are cut a twenty-first smaller.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate * SLICES / (SLICES + 1)
        self._free_at = 0.0

    @property
    def slice(self) -> int:
        """How many messages go out together."""
        return max(1, int(self._rate / SLICES))

    def wait(self, count: int) -> float:
        """Reserve `count` messages (at most a slice); returns the seconds to wait before they may go."""
        now = time.monotonic()
        start = max(now, self._free_at)
        self._free_at = start + count / self._rate
        return start - now
