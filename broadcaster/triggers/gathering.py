"""The sink of the listeners: what comes over many connections is stored together, and each is told when its part is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from broadcaster.sensing import Reading
from broadcaster.triggers.readings import MOST, Kept, Readings

MOST_WAITING = 200_000
"""Readings that may wait to be stored; beyond, whoever brings more waits."""


class Gathering:
    """`keep` returns when the readings are stored; `run` stores what has come meanwhile, again and again."""

    def __init__(self, readings: Readings, source: str) -> None:
        self._readings = readings
        self._source = source
        self._waiting: list[tuple[Sequence[Reading], asyncio.Future[None]]] = []
        self._come = asyncio.Event()
        self._room = asyncio.Condition()
        self._count = 0
        self.kept = 0
        """New readings so far."""

    async def keep(self, readings: Sequence[Reading]) -> None:
        for start in range(0, len(readings), MOST):
            await self._keep(readings[start : start + MOST])

    async def _keep(self, readings: Sequence[Reading]) -> None:
        async with self._room:
            await self._room.wait_for(lambda: self._count < MOST_WAITING)
            self._count += len(readings)
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((readings, stored))
        self._come.set()
        await stored

    async def run(self) -> None:
        """Store until cancelled; what is being stored then is finished by whoever waits, or sent again."""
        while True:
            await self._come.wait()
            taken = self._take()
            try:
                kept: Kept | BaseException = await self._readings.keep(
                    [one for readings, _ in taken for one in readings], source=self._source
                )
            except Exception as error:  # whoever brought them must not acknowledge
                kept = error
            except asyncio.CancelledError:
                self._answer(taken, ConnectionError("stopped before it was stored"))
                raise
            if isinstance(kept, Kept):
                self.kept += kept.stored
            self._answer(taken, kept)
            async with self._room:
                self._count -= sum(len(readings) for readings, _ in taken)
                self._room.notify_all()

    def _take(self) -> list[tuple[Sequence[Reading], asyncio.Future[None]]]:
        taken: list[tuple[Sequence[Reading], asyncio.Future[None]]] = []
        count = 0
        while self._waiting and (not taken or count + len(self._waiting[0][0]) <= MOST):
            one = self._waiting.pop(0)
            count += len(one[0])
            taken.append(one)
        if not self._waiting:
            self._come.clear()
        return taken

    @staticmethod
    def _answer(taken: Sequence[tuple[Sequence[Reading], asyncio.Future[None]]], kept: Kept | BaseException) -> None:
        for _, stored in taken:
            if stored.done():
                continue
            if isinstance(kept, Kept):
                stored.set_result(None)
            else:
                stored.set_exception(kept)
