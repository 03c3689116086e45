"""A courier carries batches over one connection (slot) of a gateway: claim, compose, pace, send, write down,
release."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from broadcaster.clock import Clock
from broadcaster.database import DATABASE_AWAY, Connection, Database
from broadcaster.dispatch import ledger
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.inbox import RecentRefs
from broadcaster.dispatch.leases import Leases
from broadcaster.dispatch.ledger import Batch, Event, Release, Row
from broadcaster.dispatch.pace import Pace
from broadcaster.dispatch.recorder import Recorder
from broadcaster.dispatch.retry import Tally, backoff, bearable
from broadcaster.dispatch.slots import Slot
from broadcaster.errors import DaohuError, UnavailableError
from broadcaster.ports import Accepted, Deferred, Driver, Envelope, Inbox, Outcome, Rejected, Streams, Unknown

log = structlog.get_logger()

SWEEP = 1.0
"""Seconds after which an idle courier looks for work unasked."""

GATHER = 0.05
"""Seconds between the bell and the look: planning rings for every village, one look serves several."""

MOST_BATCHES = 32
"""Most batches of one claim."""

LOOK = 1.0
"""Seconds of sending after which a courier asks whether its batch is still wanted, and still comes first."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY = 10.0
"""Seconds between two connections, doubled each time until one lasted `STEADY`."""


class Composer(Protocol):
    """Turns rows of the ledger into messages; see `composer.py`."""

    async def envelopes(self, batch: Batch, rows: Sequence[Row]) -> list[Envelope]: ...


@dataclass(frozen=True, slots=True)
class Load:
    """A claimed batch with what it still has to send. `claimed_at` in monotonic seconds."""

    batch: Batch
    envelopes: list[Envelope]
    claimed_at: float


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
        settings = slot.gateway.settings
        self._pace = Pace(settings.rate / settings.slots)
        self._per_second = max(1, int(settings.rate / settings.slots))
        self._wake = asyncio.Event()
        self._gone = asyncio.Event()
        self._batch_size = 1.0
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
            await self._serve()
        finally:
            self.connected = False
            await self._driver.close()

    async def _serve(self) -> None:
        """Send what is claimed, one bundle ahead, until the connection is gone."""
        self._gone = asyncio.Event()
        watching = asyncio.create_task(self._watch(self._gone))
        bundle: list[Load] = []
        ahead = asyncio.create_task(self._claim())
        try:
            while not self._gone.is_set():
                bundle = await asyncio.shield(ahead)
                if not bundle:
                    await self._idle()
                ahead = asyncio.create_task(self._claim())
                while bundle and not self._gone.is_set():
                    await self._send_batch(bundle.pop(0))
        finally:
            watching.cancel()
            self._give_back(load.batch for load in bundle)
            self._give_back(load.batch for load in await ahead)

    async def _watch(self, gone: asyncio.Event) -> None:
        if isinstance(self._driver, Streams):
            why = await self._driver.lost()
            log.warning("gateway.lost", gateway=self._slot.gateway.settings.name, slot=self._slot.number, why=why)
            gone.set()
            self._wake.set()

    async def _idle(self) -> None:
        """Wait for the doorbell, or look again after a second: the bell is only a hint."""
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SWEEP):
                await self._wake.wait()
            await asyncio.sleep(GATHER)

    async def _claim(self) -> list[Load]:
        """About one second of this slot's rate, by the size that batches had of late; nothing while the database is
        away."""
        await self._tools.recorder.room()
        asked_at = time.monotonic()
        claimed: list[Batch] = []
        try:
            async with self._tools.database.connection() as connection:
                claimed = await self._lease(connection, asked_at)
                loads = [(batch, await ledger.claimed_rows(connection, batch)) for batch in claimed]
        except DATABASE_AWAY as error:
            log.warning("claim.failed", gateway=self._slot.gateway.settings.name, error=type(error).__name__)
            self._give_back(claimed)
            return []
        return [load for batch, rows in loads if (load := await self._compose(batch, rows, asked_at)) is not None]

    async def _lease(self, connection: Connection, asked_at: float) -> list[Batch]:
        settings = self._slot.gateway.settings
        batches = await ledger.claim(
            connection,
            channel=settings.channel.value,
            rehearsal=settings.rehearsal,
            now=self._tools.clock.now(),
            limit=min(MOST_BATCHES, max(1, int(self._per_second / self._batch_size))),
            worker=self._tools.worker,
            lease=self._tools.leases.seconds,
        )
        for batch in batches:
            self._tools.leases.took(batch, asked_at)
            self._batch_size = max(1.0, self._batch_size + (batch.last - batch.first + 1 - self._batch_size) / 8)
        return batches

    async def _compose(self, batch: Batch, rows: Sequence[Row], claimed_at: float) -> Load | None:
        """What to send of a batch; None when it cannot be composed now: it waits, the others go."""
        try:
            envelopes = await self._tools.composer.envelopes(batch, self._needed(batch, rows))
        except Exception as error:  # whatever it was, the lease must not be kept for ever
            why = error.what if isinstance(error, DaohuError) else f"{type(error).__name__}: {error}"[:200]
            log.error("batch.not_composed", alert=batch.alert_id, batch=batch.first, why=why)
            tally = Tally(batch, self._tools.clock.now())
            tally.again(backoff(batch.claims))
            self._release(tally)
            return None
        return Load(batch, envelopes, claimed_at)

    async def _send_batch(self, load: Load) -> None:
        """Send slice after slice while earlier ones are still being answered; release when every one is settled."""
        batch, rest, looked_at = load.batch, load.envelopes, load.claimed_at
        tally = Tally(batch, self._tools.clock.now())
        size = min(self._pace.slice, self._driver.capabilities.batch_max)
        most = max(2, math.ceil(self._driver.capabilities.window / size) + 1)
        under_way: set[asyncio.Task[None]] = set()
        try:
            while rest:
                await self._tools.recorder.room()
                await asyncio.sleep(self._pace.wait(min(size, len(rest))))
                if time.monotonic() - looked_at > LOOK:
                    looked_at = time.monotonic()
                    rest = await self._still_wanted(batch, rest)
                if not rest or not self._may_send(batch):
                    break
                part, rest = rest[:size], rest[size:]
                under_way.add(asyncio.create_task(self._send_slice(part, tally)))
                if len(under_way) >= most:
                    _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            if under_way:
                await asyncio.wait(under_way)
        except asyncio.CancelledError:
            if under_way:
                await asyncio.wait(under_way, timeout=5)
            raise
        finally:
            self._release(tally)

    def _may_send(self, batch: Batch) -> bool:
        return (
            not self._gone.is_set() and self._tools.leases.holds(batch) and self._tools.clock.now() < batch.expires_at
        )

    async def _still_wanted(self, batch: Batch, envelopes: list[Envelope]) -> list[Envelope]:
        """What of a batch that takes long is to be sent after all: nothing if its run was closed or something more
        urgent waits, and nobody who has answered or was reached meanwhile."""
        try:
            async with self._tools.database.connection() as connection:
                if not await ledger.comes_first(connection, batch, self._tools.clock.now()):
                    return []
                rows = await ledger.claimed_rows(connection, batch)
        except DATABASE_AWAY:
            return envelopes  # what was claimed may be sent as long as its lease holds
        wanted = {row.ordinal for row in self._needed(batch, rows)}
        return [envelope for envelope in envelopes if envelope.key.ordinal in wanted]

    def _needed(self, batch: Batch, rows: Sequence[Row]) -> list[Row]:
        """The rows to be sent; that the others need not be is written down."""
        for row in rows:
            if not row.needed:
                self._note(batch, row.ordinal, DeliveryState.CANCELLED, reason="already reached")
        return [row for row in rows if row.needed]

    async def _send_slice(self, part: Sequence[Envelope], tally: Tally) -> None:
        unanswered = {envelope.key: envelope for envelope in part}
        try:
            async for outcome in self._driver.send(part):
                if unanswered.pop(outcome.key, None) is not None:
                    self._settle(outcome, tally)
        except Exception as error:  # a driver's own fault: what it did not answer for may have gone out
            log.error(
                "driver.failed",
                gateway=self._slot.gateway.settings.name,
                error=type(error).__name__,
                detail=str(error)[:200],
            )
        for key in unanswered:
            self._settle(Unknown(key, "the driver gave no answer"), tally)

    def _settle(self, outcome: Outcome, tally: Tally) -> None:
        batch = tally.batch
        match outcome:
            case Accepted(key, ref):
                if ref:
                    self._refs[ref] = key
                self._note(batch, key.ordinal, DeliveryState.SUBMITTED, ref=ref or None)
            case Rejected(key, reason):
                self._note(batch, key.ordinal, DeliveryState.FAILED, reason=reason)
            case Unknown(key, reason):
                self._note(batch, key.ordinal, DeliveryState.UNKNOWN, reason=reason)
                tally.again(backoff(batch.claims))
            case Deferred(_, _, after):
                tally.again(max(bearable(after), backoff(batch.claims)))

    def _note(
        self, batch: Batch, ordinal: int, state: DeliveryState, *, ref: str | None = None, reason: str | None = None
    ) -> None:
        self._tools.recorder.add(
            Event(
                batch.alert_id,
                ordinal,
                batch.claims,
                int(state),
                self._slot.gateway.id,
                ledger.storable(ref) if ref else None,
                ledger.storable(reason) if reason else None,
                self._tools.clock.now(),
            )
        )

    def _give_back(self, batches: Iterable[Batch]) -> None:
        """What was claimed but not begun is free for anyone at once."""
        for batch in batches:
            self._release(Tally(batch, self._tools.clock.now()))

    def _release(self, tally: Tally) -> None:
        self._tools.recorder.release(Release(tally.batch, tally.not_before))
