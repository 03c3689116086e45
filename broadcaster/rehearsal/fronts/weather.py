"""The weather of a rehearsal: one storm, as river stations, rain gauges and the weather office tell it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from broadcaster.errors import InputError
from broadcaster.rehearsal.fronts.act import Act, Door
from broadcaster.rehearsal.fronts.feed import FeedFront, Message, message
from broadcaster.rehearsal.fronts.gauges import Collector
from broadcaster.rehearsal.fronts.publishing import PublishingGauge
from broadcaster.rehearsal.fronts.stations import RiverStation
from broadcaster.rehearsal.logbook import Published
from broadcaster.rehearsal.script import WeatherFront as Settings
from broadcaster.rehearsal.storm.office import bulletins
from broadcaster.rehearsal.storm.river import REACHES, Reach
from broadcaster.rehearsal.storm.storm import GAUGES, PUBLISHING, Gauge, storm
from channels.line.settings import Address

if TYPE_CHECKING:
    from broadcaster.rehearsal.stage import Stage


class Weather:
    """The seed's storm. Until it begins the river is as it always is, and it does not rain."""

    def __init__(self, stage: Stage, settings: Settings) -> None:
        self._stage = stage
        self._settings = settings
        self._storm = storm(stage.script.seed)
        self._began: float | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.messages: list[Message] = []
        """What the weather office has said, the oldest first."""

    def start(self) -> None:
        """Have the river stations dial in, and the gauges connect that have a line of their own."""
        settings, seed, logbook = self._settings, self._stage.script.seed, self._stage.logbook
        for reach in REACHES if settings.dial else ():
            self._do(RiverStation(reach, settings, seed, self._river, logbook).live())
        for gauge in PUBLISHING if settings.broker else ():
            self._do(PublishingGauge(gauge, settings, self._rain, logbook).live())

    def begin(self, readings: str, token: str) -> float:
        """Let the storm begin, now (Unix seconds); the other gauges post to `readings` with `token`, "" nowhere.
        `InputError` when it has begun already."""
        if self._began is not None:
            raise InputError("The storm has begun already.")
        self._began = time.time()
        if readings:
            settings, logbook = self._settings, self._stage.logbook
            posting = [one for one in GAUGES if not settings.broker or one not in PUBLISHING]
            self._do(Collector(readings, token, posting, settings.period, self._rain, logbook).live())
        self._do(self._warn(self._began))
        return self._began

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def hour(self, at: float) -> float:
        """The storm's hour at a moment."""
        return 0.0 if self._began is None else max(0.0, at - self._began) / self._settings.hour

    def _river(self, reach: Reach, at: float) -> tuple[float, float]:
        hour = self.hour(at)
        return self._storm.level(reach, hour), self._storm.flow(reach.station, hour)

    def _rain(self, gauge: Gauge, at: float) -> float:
        return self._storm.fallen(gauge.station, self.hour(at))

    async def _warn(self, began: float) -> None:
        """Publish each bulletin at its hour."""
        for bulletin in bulletins(self._storm):
            await asyncio.sleep(max(0.0, began + bulletin.hour * self._settings.hour - time.time()))
            said = message(bulletin, self.messages, datetime.now(UTC))
            self.messages.append(said)
            kind, colour = bulletin.msg_type.value, bulletin.colour.value
            self._stage.logbook.write(Published(time.time(), said.identifier, kind, colour))

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Sky(Door):
    """The weather on stage: the office's feed is a door; the stations begin to dial when it is open."""

    def __init__(self, stage: Stage, settings: Settings, weather: Weather) -> None:
        address = Address.parse(settings.listen)
        super().__init__(address, lambda: FeedFront(stage, stage.next_number(), weather), weather)
        self._weather = weather

    async def open(self) -> Address:
        at = await super().open()
        self._weather.start()
        return at


def act(stage: Stage, settings: Settings) -> Act:
    """The front on a stage, which from now on has weather."""
    stage.weather = Weather(stage, settings)
    return Sky(stage, settings, stage.weather)
