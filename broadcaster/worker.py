"""The worker: one process's share of the work. Any number may run, on any number of machines, on the same database.

It writes what gateways say, folds it, leases slots and runs a courier on each, and every second looks for what is due:
villages to plan, runs to close, silent workers' batches, silent units, replies not yet understood. The doorbell only
makes it look sooner; without Redis nothing is lost and little is late.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from broadcaster.clock import Clock
from broadcaster.database import DATABASE_AWAY, Database
from broadcaster.dispatch import fanout, ledger, lineup, networks, notes, recalls, slots, trials
from broadcaster.dispatch.closing import close_due
from broadcaster.dispatch.courier import Courier, Tools
from broadcaster.dispatch.fanout import LoadPlan
from broadcaster.dispatch.inbox import GatewayInbox, KeepReplies
from broadcaster.dispatch.leases import Leases
from broadcaster.dispatch.lineup import Lineup
from broadcaster.dispatch.recorder import Recorder
from broadcaster.dispatch.refs import RecentRefs
from broadcaster.dispatch.slots import Gateway, Slot, usable
from broadcaster.dispatch.stream import Composer
from broadcaster.errors import DaohuError
from broadcaster.ports import DeliveryKey, Driver, Envelope, GatewaySettings, Outcome, Rejected
from broadcaster.recent import Recent
from broadcaster.share import Chore
from broadcaster.tasks import ended

log = structlog.get_logger()

CLOSING = 15.0
"""Seconds that a courier has to finish what is on the wire and to say good-bye."""

LISTEN = 60.0
"""Seconds of one wait for the bell; how often work is looked for without it is `Pulse.sweep`."""

MANY = 5_000
"""Deliveries that were planned, after which the database's statistics are renewed."""

PLANNERS = 2
"""Villages of how many visits are planned at a time: while one commits, the other computes."""

PATIENCE = 2.0
"""Seconds that a lease must have been seen as lapsed before its batch is taken up."""

MakeDriver = Callable[[GatewaySettings], Driver]

MakeTrial = Callable[[int, str, GatewaySettings], Awaitable[Envelope]]
"""The message of a trial (its number) to an address through a gateway."""


class Bell(Protocol):
    """Hears that there may be work."""

    async def heard(self, seconds: float) -> bool:
        """Return when somebody rang, or after `seconds`; whether it rang."""
        ...


@dataclass(frozen=True, slots=True)
class Pulse:
    """How often a worker does what: seconds, and rows of one write."""

    lease: float = 15.0
    fold: float = 0.7
    sweep: float = 1.0
    flush_rows: int = 1000
    flush_seconds: float = 0.2


@dataclass(frozen=True, slots=True)
class Duties:
    """What the worker is given to do its work with: its database, clock and gateways, and the chores of other
    contexts."""

    database: Database
    clock: Clock
    gateways: Sequence[GatewaySettings]
    make_driver: MakeDriver
    composer: Composer
    load_plan: LoadPlan
    keep_replies: KeepReplies
    bell: Bell
    make_trial: MakeTrial
    chores: Sequence[Chore] = ()
    pulse: Pulse = Pulse()


def worker_name() -> str:
    """A name that no other worker ever has: host, process, and a piece of chance against reuse of both."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


class Worker:
    """`run` works until cancelled, then finishes what is on the wire and gives everything back."""

    def __init__(self, duties: Duties, name: str = "") -> None:
        self.name = name or worker_name()
        self._duties = duties
        pulse = duties.pulse
        self.leases = Leases(duties.database, self.name, pulse.lease)
        self.recorder = Recorder(
            duties.database,
            duties.clock,
            self.name,
            rows=pulse.flush_rows,
            seconds=pulse.flush_seconds,
            released=self.leases.gave,
        )
        self._planned = 0
        self._lapsed_since: float | None = None
        self.lineup = Lineup(duties.database, self.name)
        self._tools = Tools(
            duties.database, self.recorder, self.leases, duties.composer, duties.clock, self.name, self.lineup
        )
        self._slots: slots.Leased = {}
        self._couriers: dict[tuple[int, int], tuple[Courier, asyncio.Task[None]]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._besides: set[asyncio.Task[object]] = set()
        self._refs: dict[int, RecentRefs] = {}
        self._stopped: Recent[tuple[int, int], bool] = Recent(most=1000)
        self._looking: list[asyncio.Event] = []

    async def run(self) -> None:
        gateways = await self._register()
        self.lineup.follow(gateways)
        recording = asyncio.create_task(self.recorder.run(), name="recorder")
        loops = [
            asyncio.create_task(
                self._every(self._duties.pulse.lease / 3, lambda: self._hold_slots(gateways)), name="slots"
            ),
            asyncio.create_task(self._every(self._duties.pulse.lease / 3, self.leases.renew), name="leases"),
            asyncio.create_task(self._agree(), name="lineup"),
            asyncio.create_task(self._every(self._duties.pulse.fold, self._fold), name="fold"),
            *(asyncio.create_task(self._on_bell(self._plan), name=f"plan-{n}") for n in range(PLANNERS)),
            asyncio.create_task(self._on_bell(self._do_chores), name="chores"),
            asyncio.create_task(self._on_bell(self._tidy), name="tidy"),
            asyncio.create_task(self._on_bell(self._try_gateways), name="trials"),
            asyncio.create_task(self._on_bell(self._recall), name="recalls"),
            asyncio.create_task(self._listen(), name="bell"),
        ]
        log.info("worker.started", worker=self.name, gateways=[gateway.settings.name for gateway in gateways])
        try:
            # not gather: cancelling it would end the recorder before what is on the wire is written down
            over, _ = await asyncio.wait({recording, *loops}, return_when=asyncio.FIRST_COMPLETED)
            for task in over:
                task.result()
        finally:
            await self._wind_up(recording, loops)

    def figures(self) -> dict[str, float]:
        """How it fares, now."""
        couriers = [courier for courier, task in self._couriers.values() if not task.done()]
        return {
            "recorder_buffered": self.recorder.buffered,
            "batches_held": self.leases.held,
            "couriers": len(couriers),
            "couriers_connected": sum(courier.connected for courier in couriers),
        }

    async def _register(self) -> list[Gateway]:
        """The gateways, the preferred ones first: they get their couriers before one that stands by could claim."""
        preferred = sorted(self._duties.gateways, key=lambda settings: settings.priority)
        async with self._duties.database.transaction() as connection:
            gateways = [await slots.register(connection, settings) for settings in preferred]
            await networks.know(connection, gateways)
        return gateways

    async def _wind_up(self, recording: asyncio.Task[None], loops: Sequence[asyncio.Task[None]]) -> None:
        couriers = [task for _, task in self._couriers.values()]
        await asyncio.gather(*map(ended, self._besides))
        await asyncio.gather(*map(ended, loops), *(ended(task, patience=CLOSING) for task in couriers))
        await asyncio.gather(*self._leaving)
        self.recorder.stop()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(recording, 10)
        with contextlib.suppress(*DATABASE_AWAY):
            await ledger.fold(self._duties.database, self._duties.clock.now())
            async with self._duties.database.connection() as connection:
                await lineup.forget(connection, self.name)
                await slots.leave(connection, self.name, self._slots)
        log.info("worker.stopped", worker=self.name)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        """Do `work` again and again."""
        while True:
            await self._guarded(work)
            await asyncio.sleep(seconds)

    async def _hold_slots(self, gateways: Sequence[Gateway]) -> None:
        lease = self._duties.pulse.lease
        async with self._duties.database.connection() as connection:
            alive = await slots.appear(connection, self.name, lease)
        for gateway in gateways:
            async with self._duties.database.connection() as connection:
                held = await slots.hold(connection, gateway, self.name, lease, alive=alive, mine=self._slots)
            for number in range(1, usable(gateway.settings) + 1):
                place = (gateway.id, number)
                running = self._couriers.get(place)
                if running is not None and running[1].done():
                    self._report(running[1])
                    running = None
                if number in held and running is None:
                    self._couriers[place] = self._start(Slot(gateway, number))
                    self.lineup.news()
                elif number not in held and running is not None:
                    self._couriers.pop(place)
                    self._leave(running[1])

    def _start(self, slot: Slot) -> tuple[Courier, asyncio.Task[None]]:
        duties = self._duties
        refs = self._refs.setdefault(slot.gateway.id, RecentRefs())
        inbox = GatewayInbox(slot.gateway, duties.database, self.recorder, duties.clock, refs, duties.keep_replies)
        courier = Courier(slot, duties.make_driver(slot.gateway.settings), inbox, refs, self._tools)
        name = f"courier-{slot.gateway.settings.name}-{slot.number}"
        return courier, asyncio.create_task(courier.run(), name=name)

    def _leave(self, courier: asyncio.Task[None]) -> None:
        """Have a courier end, however deaf its driver, while the other slots are looked after."""
        leaving = asyncio.create_task(ended(courier, patience=CLOSING))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    @staticmethod
    def _report(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("courier.died", courier=task.get_name(), exc_info=error)

    async def _fold(self) -> None:
        """Not until nothing is left, only until there is no backlog: what a pause lets gather is folded more cheaply
        than piece by piece; of a message, acceptance and receipt are often one change."""
        while await ledger.fold(self._duties.database, self._duties.clock.now()) >= ledger.FOLD_SEGMENTS:
            pass

    async def _agree(self) -> None:
        """Say what the couriers make of their gateways, and have them look for work when others are to take it."""
        while True:
            if await self._guarded(self._say_and_hear):
                self._wake_couriers()
            await self.lineup.pause()

    async def _say_and_hear(self) -> bool:
        return await self.lineup.beat([courier.word() for courier, _ in self._couriers.values()])

    async def _listen(self) -> None:
        """Pass the bell on to whoever looks for work here."""
        while True:
            if await self._duties.bell.heard(LISTEN):
                self._wake()

    async def _on_bell(self, look: Callable[[], Awaitable[None]]) -> None:
        """Look for work when the bell rings, and every so often without it."""
        rung = asyncio.Event()
        self._looking.append(rung)
        while True:
            rung.clear()
            await self._guarded(look)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._duties.pulse.sweep):
                    await rung.wait()

    @staticmethod
    async def _guarded(work: Callable[[], Awaitable[object]]) -> object:
        """What `work` returns; None after a fault: a database that is away, or one piece of work that fails, does not
        end the worker."""
        try:
            return await work()
        except DATABASE_AWAY as error:
            log.warning("worker.database_away", error=type(error).__name__, detail=str(error)[:200])
        except DaohuError as error:
            log.error("worker.refused", what=error.what)
        except Exception:
            log.exception("worker.fault")
        return None

    async def _plan(self) -> None:
        """Visit every village that is due, the most urgent first."""
        duties = self._duties
        while (added := await fanout.advance(duties.database, duties.load_plan, duties.clock.now())) is not None:
            self._planned += added
            if added:
                self._wake_couriers()
        if self._planned > MANY:
            self._planned = 0
            await ledger.take_stock(duties.database)

    async def _do_chores(self) -> None:
        """Replies, silent units and the like, until there is nothing left to do; a fault in one is no other's."""
        while any([await self._guarded(chore) for chore in self._duties.chores]):
            self._wake_couriers()

    async def _tidy(self) -> None:
        """Close what is over, and take up what silent workers left."""
        database, clock = self._duties.database, self._duties.clock
        await self._guarded(lambda: ledger.adopt_strays(database, self.name, clock.now()))
        await self._guarded(lambda: close_due(database, clock.now()))
        await self._guarded(self._take_up_lapsed)

    async def _recall(self) -> None:
        """Have gateways stop what they play or ring of alerts that are over, by the connections that stand here."""
        couriers = self._connected()
        if not couriers:
            return
        for due in await recalls.take(self._duties.database, list(couriers), self._duties.clock.now()):
            courier = couriers[due.gateway_id]
            self._beside(self._guarded(partial(self._recall_one, courier, due)), f"recall-{due.alert_id}")
        shared = {number: one for number, one in couriers.items() if one.gateway.settings.slots > 1}
        if shared:
            await self._recall_ours(shared)

    async def _recall_ours(self, couriers: Mapping[int, Courier]) -> None:
        """Stop what this process plays or rings by gateways that others have connections of as well, whoever of them
        carries the recall out."""
        for due in await recalls.of_late(self._duties.database, list(couriers), self._duties.clock.now()):
            place = (due.alert_id, due.gateway_id)
            if self._stopped.get(place) is None:
                self._stopped[place] = True
                self._beside(self._stop_ours(couriers[due.gateway_id], due), f"stop-{due.alert_id}")

    async def _stop_ours(self, courier: Courier, due: recalls.Due) -> None:
        """Once is enough when nothing more is on its way; else, and after a fault, the next look does it again."""
        if not await self._guarded(partial(self._told_ours, courier, due)):
            self._stopped.pop((due.alert_id, due.gateway_id), None)

    async def _told_ours(self, courier: Courier, due: recalls.Due) -> bool:
        sent, more = await recalls.sounding(self._duties.database, due, courier.gateway.settings)
        return isinstance(await courier.recall(sent), recalls.Told) and not more

    async def _recall_one(self, courier: Courier, due: recalls.Due) -> None:
        database, gateway = self._duties.database, courier.gateway.settings
        sent, more = await recalls.sounding(database, due, gateway)
        result = await courier.recall(sent)
        log.info("recall", alert=due.alert_id, gateway=gateway.name, messages=len(sent), result=type(result).__name__)
        await recalls.settle(database, due, result, self._duties.clock.now(), more=more)

    def _connected(self) -> dict[int, Courier]:
        """A courier with a connection for each gateway that has one here."""
        return {place[0]: courier for place, (courier, _) in self._couriers.items() if courier.connected}

    def _beside(self, work: Coroutine[None, None, object], name: str) -> None:
        """Do something beside the loops, to its end."""
        task = asyncio.create_task(work, name=name)
        self._besides.add(task)
        task.add_done_callback(self._besides.discard)

    async def _try_gateways(self) -> None:
        """Send the trials and notes that somebody asked for through the connections that stand here."""
        couriers = self._connected()
        if not couriers:
            return
        sides = {number: courier.gateway.settings.rehearsal for number, courier in couriers.items()}
        database, clock = self._duties.database, self._duties.clock
        for taken in await trials.take(database, self.name, sides, clock.now()):
            work = self._guarded(partial(self._try_out, couriers[taken.gateway_id], taken))
            self._beside(work, f"trial-{taken.trial}")

    async def _try_out(self, courier: Courier, taken: trials.Taken) -> None:
        outcome: Outcome | None
        trial, clock = taken.trial, self._duties.clock
        try:
            if taken.body is None:
                envelope = await self._duties.make_trial(trial, taken.address, courier.gateway.settings)
            else:
                envelope = notes.envelope(taken, clock.now())
            outcome = await courier.try_out(envelope)
        except DaohuError as error:  # it could not be spoken
            outcome = Rejected(DeliveryKey(trials.NO_ALERT, trial, 1), error.what)
        await trials.settle(self._duties.database, trial, outcome, clock.now())

    async def _take_up_lapsed(self) -> None:
        """Our own leases first, and others' only after a while: when the database was away every lease has run out, and
        whoever lives renews it before it is taken for dead."""
        since, self._lapsed_since = self._lapsed_since, None
        await self.leases.renew()
        if not await ledger.any_lapsed(self._duties.database):
            return
        self._lapsed_since = since if since is not None else time.monotonic()
        if time.monotonic() - self._lapsed_since < PATIENCE:
            return
        if await ledger.reclaim_lapsed(self._duties.database, self._duties.clock.now()):
            self._wake()

    def _wake(self) -> None:
        for rung in self._looking:
            rung.set()
        self._wake_couriers()

    def _wake_couriers(self) -> None:
        for courier, _ in self._couriers.values():
            courier.wake()
