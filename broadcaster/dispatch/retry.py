"""When what is left of a batch is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta

from broadcaster.dispatch.ledger import Batch

RETRY_FLOOR = 0.5
RETRY_CEILING = 60.0
"""Seconds before what is still open in a batch is tried again: doubled with every claim, between these."""

LONGEST_DEFERRAL = 300.0
"""Seconds that a gateway may put us off: a warning that waits longer may as well be tried."""


class Tally:
    """When the rest of a batch may be tried again."""

    def __init__(self, batch: Batch, now: datetime) -> None:
        self.batch = batch
        self._now = now
        self.not_before = now

    def again(self, seconds: float) -> None:
        self.not_before = max(self.not_before, self._now + timedelta(seconds=seconds))


def backoff(claims: int) -> float:
    """Seconds before the next try of what was claimed `claims` times."""
    return min(RETRY_CEILING, RETRY_FLOOR * 2.0 ** min(claims, 16))


def bearable(after: float) -> float:
    """The seconds that a gateway asked for, as far as a warning can wait."""
    return after if 0 <= after < LONGEST_DEFERRAL else LONGEST_DEFERRAL
