"""A stream: what one connection is sending, batch after batch without a gap."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import Protocol

import structlog

from broadcaster.clock import Clock
from broadcaster.database import DATABASE_AWAY, Database
from broadcaster.dispatch import ledger
from broadcaster.dispatch.breaker import Breaker, Open
from broadcaster.dispatch.leases import Leases
from broadcaster.dispatch.ledger import Batch, Row
from broadcaster.dispatch.lineup import Leads, Precedence
from broadcaster.dispatch.load import Load
from broadcaster.dispatch.outcomes import Outcomes
from broadcaster.dispatch.pace import Pace
from broadcaster.dispatch.recorder import Recorder
from broadcaster.dispatch.refs import RecentRefs
from broadcaster.dispatch.slices import Part, Slices
from broadcaster.dispatch.slots import Slot
from broadcaster.ports import Accepted, Driver, Envelope, Occupies, Outcome, Sound, Unknown

log = structlog.get_logger()

ON_THE_WIRE = timedelta(seconds=1)
"""Before an alert's end by which its last message is written: it is to arrive before the end as well. (`claim` knows it
too.)"""

LOOK = 0.5
"""Seconds after which a stream asks whether what it holds is still wanted, and still comes first."""

AHEAD = 0.4
"""Seconds of sending that are left when more is claimed: what a claim may take while the database is busy."""

FAREWELL = 5.0
"""Seconds that what is on the wire may take to be answered when the stream ends."""

STALL = 5.0
"""Seconds without any outcome, while some are owed, after which what is not written yet is left to other gateways."""

LONG = 3.0
"""Seconds of work, at the speed of the last one, of which an idle equal gets what is not begun."""

PATIENCE = 150.0
"""Seconds without any outcome after which a driver is taken to hang. Drivers have time limits of their own, and shorter
ones; this is for one that forgets."""


class Composer(Protocol):
    """Turns rows of the ledger into messages; see `composer.py`."""

    async def envelopes(self, batch: Batch, rows: Sequence[Row], sound: Sound | None = None) -> Sequence[Envelope]: ...


class Tools(Protocol):
    """What all couriers of a worker share."""

    @property
    def database(self) -> Database: ...
    @property
    def recorder(self) -> Recorder: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def composer(self) -> Composer: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def lineup(self) -> Precedence: ...


class Stream:
    """Writes loads in their order, a slice at a time, as many messages ahead of their answers as the driver's window
    takes; a batch is given back when its last message is answered, while later ones are already being written.
    """

    def __init__(
        self, slot: Slot, driver: Driver, pace: Pace, refs: RecentRefs, breaker: Breaker, tools: Tools
    ) -> None:
        self._gateway = slot.gateway
        self._driver = driver
        self._pace = pace
        self._refs = refs
        self._breaker = breaker
        self.outcomes = Outcomes(slot.gateway, refs, breaker, tools.recorder, tools.clock)
        self._tools = tools
        self._slices = Slices(slot, driver, pace)
        self._little = AHEAD * slot.tokens / slot.period
        self._low = asyncio.Event()
        self._low.set()
        self._open = 0
        self._under_way: set[asyncio.Task[None]] = set()
        self._answered = asyncio.Event()
        if isinstance(driver, Occupies):
            driver.when_freed(self._answered.set)
        self._heard_at = 0.0
        self._looked_at = 0.0
        self._timed_at = 0.0
        self._written_before = 0
        self.written = 0
        self.over = False
        self.why = ""

    async def send(self, loads: Iterable[Load]) -> None:
        """Return when everything has been written or given back; the answers may come later."""
        rest = deque(loads)
        self._looked_at = min((load.known_at for load in rest), default=0.0)
        self._timed_at, self._written_before = time.monotonic(), self.written
        try:
            while rest:
                self._note_left(rest)
                if not rest[0].left:
                    rest.popleft()
                    continue
                await self._tools.recorder.room()
                if not await self._space(rest):
                    break
                count, cost = self._slices.next_of(rest)
                if not count:
                    break
                await self._pace.turn(cost)
                part = await self._next(rest, count)
                spent = self._slices.cost(part)
                try:
                    if spent > cost:  # others than those that were weighed
                        await self._pace.turn(spent - cost)
                except asyncio.CancelledError:  # they were not written
                    for load, piece in part:
                        load.answered(len(piece))
                    raise
                self._pace.answered(max(0, cost - spent))
                if part:
                    self._hand_over(part, spent)
                    if self._slices.holds_lines:  # the driver begins with them, and has less room
                        await asyncio.sleep(0)
        finally:
            self._low.set()
            for load in rest:
                load.drop()

    def end(self, why: str = "the connection was given up") -> None:
        """The connection is gone, or no good any more: nothing more is written."""
        self.why = self.why or why
        self.over = True
        self._low.set()
        self._answered.set()

    async def finish(self) -> None:
        """Wait for the answers to what was written, for a while; what has none by then is given back as unknown."""
        if self._under_way:
            _, silent = await asyncio.wait(self._under_way, timeout=FAREWELL)
            for task in silent:
                task.cancel()
            await asyncio.gather(*silent, return_exceptions=True)

    async def low(self) -> None:
        """Wait until little is left of what is being sent: what is claimed sooner than it is needed waits here, while
        another connection may have nothing to send, and something more urgent may come."""
        await self._low.wait()

    async def room(self) -> None:
        """Wait until there is something to claim for: a gateway that answers nothing is given nothing more."""
        while self._full():
            self._answered.clear()
            await self._answered.wait()

    @property
    def silent(self) -> bool:
        """Whether it answers nothing although it owes answers."""
        return bool(self._open) and asyncio.get_running_loop().time() - self._heard_at > STALL

    def _note_left(self, rest: Iterable[Load]) -> None:
        if self.over or sum(load.left for load in rest) <= self._little:
            self._low.set()
        else:
            self._low.clear()

    async def _space(self, rest: Iterable[Load]) -> bool:
        """Wait until the driver has room; False when it gives no answers, or none that are good. It is given a slice
        more than its window, so that it never runs dry. What waits long, of `rest`, may go to others."""
        while self._full():
            self._answered.clear()
            look = asyncio.get_running_loop().time() + LOOK
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(min(self._heard_at + STALL, look) if self._open else look):
                    await self._answered.wait()
            if isinstance(self._breaker.state, Open):
                break
            if self.silent:
                self.stalled()
            elif self._due():
                self._give_way(rest)
        return not isinstance(self._breaker.state, Open)

    async def try_out(self, envelope: Envelope) -> Outcome:
        """Send one message that belongs to no batch, beside the others and at their pace; what became of it."""
        found: Outcome = Unknown(envelope.key, "the driver gave no answer")
        cost = self._slices.cost_of(envelope)
        await self._pace.turn(cost)
        try:
            async with asyncio.timeout(PATIENCE):
                async for outcome in self._driver.send([envelope]):
                    found = outcome
                    if isinstance(outcome, Accepted) and outcome.ref:
                        self._refs[outcome.ref] = envelope.key
        except Exception as error:  # a driver's own fault
            found = Unknown(envelope.key, f"the driver failed: {type(error).__name__}")
        finally:
            self._pace.answered(cost)
        return found

    def stalled(self) -> None:
        """Say that it is silent."""
        log.warning("gateway.stalled", gateway=self._gateway.settings.name, open=self._open)
        self._breaker.stalled(f"no answer for {STALL:g} s")

    def _full(self) -> bool:
        """Whether its window, or all of its rate, is taken by messages that it has not answered."""
        spent = self._open > 0 and self._pace.short_of(self._slices.most)
        taken = spent or self._open > self._driver.capabilities.window
        return (taken or self._slices.busy) and not self.over

    async def _next(self, rest: deque[Load], count: int) -> Part:
        """The next at most `count` messages that may be sent; what may not be is given back."""
        if self._due():
            await self._look_again(rest)
        part: Part = []
        while rest and count:
            load = rest[0]
            if not load.left or not self._may_send(load.batch):
                rest.popleft().drop()
                continue
            piece = load.take(count)
            count -= len(piece)
            part.append((load, piece))
            if not load.left:
                rest.popleft()
        return part

    def _due(self) -> bool:
        """Whether it is time to look again; if so, the next time is a while later."""
        if time.monotonic() - self._looked_at <= LOOK:
            return False
        self._looked_at = time.monotonic()
        return True

    def _may_send(self, batch: Batch) -> bool:
        over = self._tools.clock.now() >= batch.expires_at - ON_THE_WIRE
        return not self.over and not over and self._tools.leases.holds(batch)

    async def _look_again(self, rest: deque[Load]) -> None:
        """Keep of what takes long only what is to be sent after all: nothing of a run that was closed, nothing at all
        if something more urgent waits, and nobody who has answered or was reached meanwhile."""
        self._give_way(rest)
        loads = [load for load in rest if load.left]
        if not loads:
            return
        try:
            async with self._tools.database.connection() as connection:
                batches, networks = [load.batch for load in loads], self._networks()
                wanted = await ledger.still_first(connection, batches, self._tools.clock.now(), networks)
                rows = await ledger.claimed_rows(connection, batches)
        except DATABASE_AWAY:
            return  # what was claimed may be sent as long as its lease holds
        for load, found in zip(loads, rows, strict=True):
            if load.batch.alert_id not in wanted:
                load.drop()
            else:
                unsent = {one.key.ordinal for one in load.envelopes[load.sent :]}
                load.keep(unsent & {row.ordinal for row in self.outcomes.needed(load.batch, found, unsent)})

    def _networks(self) -> Collection[str] | None:
        """The networks that it may claim for now, None: all."""
        standing = self._tools.lineup.standing(self._gateway)
        return standing.networks if isinstance(standing, Leads) else ()

    def _give_way(self, rest: Iterable[Load]) -> None:
        """Leave everything to a gateway of higher preference that is up again, or when this one is paused; and what is
        not begun to an idle equal, if it would take long here; where lines are what it waits for, what is begun too."""
        standing, speed = self._tools.lineup.standing(self._gateway), self._speed()
        if not isinstance(standing, Leads):
            leaving = list(rest)
        elif standing.networks is not None and any(load.batch.network not in standing.networks for load in rest):
            leaving = [load for load in rest if load.batch.network not in standing.networks]
        elif standing.relieved and speed is not None and sum(load.left for load in rest) > LONG * speed:
            leaving = [load for load in rest if not load.sent or self._slices.holds_lines]  # lines are slow: all
        else:
            return
        for load in leaving:
            load.drop()

    def _speed(self) -> float | None:
        """Messages per second that were written since the last time it was asked; None after too short a time."""
        seconds, written = time.monotonic() - self._timed_at, self.written - self._written_before
        if seconds < LOOK:
            return None
        self._timed_at, self._written_before = time.monotonic(), self.written
        return written / seconds

    def _hand_over(self, part: Part, spent: int) -> None:
        written = sum(len(piece) for _, piece in part)
        if not self._open:
            self._heard_at = asyncio.get_running_loop().time()
        self._open += written
        self.written += written
        task = asyncio.create_task(self._send_part(part, written, spent))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _send_part(self, part: Part, written: int, spent: int) -> None:
        loop = asyncio.get_running_loop()
        envelopes = part[0][1] if len(part) == 1 else [envelope for _, piece in part for envelope in piece]
        unanswered = {envelope.key: load for load, piece in part for envelope in piece}
        try:
            prolonged = loop.time()
            async with asyncio.timeout(PATIENCE) as limit:
                async for outcome in self._driver.send(envelopes):
                    self._heard_at = loop.time()
                    if self._heard_at > prolonged + 1:  # not for each: it costs as much as everything else here
                        limit.reschedule(self._heard_at + PATIENCE)
                        prolonged = self._heard_at
                    load = unanswered.pop(outcome.key, None)
                    if load is not None:
                        self.outcomes.settle(outcome, load)
        except Exception as error:  # a driver's own fault: what it did not answer for may have gone out
            self.end(f"the driver failed: {type(error).__name__}")
            log.error(
                "driver.failed",
                gateway=self._gateway.settings.name,
                error=type(error).__name__,
                detail=str(error)[:200],
            )
        finally:
            for key, load in unanswered.items():
                self.outcomes.settle(Unknown(key, "the driver gave no answer"), load)
            self._open -= written
            self._pace.answered(spent)
            for load, piece in part:
                load.answered(len(piece))
            self._answered.set()
