"""Rain gauges: a collector posts what they have counted to the interface for readings; what is not taken goes again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import floor

import msgspec

from broadcaster.rehearsal.fronts.posting import Poster
from broadcaster.rehearsal.logbook import Logbook, Measured, Stored
from broadcaster.rehearsal.storm.storm import Gauge

TIP = 0.2
"""Millimetres of a tipping bucket."""

AT_ONCE = 5_000
"""Readings of one post."""

Look = Callable[[Gauge, float], float]
"""Millimetres that a gauge has counted by a moment (Unix seconds)."""


class Item(msgspec.Struct, frozen=True):
    """One reading as the interface wants it."""

    station: str
    element: str
    at: datetime
    value: float


def counted(fallen: float) -> float:
    """Millimetres that a tipping bucket counts of what has fallen."""
    return round(floor(fallen / TIP + 1e-9) * TIP, 1)


class Collector:
    """Asks its `gauges` every `period` seconds and posts to `url` with the bearer token `token`."""

    def __init__(
        self, url: str, token: str, gauges: Sequence[Gauge], period: float, look: Look, logbook: Logbook
    ) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._gauges = gauges
        self._period = period
        self._look = look
        self._logbook = logbook
        self._poster = Poster(1)
        self._owed: list[Item] = []
        self._tries = 0

    async def live(self) -> None:
        try:
            while True:
                self._measure(time.time())
                await self._post()
                await asyncio.sleep(self._period)
        finally:
            await self._poster.stop()

    def _measure(self, now: float) -> None:
        at = datetime.fromtimestamp(now, UTC)
        moment = at.timestamp()  # of whole microseconds
        for gauge in self._gauges:
            rain = counted(self._look(gauge, now))
            self._owed.append(Item(gauge.station, "rain_total", at, rain))
            self._logbook.write(Measured(moment, "api", gauge.station, [("rain_total", rain)]))

    async def _post(self) -> None:
        batch = self._owed[:AT_ONCE]
        self._tries += 1
        answer = await self._poster.post(self._url, msgspec.json.encode({"readings": batch}), self._headers)
        if answer is None:
            return
        now = time.time()
        self._logbook.write(*(Stored(now, one.station, one.at.timestamp(), self._tries) for one in batch))
        del self._owed[: len(batch)]
        self._tries = 0
