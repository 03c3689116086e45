"""A worker's couriers: one at work on each slot that it holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

from broadcaster.clock import SystemClock
from broadcaster.database import Database
from broadcaster.dispatch import slots
from broadcaster.dispatch.courier import Tools
from broadcaster.dispatch.crew import Crew
from broadcaster.dispatch.leases import Leases
from broadcaster.dispatch.recorder import Recorder
from broadcaster.errors import UnavailableError
from broadcaster.ports import Capabilities, Driver, Envelope, GatewaySettings, Inbox, Medium, Outcome, Reply
from tests.harness.waiting import wait_until


class Quiet:
    """A driver that connects and is never given anything."""

    capabilities = Capabilities(receipts=True, replies=False, window=16, batch_max=100)

    async def open(self, inbox: Inbox) -> None: ...

    async def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        raise AssertionError("nothing was planned")
        yield  # type: ignore[unreachable]  # it is a generator

    async def close(self) -> None: ...


async def keep_nothing(gateway: str, items: Sequence[Reply]) -> None: ...


def built(settings: GatewaySettings) -> Driver:
    if settings.name == "keyless":
        raise UnavailableError("the key's file is gone", remedy="put it back")
    return Quiet()


async def test_a_gateway_whose_driver_cannot_be_built_keeps_no_other_from_its_couriers(database: Database) -> None:
    clock = SystemClock()
    recorder = Recorder(database, clock, "w")
    tools = Tools(database, recorder, Leases(database, "w", 15.0), None, clock, "w")  # type: ignore[arg-type]
    crew = Crew(tools, built, keep_nothing)
    async with database.connection() as connection:
        gateways = [
            await slots.register(connection, GatewaySettings(name, Medium.SMS, "straw", rate=10, rehearsal=True))
            for name in ("keyless", "sound")
        ]
    await crew.hold(gateways)
    try:
        await wait_until(lambda: list(crew.connected()) == [gateways[1].id], what="the other's courier")
    finally:
        await asyncio.wait_for(crew.dismiss(asyncio.get_running_loop().time() + 30), 60)


class Deaf(Quiet):
    """A driver that does not hear that its time is over."""

    def __init__(self) -> None:
        self.hears = asyncio.Event()

    async def close(self) -> None:
        while not self.hears.is_set():
            try:
                await self.hears.wait()
            except asyncio.CancelledError:
                continue


async def test_a_driver_that_does_not_hear_holds_a_worker_up_no_longer_than_it_has_time(database: Database) -> None:
    clock, driver = SystemClock(), Deaf()
    recorder = Recorder(database, clock, "w")
    tools = Tools(database, recorder, Leases(database, "w", 15.0), None, clock, "w")  # type: ignore[arg-type]
    crew = Crew(tools, lambda _: driver, keep_nothing)
    async with database.connection() as connection:
        gateway = await slots.register(connection, GatewaySettings("deaf", Medium.SMS, "straw", rate=10))
    await crew.hold([gateway])
    await wait_until(crew.connected, what="the courier")
    try:
        await asyncio.wait_for(crew.dismiss(asyncio.get_running_loop().time() + 0.2), 60)
    finally:
        driver.hears.set()
        await crew.dismiss(asyncio.get_running_loop().time() + 60)


async def test_who_is_told_to_end_while_it_takes_a_slot_gives_that_back_too(database: Database) -> None:
    clock = SystemClock()
    tools = Tools(database, Recorder(database, clock, "w"), Leases(database, "w", 15.0), None, clock, "w")  # type: ignore[arg-type]
    async with database.connection() as connection:
        gateway = await slots.register(connection, GatewaySettings("quiet", Medium.SMS, "straw", rate=10))
    for turns in range(40):
        crew = Crew(tools, lambda _: Quiet(), keep_nothing)
        holding = asyncio.create_task(crew.hold([gateway]))
        for _ in range(turns):
            await asyncio.sleep(0)
        time.sleep(0.02)  # noqa: ASYNC251 (the database has done what it was asked, and nobody has heard of it)
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
        await crew.dismiss(asyncio.get_running_loop().time() + 60)
        async with database.connection() as connection:
            await crew.leave(connection)
            assert await connection.fetchval("SELECT count(*) FROM gateway_slot WHERE owner IS NOT NULL") == 0, turns
