"""River stations: they dial in to the centre and report by SL 651; what is not confirmed they say again, unchanged."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from zlib import crc32

from broadcaster.rehearsal.fates import repeatable
from broadcaster.rehearsal.fronts import station_frames as frames
from broadcaster.rehearsal.fronts.station_frames import Answers, Confirmed
from broadcaster.rehearsal.fronts.station_memory import Memory, told
from broadcaster.rehearsal.logbook import Logbook, Measured, Stored
from broadcaster.rehearsal.script import WeatherFront as Settings
from broadcaster.rehearsal.storm.river import Reach
from channels.line.settings import Address

BATTERY = 12.6
READ = 4096
SERIALS = 65_535

Look = Callable[[Reach, float], tuple[float, float]]
"""Level and flow at a place and a moment (Unix seconds)."""


class RiverStation:
    """One station, from its first connection on: it measures whether it is connected or not."""

    def __init__(self, reach: Reach, settings: Settings, seed: int, look: Look, logbook: Logbook) -> None:
        self._reach = reach
        self._settings = settings
        self._look = look
        self._logbook = logbook
        self._random = repeatable(crc32(f"{seed}/{reach.station}".encode()))
        self._memory = Memory(settings.patience)
        self._serial = 0
        self._before: float | None = None
        self._news = asyncio.Event()

    async def live(self) -> None:
        """Dial until somebody answers, then report for good."""
        where = Address.parse(self._settings.dial)
        measuring: asyncio.Task[None] | None = None
        try:
            while True:
                with contextlib.suppress(OSError):
                    reader, writer = await asyncio.open_connection(where.host, where.port)
                    measuring = measuring or asyncio.create_task(self._measure())
                    await self._converse(reader, writer)
                await asyncio.sleep(self._settings.redial)
        finally:
            if measuring is not None:
                measuring.cancel()

    async def _measure(self) -> None:
        while True:
            now = time.time()
            level, flow = self._look(self._reach, now)
            self._serial = self._serial % SERIALS + 1
            function = frames.ADDED if self._crossed(level) else frames.TIMED
            elements = ((frames.LEVEL, level), (frames.FLOW, flow), (frames.VOLTAGE, BATTERY))
            frame = frames.report(self._reach.station, self._serial, now, elements, function)
            self._memory.put(self._serial, frame, now)
            values = [("water_level", round(level, 3)), ("flow", round(flow, 3)), ("voltage", BATTERY)]
            self._logbook.write(Measured(now, "sl651", self._reach.station, values))
            self._before = level
            self._news.set()
            await asyncio.sleep(self._settings.period)

    def _crossed(self, level: float) -> bool:
        """Whether it has come over one of its limits, or back below."""
        before = self._before
        limits = (self._reach.warning, self._reach.guarantee)
        return before is not None and any((before >= limit) != (level >= limit) for limit in limits)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hearing = asyncio.create_task(self._hear(reader))
        try:
            self._memory.connected()
            while not hearing.done():
                self._news.clear()
                if not self._say(writer):
                    return
                await writer.drain()
                news = asyncio.create_task(self._news.wait())
                await asyncio.wait({hearing, news}, timeout=self._settings.patience / 2, return_when="FIRST_COMPLETED")
                news.cancel()
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
            writer.transport.abort()

    def _say(self, writer: asyncio.StreamWriter) -> bool:
        """Send what the memory says is due; False: the line breaks instead."""
        now = time.time()
        for one in self._memory.due(now):
            if self._random.random() < self._settings.cut:
                return False
            writer.write(told(one, now))
        return True

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        answers = Answers(self._reach.station)
        with contextlib.suppress(OSError):
            while data := await reader.read(READ):
                for confirmed in answers.feed(data):
                    self._confirmed(confirmed)

    def _confirmed(self, confirmed: Confirmed) -> None:
        """The centre has stored a report, if the station gets to hear of it."""
        if self._random.random() < self._settings.unheard:
            return
        now = time.time()
        one = self._memory.confirmed(confirmed.serial, now)
        if one is not None:
            self._logbook.write(Stored(now, self._reach.station, one.at, one.tries))
            self._news.set()  # there is room on the connection
