"""A courier keeps one slot of a gateway at work: connect, claim, have it written, and connect again when it is lost.

How much it claims depends on its breaker (what it makes of the gateway) and on the line-up (which of the channel's
gateways go first).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from broadcaster.clock import Clock
from broadcaster.database import DATABASE_AWAY, Connection, Database
from broadcaster.dispatch import ledger
from broadcaster.dispatch.breaker import PROBE, Breaker, Closed, Open, Probing, State
from broadcaster.dispatch.delivery import BATCH_ROWS
from broadcaster.dispatch.leases import Leases
from broadcaster.dispatch.ledger import Batch, Row
from broadcaster.dispatch.lineup import COURTESY, Alone, Leads, Precedence, Word
from broadcaster.dispatch.load import Load, backoff
from broadcaster.dispatch.pace import Pace
from broadcaster.dispatch.recalls import LIMIT, Missed, Told, in_portions
from broadcaster.dispatch.recorder import Recorder
from broadcaster.dispatch.refs import RecentRefs
from broadcaster.dispatch.slots import Gateway, Slot
from broadcaster.dispatch.stream import Composer, Stream
from broadcaster.errors import DaohuError, InputError, UnavailableError
from broadcaster.ports import Driver, Envelope, Inbox, Outcome, Recalls, Sent, Streams

log = structlog.get_logger()

SWEEP = 1.0
"""Seconds after which an idle courier looks for work unasked."""

GATHER = 0.05
"""Seconds between the bell and the look: planning rings for every village, one look serves several."""

MOST_ROWS = 4000
"""Rows of one claim, about, however fast the gateway: what is claimed lies in memory, and two claims do at a time."""

MOST_BATCHES = 400
"""Most batches of one claim."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What all couriers of a worker share."""

    database: Database
    recorder: Recorder
    leases: Leases
    composer: Composer
    clock: Clock
    worker: str
    lineup: Precedence = field(default_factory=Alone)


class Courier:
    """One slot at work. `run` ends when cancelled; `wake` makes an idle courier look for work at once."""

    def __init__(self, slot: Slot, driver: Driver, inbox: Inbox, refs: RecentRefs, tools: Tools) -> None:
        self._slot = slot
        self._driver = driver
        self._inbox = inbox
        self._refs = refs
        self._tools = tools
        self._pace = Pace(slot.tokens, slot.period)
        self._breaker = Breaker(self._tell)
        self._wake = asyncio.Event()
        self._batch_rows = float(BATCH_ROWS)
        self._stream: Stream | None = None
        self._probe: Load | None = None
        self._waiting = False
        self._given = 0

    def wake(self) -> None:
        self._wake.set()

    @property
    def gateway(self) -> Gateway:
        """The gateway whose slot it keeps."""
        return self._slot.gateway

    @property
    def connected(self) -> bool:
        """Whether its connection stands."""
        return self._stream is not None

    def word(self) -> Word:
        """What to tell the others about this gateway."""
        self._look_after()
        state, stream = self._breaker.state, self._stream
        return Word(
            gateway_id=self._slot.gateway.id,
            slot=self._slot.number,
            up=self._breaker.up,
            state=type(state).__name__.lower(),
            why="" if isinstance(state, Closed) else state.why[:200],
            idle=self._waiting and stream is not None,
            given=self._given + (stream.written if stream else 0),
            connected=stream is not None,
        )

    async def try_out(self, envelope: Envelope) -> Outcome | None:
        """Send one message that belongs to no alert, within the account's rate; None where there is no connection.

        Nothing of it counts for the breaker: whoever tries a gateway looks at the outcome.
        """
        stream = self._stream
        return None if stream is None else await stream.try_out(envelope)

    async def recall(self, sent: Sequence[Sent]) -> Told | Missed:
        """Have the gateway stop these messages, where its driver can."""
        if not isinstance(self._driver, Recalls):
            return Told(0)
        try:
            for portion in in_portions(sent):
                async with asyncio.timeout(LIMIT):
                    await self._driver.recall(portion)
        except UnavailableError as error:
            return Missed(error.what)
        except TimeoutError:
            return Missed(f"no answer within {LIMIT:g} s")
        except Exception as error:  # a driver's own fault
            return Missed(f"the driver failed: {type(error).__name__}")
        return Told(len(sent))

    async def run(self) -> None:
        """Connect, serve until the connection is lost, connect again after a pause."""
        while True:
            await self._connected()
            await self._tools.clock.sleep(self._breaker.reconnect_in)

    async def _connected(self) -> None:
        """One connection, from its first moment to its last."""
        try:
            await self._driver.open(self._inbox)
        except UnavailableError as error:
            name = self._slot.gateway.settings.name
            log.warning("gateway.unavailable", gateway=name, slot=self._slot.number, why=error.what)
            self._breaker.refused(error.what)
            return
        self._breaker.joined()
        stream = self._stream = Stream(self._slot, self._driver, self._pace, self._refs, self._breaker, self._tools)
        try:
            await self._serve(stream)
        finally:
            self._stream, self._given = None, self._given + stream.written
            await self._driver.close()

    def _tell(self, state: State) -> None:
        """Write down that the breaker has changed, and have the others know."""
        name, slot = self._slot.gateway.settings.name, self._slot.number
        match state:
            case Open(why):
                log.warning("gateway.opened", gateway=name, slot=slot, why=why, pause=self._breaker.reconnect_in)
            case Probing(why):
                log.info("gateway.probing", gateway=name, slot=slot, why=why)
            case Closed():
                log.info("gateway.closed", gateway=name, slot=slot)
        self._wake.set()
        self._tools.lineup.news()

    def _look_after(self) -> None:
        """Notice that the gateway has fallen silent, also while nothing more is to be sent; the batch that it was tried
        with goes to another."""
        stream = self._stream
        if stream is None or not stream.silent or isinstance(self._breaker.state, Open):
            return
        stream.stalled()
        if self._probe is not None:
            self._probe.abandon()

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
            self._breaker.parted(stream.why)
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
            stream.end(why)
            self._wake.set()

    async def _idle(self) -> None:
        """Wait for the doorbell, or look again after a second: the bell is only a hint."""
        self._waiting = True
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
        most = await self._allowed(stream)
        standing = self._tools.lineup.standing(self._slot.gateway)
        if not most or not isinstance(standing, Leads):
            return []
        networks = standing.networks
        asked_at, trying = time.monotonic(), isinstance(self._breaker.state, Probing)
        claimed: list[Batch] = []
        try:
            async with self._tools.database.connection() as connection:
                claimed = await self._lease(connection, most, networks, asked_at)
                rows = await ledger.claimed_rows(connection, claimed) if claimed else []
        except DATABASE_AWAY as error:
            log.warning("claim.failed", gateway=self._slot.gateway.settings.name, error=type(error).__name__)
            self._give_back(claimed)
            return []
        except BaseException:  # whatever it was, the leases must not be kept for ever
            self._give_back(claimed)
            raise
        loads = [
            await self._compose(stream, batch, stream.outcomes.needed(batch, found))
            for batch, found in zip(claimed, rows, strict=True)
        ]
        ready = [load for load in loads if load is not None]
        if ready:
            self._waiting = False
            if trying:
                self._try_with(ready[0])
        return ready

    def _try_with(self, load: Load) -> None:
        """Send of `load` no more than tells whether the gateway works."""
        load.keep({envelope.key.ordinal for envelope in load.envelopes[:PROBE]})
        self._probe = load
        self._breaker.probed()

    async def _allowed(self, stream: Stream) -> int:
        """Rows that may be claimed now: none while the breaker is open or another gateway goes first, few as a
        probe."""
        called = self._wake.is_set()
        self._wake.clear()
        standing = self._tools.lineup.standing(self._slot.gateway)
        if stream.over or not isinstance(standing, Leads):
            return 0
        self._breaker.retry(silent=stream.silent, alone=standing.alone)
        match self._breaker.state:
            case Open():
                return 0
            case Probing():
                return PROBE if self._breaker.may_probe() else 0
        if standing.yields:
            if self._waiting and not called:
                return 0  # whatever there is came unannounced, and an idle equal looks by itself
            await asyncio.sleep(COURTESY)
        return max(1, int(min(MOST_ROWS, self._slot.tokens / self._slot.period)))

    async def _lease(
        self, connection: Connection, rows: int, networks: Collection[str] | None, asked_at: float
    ) -> list[Batch]:
        settings = self._slot.gateway.settings
        batches = await ledger.claim(
            connection,
            channel=settings.channel.value,
            rehearsal=settings.rehearsal,
            now=self._tools.clock.now(),
            limit=min(MOST_BATCHES, max(1, int(2 * rows / self._batch_rows))),
            worker=self._tools.worker,
            lease=self._tools.leases.seconds,
            rows=rows,
            networks=networks,
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
            load.envelopes = await self._tools.composer.envelopes(batch, rows, self._driver.capabilities.sound)
        except InputError as error:
            log.error("batch.not_composable", alert=batch.alert_id, batch=batch.first, why=error.what)
            stream.outcomes.fail(batch, rows, error.what)
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
