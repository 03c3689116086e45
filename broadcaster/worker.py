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
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from broadcaster.clock import Clock
from broadcaster.database import DATABASE_AWAY, Database
from broadcaster.dispatch import fanout, ledger, lineup, networks, slots
from broadcaster.dispatch.asides import Asides, MakeTrial
from broadcaster.dispatch.closing import close_due
from broadcaster.dispatch.courier import Tools
from broadcaster.dispatch.crew import Crew, MakeDriver
from broadcaster.dispatch.fanout import LoadPlan
from broadcaster.dispatch.guarded import guarded
from broadcaster.dispatch.inbox import KeepReplies
from broadcaster.dispatch.leases import Leases
from broadcaster.dispatch.lineup import Lineup
from broadcaster.dispatch.recorder import Recorder
from broadcaster.dispatch.slots import Gateway
from broadcaster.dispatch.stream import Composer
from broadcaster.ports import GatewaySettings
from broadcaster.share import Chore
from broadcaster.tasks import ENDING, ended

log = structlog.get_logger()

LISTEN = 60.0
"""Seconds of one wait for the bell; how often work is looked for without it is `Pulse.sweep`."""

MANY = 5_000
"""Deliveries that were planned, after which the database's statistics are renewed."""

PLANNERS = 2
"""Villages of how many visits are planned at a time: while one commits, the other computes."""

LOOPS, WRITING = 2.0, 4.0
"""Of the time in which a worker ends, what its loops have, and what is left for the last of what gateways said."""

PATIENCE = 2.0
"""Seconds that a lease must have been seen as lapsed before its batch is taken up."""


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
        tools = Tools(
            duties.database, self.recorder, self.leases, duties.composer, duties.clock, self.name, self.lineup
        )
        self._crew = Crew(tools, duties.make_driver, duties.keep_replies)
        self._asides = Asides(duties.database, duties.clock, self.name, self._crew, duties.make_trial)
        self._looking: list[asyncio.Event] = []

    async def run(self) -> None:
        gateways = await self._register()
        self.lineup.follow(gateways)
        recording = asyncio.create_task(self.recorder.run(), name="recorder")
        loops = [
            asyncio.create_task(
                self._every(self._duties.pulse.lease / 3, partial(self._crew.hold, gateways)), name="slots"
            ),
            asyncio.create_task(self._every(self._duties.pulse.lease / 3, self.leases.renew), name="leases"),
            asyncio.create_task(self._agree(), name="lineup"),
            asyncio.create_task(self._every(self._duties.pulse.fold, self._fold), name="fold"),
            *(asyncio.create_task(self._on_bell(self._plan), name=f"plan-{n}") for n in range(PLANNERS)),
            asyncio.create_task(self._on_bell(self._do_chores), name="chores"),
            asyncio.create_task(self._on_bell(self._tidy), name="tidy"),
            asyncio.create_task(self._on_bell(self._asides.try_out), name="trials"),
            asyncio.create_task(self._on_bell(self._asides.recall), name="recalls"),
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
        return {
            "recorder_buffered": self.recorder.buffered,
            "batches_held": self.leases.held,
            **self._crew.figures(),
        }

    async def _register(self) -> list[Gateway]:
        """The gateways, the preferred ones first: they get their couriers before one that stands by could claim."""
        preferred = sorted(self._duties.gateways, key=lambda settings: settings.priority)
        async with self._duties.database.transaction() as connection:
            gateways = [await slots.register(connection, settings) for settings in preferred]
            await networks.know(connection, gateways)
        return gateways

    async def _wind_up(self, recording: asyncio.Task[None], loops: Sequence[asyncio.Task[None]]) -> None:
        """Within `ENDING` in all, however long each part would like to take."""
        now = asyncio.get_running_loop().time()
        by = now + ENDING
        # first: they would begin something that nobody ends
        await asyncio.gather(*(ended(loop, by=now + LOOPS) for loop in loops))
        await asyncio.gather(self._asides.end(by - WRITING), self._crew.dismiss(by - WRITING))
        self.recorder.stop()
        await asyncio.wait({recording}, timeout=WRITING / 2)
        await ended(recording, by=by)
        with contextlib.suppress(*DATABASE_AWAY):
            async with asyncio.timeout_at(by):
                await ledger.fold(self._duties.database, self._duties.clock.now())
                async with self._duties.database.connection() as connection:
                    await lineup.forget(connection, self.name)
                    await self._crew.leave(connection)
        log.info("worker.stopped", worker=self.name)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        """Do `work` again and again."""
        while True:
            await guarded(work)
            await asyncio.sleep(seconds)

    async def _fold(self) -> None:
        """Not until nothing is left, only until there is no backlog: what a pause lets gather is folded more cheaply
        than piece by piece; of a message, acceptance and receipt are often one change."""
        while await ledger.fold(self._duties.database, self._duties.clock.now()) >= ledger.FOLD_SEGMENTS:
            pass

    async def _agree(self) -> None:
        """Say what the couriers make of their gateways, and have them look for work when others are to take it."""
        while True:
            if await guarded(self._say_and_hear):
                self._crew.wake()
            await self.lineup.pause()

    async def _say_and_hear(self) -> bool:
        return await self.lineup.beat(self._crew.words())

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
            await guarded(look)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._duties.pulse.sweep):
                    await rung.wait()

    async def _plan(self) -> None:
        """Visit every village that is due, the most urgent first."""
        duties = self._duties
        while (added := await fanout.advance(duties.database, duties.load_plan, duties.clock.now())) is not None:
            self._planned += added
            if added:
                self._crew.wake()
        if self._planned > MANY:
            self._planned = 0
            await ledger.take_stock(duties.database)

    async def _do_chores(self) -> None:
        """Replies, silent units and the like, until there is nothing left to do; a fault in one is no other's."""
        while any([await guarded(chore) for chore in self._duties.chores]):
            self._crew.wake()

    async def _tidy(self) -> None:
        """Close what is over, and take up what silent workers left."""
        database, clock = self._duties.database, self._duties.clock
        await guarded(lambda: ledger.adopt_strays(database, self.name, clock.now()))
        await guarded(lambda: close_due(database, clock.now()))
        await guarded(self._take_up_lapsed)

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
        self._crew.wake()
