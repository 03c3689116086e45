"""Numbers that are never given twice, though nobody keeps them anywhere: they are moments.

An EBDID ends with the day and 8 digits. Here they are the day's hundred-thousandths of 864 ms (10 million a day) and a
digit for who gives them: 0 the driver, 1 to 9 the processes that answer at our door. The driver gives at most one for
each of those moments, so only two drivers at once could give the same; the core leases a gateway's one slot to one
worker.

An EBMID ends with the day and 4 digits only: one for every 8.64 seconds. It may be given by whoever is connected at
that moment, then or later: who stays connected for a while has a store of those that passed unused, who has just
connected has the next one to come up, and then one every 8.64 seconds. The moment in which somebody connects is left
out: it was the predecessor's. As a gateway's one slot is one worker's at a time, no two broadcasts have one number,
whatever restarts and whoever takes over, as long as the machines that take turns go by the same time (to within the
core's lease, some ten seconds). Gateways that send in the name of one source from several workers divide the moments
(`lane`).
"""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from socket import gethostname

from broadcaster.clock import BEIJING

PACKAGES_A_DAY = 10_000_000
BROADCASTS_A_DAY = 10_000
DAY = timedelta(days=1)
STORE = timedelta(hours=6)
"""How far back a number may lie: it shows the day on which it came up."""

DRIVER = 0

Now = Callable[[], datetime]


def door_lane() -> int:
    """The digit of a process that answers at our door: 1 to 9, by machine and process. Two may have the same; what
    they number are answers, which nobody ever refers to."""
    return 1 + zlib.crc32(f"{gethostname()}/{os.getpid()}".encode()) % 9


class Packages:
    """EBDIDs of the business kind for packages of one source. Safe in several threads."""

    def __init__(self, source: str, lane: int, now: Now) -> None:
        self._source = source
        self._lane = lane
        self._now = now
        self._last = -1
        self._turn = threading.Lock()

    def next(self) -> str:
        """A new one."""
        with self._turn:
            self._last = last = max(self._last + 1, _tick(self._now(), PACKAGES_A_DAY))
        day, number = _day(last, PACKAGES_A_DAY)
        return f"10{self._source}{day}{number:07d}{self._lane}"


class Broadcasts:
    """EBMIDs of one source, for all its gateways in a process. `lane` of `lanes`: which share of the day's numbers is
    theirs. `alone`: how long before the first connection nobody else can have given any."""

    def __init__(self, source: str, now: Now, alone: timedelta = timedelta(), lane: int = 1, lanes: int = 1) -> None:
        self._source = source
        self._now = now
        self._lane = lane - 1
        self._lanes = lanes
        self._a_day = BROADCASTS_A_DAY // lanes
        self._alone = alone
        self._connected = 0
        self._next = 0
        self._store: list[int] = []

    def begin(self) -> None:
        """A gateway is connected: the moments are ours from now on."""
        self._connected += 1
        if self._connected == 1:
            self._next = max(self._next, _tick(self._now() - self._alone, self._a_day) + 1)
            self._alone = timedelta()

    def end(self) -> None:
        """It no longer is. What was put by stays ours."""
        self._collect()
        self._connected -= 1

    def take(self) -> str:
        """A new one; "" when there is none before `wait()` has passed."""
        self._collect()
        if not self._store:
            return ""
        day, number = _day(self._store.pop(), self._a_day)
        return f"{self._source}{day}{number * self._lanes + self._lane:04d}"

    def wait(self) -> float:
        """Seconds until there is one, for who is connected; 0 when there is."""
        self._collect()
        if self._store:
            return 0.0
        second = DAY.total_seconds() / self._a_day
        return max(0.001, self._next * second - self._now().timestamp() - _OFFSET)

    def _collect(self) -> None:
        """Put by what came up since the last look; the newest are given first."""
        tick = _tick(self._now(), self._a_day)
        oldest = tick - int(self._a_day * (STORE / DAY))
        self._store = [one for one in self._store if one >= oldest]
        if self._connected:
            self._store += range(max(self._next, oldest), tick + 1)
            self._next = max(self._next, tick + 1)


_OFFSET = 8 * 3600
"""Seconds by which Beijing's day begins before UTC's."""


def _tick(at: datetime, a_day: int) -> int:
    """Which of the moments it is, counted from Beijing's first day of 1970."""
    return int((at.timestamp() + _OFFSET) * a_day) // 86_400


def _day(tick: int, a_day: int) -> tuple[str, int]:
    days, number = divmod(tick, a_day)
    return (datetime(1970, 1, 1, tzinfo=BEIJING) + days * DAY).strftime("%Y%m%d"), number
