"""The recorder: one per process, it gathers what gateways said and writes it down in few, large transactions."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

import structlog

from broadcaster.clock import Clock
from broadcaster.database import DATABASE_AWAY, Database
from broadcaster.dispatch import ledger
from broadcaster.dispatch.ledger import Batch, Event, Release, StrayReceipt

log = structlog.get_logger()

PROMPT = 0.02
"""Seconds at the most until that is written whose sender waits for it: a carrier sends 16 receipts and no more until
the first is acknowledged."""


class Recorder:
    """Buffers events, stray receipts and releases; `run` writes them every `seconds` or every `rows`, or `PROMPT` after
    somebody began to wait for it, whichever is first, and tells `released` of every batch whose release is durable.

    Nothing is dropped: while the database does not answer, the buffer waits and `room` holds the couriers back.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        worker: str,
        *,
        rows: int = 1000,
        seconds: float = 0.2,
        most: int = 50_000,
        released: Callable[[Batch], None] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._worker = worker
        self._rows = rows
        self._seconds = seconds
        self._most = most
        self._released = released
        self._events: list[Event] = []
        self._strays: list[StrayReceipt] = []
        self._releases: list[Release] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._full = asyncio.Event()
        self._written = asyncio.Event()
        self._hurry: asyncio.TimerHandle | None = None
        self._stopping = False

    @property
    def buffered(self) -> int:
        """How many results and stray receipts wait to be written."""
        return len(self._events) + len(self._strays)

    def add(self, event: Event) -> None:
        """Keep one event for the next write."""
        self._events.append(event)
        if len(self._events) >= self._rows:
            self._full.set()

    def release(self, release: Release) -> None:
        """Give a batch back together with the results that were added before."""
        self._releases.append(release)

    async def store(self, events: Sequence[Event], strays: Sequence[StrayReceipt] = ()) -> None:
        """Keep these and return when they are durable: what a gateway may then be told."""
        if not events and not strays:
            return
        self._events.extend(events)
        self._strays.extend(strays)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        if self._hurry is None:
            self._hurry = asyncio.get_running_loop().call_later(min(PROMPT, self._seconds), self._full.set)
        if len(self._events) >= self._rows:
            self._full.set()
        await waiter

    async def room(self) -> None:
        """Return when there is room for more: the brake for couriers while the database is slow or away."""
        while len(self._events) > self._most:
            self._written.clear()
            await self._written.wait()

    async def run(self) -> None:
        """Write until `stop`; the last write takes what is left."""
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._full.wait()
            self._full.clear()
            if self._hurry is not None:
                self._hurry.cancel()
                self._hurry = None
            await self._write()
        await self._write()

    def stop(self) -> None:
        """Let `run` write what is left and return."""
        self._stopping = True
        self._full.set()

    async def _write(self) -> None:
        if not (self._events or self._strays or self._releases):
            return
        events, self._events = self._events, []
        strays, self._strays = self._strays, []
        releases, self._releases = self._releases, []
        waiters, self._waiters = self._waiters, []
        await self._write_until_durable(events, strays, releases)
        self._written.set()
        if self._released is not None:
            for release in releases:
                self._released(release.batch)
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _write_until_durable(
        self, events: list[Event], strays: list[StrayReceipt], releases: list[Release]
    ) -> None:
        pause = 0.2
        while True:
            try:
                return await ledger.write(self._database, self._worker, events, strays, releases)
            except DATABASE_AWAY as error:  # keep what we know and try again
                log.error("log.write_failed", rows=len(events), error=type(error).__name__, detail=str(error)[:200])
                await self._clock.sleep(pause)
                pause = min(pause * 2, 5.0)
