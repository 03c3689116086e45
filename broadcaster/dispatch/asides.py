"""Asides: what a worker does through the connections that stand, beside sending what is due: it has gateways stop what
they play or ring, and sends the trials and notes that somebody asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial

import structlog

from broadcaster.clock import Clock
from broadcaster.database import Database
from broadcaster.dispatch import notes, recalls, trials
from broadcaster.dispatch.courier import Courier
from broadcaster.dispatch.crew import Crew
from broadcaster.dispatch.guarded import guarded
from broadcaster.errors import DaohuError
from broadcaster.ports import DeliveryKey, Envelope, GatewaySettings, Outcome, Rejected
from broadcaster.recent import Recent
from broadcaster.tasks import ended

log = structlog.get_logger()

MakeTrial = Callable[[int, str, GatewaySettings], Awaitable[Envelope]]
"""The message of a trial (its number) to an address through a gateway."""


class Asides:
    """Those of one worker."""

    def __init__(self, database: Database, clock: Clock, worker: str, crew: Crew, make_trial: MakeTrial) -> None:
        self._database = database
        self._clock = clock
        self._worker = worker
        self._crew = crew
        self._make_trial = make_trial
        self._under_way: set[asyncio.Task[object]] = set()
        self._stopped: Recent[tuple[int, int], bool] = Recent(most=1000)

    async def end(self, by: float) -> None:
        """Leave what is under way, until the loop's time `by`."""
        await asyncio.gather(*(ended(task, by=by) for task in self._under_way))

    async def recall(self) -> None:
        """Have gateways stop what they play or ring of alerts that are over, by the connections that stand here."""
        couriers = self._crew.connected()
        if not couriers:
            return
        for due in await recalls.take(self._database, list(couriers), self._clock.now()):
            courier = couriers[due.gateway_id]
            self._beside(guarded(partial(self._recall_one, courier, due)), f"recall-{due.alert_id}")
        shared = {number: one for number, one in couriers.items() if one.gateway.settings.slots > 1}
        if shared:
            await self._recall_ours(shared)

    async def _recall_ours(self, couriers: Mapping[int, Courier]) -> None:
        """Stop what this process plays or rings by gateways that others have connections of as well, whoever of them
        carries the recall out."""
        for due in await recalls.of_late(self._database, list(couriers), self._clock.now()):
            place = (due.alert_id, due.gateway_id)
            if self._stopped.get(place) is None:
                self._stopped[place] = True
                self._beside(self._stop_ours(couriers[due.gateway_id], due), f"stop-{due.alert_id}")

    async def _stop_ours(self, courier: Courier, due: recalls.Due) -> None:
        """Once is enough when nothing more is on its way; else, and after a fault, the next look does it again."""
        if not await guarded(partial(self._told_ours, courier, due)):
            self._stopped.pop((due.alert_id, due.gateway_id), None)

    async def _told_ours(self, courier: Courier, due: recalls.Due) -> bool:
        sent, more = await recalls.sounding(self._database, due, courier.gateway.settings)
        return isinstance(await courier.recall(sent), recalls.Told) and not more

    async def _recall_one(self, courier: Courier, due: recalls.Due) -> None:
        database, gateway = self._database, courier.gateway.settings
        sent, more = await recalls.sounding(database, due, gateway)
        result = await courier.recall(sent)
        log.info("recall", alert=due.alert_id, gateway=gateway.name, messages=len(sent), result=type(result).__name__)
        await recalls.settle(database, due, result, self._clock.now(), more=more)

    async def try_out(self) -> None:
        """Send the trials and notes that somebody asked for through the connections that stand here."""
        couriers = self._crew.connected()
        if not couriers:
            return
        sides = {number: courier.gateway.settings.rehearsal for number, courier in couriers.items()}
        database, clock = self._database, self._clock
        for taken in await trials.take(database, self._worker, sides, clock.now()):
            work = guarded(partial(self._try_out, couriers[taken.gateway_id], taken))
            self._beside(work, f"trial-{taken.trial}")

    async def _try_out(self, courier: Courier, taken: trials.Taken) -> None:
        outcome: Outcome | None
        trial, clock = taken.trial, self._clock
        try:
            if taken.body is None:
                envelope = await self._make_trial(trial, taken.address, courier.gateway.settings)
            else:
                envelope = notes.envelope(taken, clock.now())
            outcome = await courier.try_out(envelope)
        except DaohuError as error:  # it could not be spoken
            outcome = Rejected(DeliveryKey(trials.NO_ALERT, trial, 1), error.what)
        await trials.settle(self._database, trial, outcome, clock.now())

    def _beside(self, work: Coroutine[None, None, object], name: str) -> None:
        """Do something beside the loops, to its end."""
        task = asyncio.create_task(work, name=name)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
