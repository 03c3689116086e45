"""Listening for instruments: one process at a time has the port or the session of an entry, under a lease.

The lease is renewed while the adapter runs and given back at the end; a process that dies is replaced when it lapses.
What an adapter has not acknowledged by then is sent again by the other side.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from broadcaster.clock import Clock
from broadcaster.database import DATABASE_AWAY, Database
from broadcaster.errors import DaohuError
from broadcaster.sensing import Sensor
from broadcaster.tasks import ended
from broadcaster.triggers.gathering import Gathering
from broadcaster.triggers.readings import Readings
from broadcaster.triggers.sql import SQL

_LOG = structlog.get_logger(__name__)

RETRY = 5.0
"""Seconds until an adapter that could not listen is tried again, and until a lease of another is asked for again."""


class Listening:
    """One entry of the settings in one process; `run` until cancelled. `lease` in seconds."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        readings: Readings,
        name: str,
        sensor: Sensor,
        owner: str,
        *,
        lease: float = 15.0,
    ) -> None:
        self._database = database
        self._clock = clock
        self._readings = readings
        self._name = name
        self._sensor = sensor
        self._owner = owner
        self._lease = lease

    async def run(self) -> None:
        while True:
            if await self._lend():
                await self._while_held()
            await asyncio.sleep(min(RETRY, self._lease / 3))

    async def _while_held(self) -> None:
        """Run the adapter as long as the lease is renewed."""
        sink = Gathering(self._readings, self._name)
        storing = asyncio.create_task(sink.run(), name=f"sink-{self._name}")
        listening = asyncio.create_task(self._listen(sink), name=f"listener-{self._name}")
        told = 0
        try:
            while not listening.done() and not storing.done():
                await asyncio.wait({listening, storing}, timeout=self._lease / 3, return_when=asyncio.FIRST_COMPLETED)
                if not await self._lend():
                    _LOG.warning("sensor.lease_lost", sensor=self._name)
                    return
                told += await self._count(sink.kept - told)
        finally:
            await ended(listening, patience=5.0)
            await ended(storing, patience=5.0)
            with suppress(*DATABASE_AWAY):
                await self._count(sink.kept - told)
                async with self._database.connection() as connection:
                    await connection.execute(SQL["give_back"], self._name, self._owner)

    async def _listen(self, sink: Gathering) -> None:
        while True:
            await self._tell("")
            try:
                await self._sensor.run(sink)
                trouble = "接入意外结束"
            except DaohuError as error:
                trouble = str(error)
            except DATABASE_AWAY as error:  # of the sink
                trouble = type(error).__name__
            except Exception as error:  # an adapter's fault must not end the others
                _LOG.exception("sensor.fault", sensor=self._name)
                trouble = type(error).__name__
            _LOG.warning("sensor.trouble", sensor=self._name, trouble=trouble)
            await self._tell(trouble)
            await asyncio.sleep(RETRY)

    async def _lend(self) -> bool:
        """Whether the lease is ours. While the database is away it is taken for lost: nothing could be stored."""
        try:
            async with self._database.connection() as connection:
                return await connection.fetchval(SQL["lend"], self._name, self._owner, self._lease) is not None
        except DATABASE_AWAY:
            return False

    async def _tell(self, trouble: str) -> None:
        with suppress(*DATABASE_AWAY):
            async with self._database.connection() as connection:
                await connection.execute(SQL["listener_trouble"], self._name, trouble[:500], self._clock.now())

    async def _count(self, more: int) -> int:
        if more:
            async with self._database.connection() as connection:
                await connection.execute(SQL["listener_counts"], self._name, more)
        return more
