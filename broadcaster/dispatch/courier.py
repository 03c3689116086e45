"""A courier keeps one slot of a gateway at work: connect, claim, have it written, and connect again when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog

from broadcaster.clock import Clock
from broadcaster.database import DATABASE_AWAY, Connection, Database
from broadcaster.dispatch import ledger
from broadcaster.dispatch.delivery import BATCH_ROWS
from broadcaster.dispatch.inbox import RecentRefs
from broadcaster.dispatch.leases import Leases
from broadcaster.dispatch.ledger import Batch, Row
from broadcaster.dispatch.load import Load, backoff
from broadcaster.dispatch.pace import Pace
from broadcaster.dispatch.recorder import Recorder
from broadcaster.dispatch.slots import Slot
from broadcaster.dispatch.stream import Composer, Stream
from broadcaster.errors import DaohuError, InputError, UnavailableError
from broadcaster.ports import Driver, Inbox, Streams

log = structlog.get_logger()

SWEEP = 1.0
"""Seconds after which an idle courier looks for work unasked."""

GATHER = 0.05
"""Seconds between the bell and the look: planning rings for every village, one look serves several."""

MOST_ROWS = 4000
"""Rows of one claim, about, however fast the gateway: what is claimed lies in memory, and two claims do at a time."""

MOST_BATCHES = 400
"""Most batches of one claim."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY = 10.0
"""Seconds between two connections, doubled each time until one lasted `STEADY`."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What all couriers of a worker share."""

    database: Database
    recorder: Recorder
    leases: Leases
    composer: Composer
    clock: Clock
    worker: str


class Courier:
    """One slot at work. `run` ends when cancelled; `wake` makes an idle courier look for work at once."""

    def __init__(self, slot: Slot, driver: Driver, inbox: Inbox, refs: RecentRefs, tools: Tools) -> None:
        self._slot = slot
        self._driver = driver
        self._inbox = inbox
        self._refs = refs
        self._tools = tools
        self._pace = Pace(slot.tokens, slot.period)
        self._wake = asyncio.Event()
        self._batch_rows = float(BATCH_ROWS)
        self.connected = False

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Connect, serve until the connection is lost, connect again after a pause."""
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            await self._connected()
            if time.monotonic() - began > STEADY:
                pause = FIRST_PAUSE
            await self._tools.clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _connected(self) -> None:
        """One connection, from its first moment to its last."""
        try:
            await self._driver.open(self._inbox)
        except UnavailableError as error:
            name = self._slot.gateway.settings.name
            log.warning("gateway.unavailable", gateway=name, slot=self._slot.number, why=error.what)
            return
        self.connected = True
        try:
            await self._serve(Stream(self._slot, self._driver, self._pace, self._refs, self._tools))
        finally:
            self.connected = False
            await self._driver.close()

    async def _serve(self, stream: Stream) -> None:
        """Write what is claimed, one claim ahead, until the connection is gone."""
        watching = asyncio.create_task(self._watch(stream))
        ahead = asyncio.create_task(self._claim(stream))
        try:
            while not stream.over:
                loads = await asyncio.shield(ahead)
                if not loads:
                    await self._idle()
                ahead = asyncio.create_task(self._claim(stream))
                await stream.send(loads)
        finally:
            watching.cancel()
            stream.end()
            for load in await ahead:
                load.drop()
            await stream.finish()

    async def _watch(self, stream: Stream) -> None:
        if isinstance(self._driver, Streams):
            why = await self._driver.lost()
            log.warning("gateway.lost", gateway=self._slot.gateway.settings.name, slot=self._slot.number, why=why)
            stream.end()
            self._wake.set()

    async def _idle(self) -> None:
        """Wait for the doorbell, or look again after a second: the bell is only a hint."""
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SWEEP):
                await self._wake.wait()
            await asyncio.sleep(GATHER)

    async def _claim(self, stream: Stream) -> list[Load]:
        """About one second of this slot's rate, by the size that batches had of late; nothing while the database is
        away."""
        await stream.low()
        await stream.room()
        await self._tools.recorder.room()
        asked_at = time.monotonic()
        claimed: list[Batch] = []
        try:
            async with self._tools.database.connection() as connection:
                claimed = await self._lease(connection, asked_at)
                rows = await ledger.claimed_rows(connection, claimed) if claimed else []
        except DATABASE_AWAY as error:
            log.warning("claim.failed", gateway=self._slot.gateway.settings.name, error=type(error).__name__)
            self._give_back(claimed)
            return []
        except BaseException:  # whatever it was, the leases must not be kept for ever
            self._give_back(claimed)
            raise
        loads = [
            await self._compose(stream, batch, stream.needed(batch, found))
            for batch, found in zip(claimed, rows, strict=True)
        ]
        return [load for load in loads if load is not None]

    async def _lease(self, connection: Connection, asked_at: float) -> list[Batch]:
        settings = self._slot.gateway.settings
        rows = max(1, int(min(MOST_ROWS, self._slot.tokens / self._slot.period)))
        batches = await ledger.claim(
            connection,
            channel=settings.channel.value,
            rehearsal=settings.rehearsal,
            now=self._tools.clock.now(),
            limit=min(MOST_BATCHES, max(1, int(2 * rows / self._batch_rows))),
            worker=self._tools.worker,
            lease=self._tools.leases.seconds,
            rows=rows,
        )
        for batch in batches:
            self._tools.leases.took(batch, asked_at)
            self._batch_rows = max(1.0, self._batch_rows + (batch.last - batch.first + 1 - self._batch_rows) / 4)
        return batches

    async def _compose(self, stream: Stream, batch: Batch, rows: Sequence[Row]) -> Load | None:
        """What to send of a batch; None when it cannot be composed now: it waits, the others go. What can never be
        composed has failed, so that the next channel is not kept waiting."""
        load = Load(batch, (), self._tools.clock.now(), self._tools.recorder.release)
        try:
            load.envelopes = await self._tools.composer.envelopes(batch, rows)
        except InputError as error:
            log.error("batch.not_composable", alert=batch.alert_id, batch=batch.first, why=error.what)
            stream.fail(batch, rows, error.what)
        except Exception as error:  # whatever it was, the lease must not be kept for ever
            why = error.what if isinstance(error, DaohuError) else f"{type(error).__name__}: {error}"[:200]
            log.error("batch.not_composed", alert=batch.alert_id, batch=batch.first, why=why)
            load.again(backoff(batch.claims))
        if not load.envelopes:
            load.drop()
            return None
        return load

    def _give_back(self, batches: Iterable[Batch]) -> None:
        """What was claimed but not begun is free for anyone at once."""
        for batch in batches:
            Load(batch, (), self._tools.clock.now(), self._tools.recorder.release).drop()
