"""Whether a reading can be believed: pure, one reading after another of one series.

What is doubtful is kept and shown with its verdict; rules use what is good only. A single wild value is a fault; a
second one that goes with the first is the truth: a dam that breaks looks like a broken gauge for one report only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from broadcaster.triggers.elements import ELEMENTS
from broadcaster.triggers.station import NO_LIMITS, Limits

AHEAD = timedelta(minutes=10)
"""How far an instrument's clock may be ahead of ours."""

AHEAD_MOST = timedelta(days=1)
"""What is further ahead has no day to be kept in."""

LATE = timedelta(hours=2)
"""A reading that comes later than this is kept as late."""


class Verdict(IntEnum):
    """What a reading is worth. Stored as the number."""

    GOOD = 0
    LATE = 1
    RANGE = 2
    RATE = 3
    STUCK = 4
    FUTURE = 5

    @property
    def usable(self) -> bool:
        """Whether rules may use it: good, or good and late."""
        return self <= Verdict.LATE


USABLE = Verdict.LATE.value
"""The highest verdict that rules may use."""


@dataclass(slots=True)
class Track:
    """What is known of a series, brought up to date reading by reading: the latest plausible one, the latest good one,
    and since when the value has been the very same."""

    element: str
    limits: Limits = NO_LIMITS
    last_at: datetime | None = None
    last_value: float = 0.0
    last_verdict: int = 0
    good_at: datetime | None = None
    good_value: float = 0.0
    same_since: datetime | None = None
    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        known, limits = ELEMENTS.get(self.element), self.limits
        self.low = max(known.low if known else -math.inf, -math.inf if limits.low is None else limits.low)
        self.high = min(known.high if known else math.inf, math.inf if limits.high is None else limits.high)

    def judge(self, at: datetime, value: float, now: datetime) -> Verdict:
        """What the reading is worth, and remember it. Readings of the past are judged by their bounds alone."""
        if at > now + AHEAD:
            return Verdict.FUTURE
        if not self.low <= value <= self.high:  # also what is no number
            return Verdict.RANGE
        last_at = self.last_at
        if last_at is not None and at <= last_at:
            return Verdict.LATE if now - at > LATE else Verdict.GOOD
        verdict = Verdict.GOOD
        limits = self.limits
        if limits.rate is not None and self._leaps(at, value, limits.rate):
            verdict = Verdict.RATE
        if self.same_since is None or value != self.last_value:
            self.same_since = at
        elif limits.stuck is not None and (at - self.same_since).total_seconds() >= limits.stuck:
            verdict = Verdict.STUCK
        self.last_at, self.last_value = at, value
        if verdict is Verdict.GOOD:
            self.good_at, self.good_value = at, value
            if now - at > LATE:
                verdict = Verdict.LATE
        self.last_verdict = verdict
        return verdict

    def _leaps(self, at: datetime, value: float, rate: float) -> bool:
        """Whether it is too far from the last good value, and from the last one of any kind."""
        if self.good_at is None or self.last_at is None:
            return False
        good, last = (at - self.good_at).total_seconds(), (at - self.last_at).total_seconds()
        return abs(value - self.good_value) * 3600 > rate * good and (
            self.last_at == self.good_at or abs(value - self.last_value) * 3600 > rate * last
        )
