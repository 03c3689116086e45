"""The crew: a worker's couriers, one at work on each slot that the worker holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from broadcaster.database import Connection
from broadcaster.dispatch import slots
from broadcaster.dispatch.courier import Courier, Tools
from broadcaster.dispatch.guarded import guarded
from broadcaster.dispatch.inbox import GatewayInbox, KeepReplies
from broadcaster.dispatch.lineup import Word
from broadcaster.dispatch.refs import RecentRefs
from broadcaster.dispatch.slots import Gateway, Slot, usable
from broadcaster.ports import Driver, GatewaySettings
from broadcaster.tasks import ended, whole

log = structlog.get_logger()

CLOSING = 15.0
"""Seconds that a courier has to finish what is on the wire and to say good-bye."""

ABRUPT = 3.0
"""Seconds that a courier has to end when there is no time to finish."""

MakeDriver = Callable[[GatewaySettings], Driver]
"""A driver for one connection of a gateway."""


class Crew:
    """Those of one worker."""

    def __init__(self, tools: Tools, make_driver: MakeDriver, keep_replies: KeepReplies) -> None:
        self._tools = tools
        self._make_driver = make_driver
        self._keep_replies = keep_replies
        self._slots: slots.Leased = {}
        self._couriers: dict[tuple[int, int], tuple[Courier, asyncio.Task[None]]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._refs: dict[int, RecentRefs] = {}

    async def hold(self, gateways: Sequence[Gateway]) -> None:
        """Keep this worker's share of the slots, with a courier at work on each; a gateway for which that fails keeps
        no other from its couriers."""
        async with self._tools.database.connection() as connection:
            alive = await slots.appear(connection, self._tools.worker, self._tools.leases.seconds)
        for gateway in gateways:
            await guarded(partial(self._hold, gateway, alive))

    async def _hold(self, gateway: Gateway, alive: int) -> None:
        tools, held = self._tools, await whole(self._lease(gateway, alive))
        for number in range(1, usable(gateway.settings) + 1):
            place = (gateway.id, number)
            running = self._couriers.get(place)
            if running is not None and running[1].done():
                self._report(running[1])
                running = None
            if number in held and running is None:
                self._couriers[place] = self._start(Slot(gateway, number))
                tools.lineup.news()
            elif number not in held and running is not None:
                self._couriers.pop(place)
                self._leave(running[1])

    async def _lease(self, gateway: Gateway, alive: int) -> set[int]:
        tools = self._tools
        async with tools.database.connection() as connection:
            return await slots.hold(
                connection, gateway, tools.worker, tools.leases.seconds, alive=alive, mine=self._slots
            )

    def wake(self) -> None:
        """There may be something to send."""
        for courier, _ in self._couriers.values():
            courier.wake()

    def words(self) -> list[Word]:
        """What the couriers make of their gateways."""
        return [courier.word() for courier, _ in self._couriers.values()]

    def connected(self) -> dict[int, Courier]:
        """A courier with a connection for each gateway that has one here."""
        return {place[0]: courier for place, (courier, _) in self._couriers.items() if courier.connected}

    def figures(self) -> dict[str, float]:
        """How many there are, and how many have a connection."""
        couriers = [courier for courier, task in self._couriers.values() if not task.done()]
        return {
            "couriers": len(couriers),
            "couriers_connected": sum(courier.connected for courier in couriers),
        }

    async def dismiss(self, by: float) -> None:
        """Have all of them finish and end until the loop's time `by`, a little before which who has not is told that
        there is no time to finish."""
        patience = max(0.0, min(CLOSING, by - ABRUPT - asyncio.get_running_loop().time()))
        await asyncio.gather(*(ended(task, patience=patience, by=by) for _, task in self._couriers.values()))
        if self._leaving:
            left = by - asyncio.get_running_loop().time()
            await asyncio.wait(self._leaving, timeout=max(left, 0))

    async def leave(self, connection: Connection) -> None:
        """Give the slots back, once all are dismissed."""
        await slots.leave(connection, self._tools.worker, self._slots)

    def _start(self, slot: Slot) -> tuple[Courier, asyncio.Task[None]]:
        tools = self._tools
        refs = self._refs.setdefault(slot.gateway.id, RecentRefs())
        inbox = GatewayInbox(slot.gateway, tools.database, tools.recorder, tools.clock, refs, self._keep_replies)
        courier = Courier(slot, self._make_driver(slot.gateway.settings), inbox, refs, tools)
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
