"""Rain gauges with a line of their own: each publishes by MQTT what it counts, until the broker has confirmed it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from dataclasses import dataclass

import aiomqtt
import msgspec

from broadcaster.rehearsal.fronts.gauges import Look, counted
from broadcaster.rehearsal.logbook import Logbook, Measured, Stored
from broadcaster.rehearsal.script import WeatherFront as Settings
from broadcaster.rehearsal.storm.storm import Gauge
from channels.line.settings import Address

MOST_OWED = 10_000
"""Reports that a gauge's memory holds; then the oldest is lost."""

_QUIET = logging.getLogger("daohu.rehearsal.mqtt")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False


def topic(gauge: Gauge) -> str:
    """Where a gauge publishes."""
    return f"hydrology/rain/{gauge.station}"


@dataclass(slots=True)
class Owed:
    """A report that the broker has not confirmed."""

    at: float
    payload: bytes
    tries: int = 0


class PublishingGauge:
    """One gauge: it measures whether it is connected or not."""

    def __init__(self, gauge: Gauge, settings: Settings, look: Look, logbook: Logbook) -> None:
        self._gauge = gauge
        self._settings = settings
        self._look = look
        self._logbook = logbook
        self._owed: deque[Owed] = deque(maxlen=MOST_OWED)
        self._news = asyncio.Event()

    async def live(self) -> None:
        """Connect until the broker is there, then report for good."""
        measuring = asyncio.create_task(self._measure())
        try:
            while True:
                with contextlib.suppress(aiomqtt.MqttError):
                    async with self._client() as client:
                        await self._report(client)
                await asyncio.sleep(self._settings.redial)
        finally:
            measuring.cancel()

    async def _measure(self) -> None:
        while True:
            milliseconds = time.time_ns() // 1_000_000
            at = milliseconds / 1000
            rain = counted(self._look(self._gauge, at))
            self._owed.append(Owed(at, msgspec.json.encode({"time": milliseconds, "rain_total": rain})))
            self._logbook.write(Measured(at, "mqtt", self._gauge.station, [("rain_total", rain)]))
            self._news.set()
            await asyncio.sleep(self._settings.period)

    async def _report(self, client: aiomqtt.Client) -> None:
        while True:
            self._news.clear()
            while self._owed:
                one = self._owed[0]
                one.tries += 1
                await client.publish(topic(self._gauge), one.payload, qos=1)
                self._owed.popleft()
                self._logbook.write(Stored(time.time(), self._gauge.station, one.at, one.tries))
            await self._news.wait()

    def _client(self) -> aiomqtt.Client:
        where = Address.parse(self._settings.broker)
        return aiomqtt.Client(
            where.host,
            where.port,
            identifier=f"gauge-{self._gauge.station}",
            protocol=aiomqtt.ProtocolVersion.V311,
            timeout=self._settings.patience,
            logger=_QUIET,
        )
