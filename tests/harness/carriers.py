"""Several carriers of one channel, each in a process of its own, and workers that send by them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from broadcaster.alerts.policy import ChannelStep, Policy
from broadcaster.clock import ManualClock, SystemClock
from broadcaster.dispatch import trials
from broadcaster.dispatch.ledger import Batch, Row
from broadcaster.dispatch.lineup import BEAT
from broadcaster.ports import DeliveryKey, Driver, Envelope, GatewaySettings, Medium, Message, Reply, Sound
from broadcaster.rehearsal.oracle import Report, Taken
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Behaviour, Delay, Script
from broadcaster.testing.memory import MemoryJournal
from broadcaster.worker import Duties, Pulse, Worker, worker_name
from channels.sms.rehearsal import plugin
from tests.harness.district import District
from tests.harness.waiting import wait_until

SMS_ONLY = Policy((ChannelStep((Medium.SMS,), 3600),), loudspeakers=False, units=())
PROMPT = Behaviour(answer=Delay(median=0.02, spread=0.3), receipt=Delay(median=0.1))


class Bells:
    """A bell that every worker of the test hears."""

    def __init__(self) -> None:
        self._ears: set[asyncio.Event] = set()

    def ring(self) -> None:
        for ear in self._ears:
            ear.set()

    async def heard(self, seconds: float) -> bool:
        ear = asyncio.Event()
        self._ears.add(ear)
        try:
            async with asyncio.timeout(seconds):
                await ear.wait()
        except TimeoutError:
            return False
        finally:
            self._ears.discard(ear)
        return True


class Texts:
    """One text for everybody."""

    async def envelopes(self, batch: Batch, rows: Sequence[Row], sound: Sound | None = None) -> list[Envelope]:
        message = Message(f"alert {batch.alert_id}")
        return [
            Envelope(
                DeliveryKey(batch.alert_id, row.ordinal, batch.claims),
                phone(row.address),
                message,
                batch.urgency,
                batch.expires_at,
            )
            for row in rows
        ]


def phone(contact: str) -> str:
    """A number that carriers take for the district's `phone-HOUSEHOLD-N`."""
    if contact.isdigit():
        return contact
    _, household, number = contact.split("-")
    return f"138{int(household) % 10**7:07d}{number}"


@dataclass(slots=True)
class Carriers:
    """`processes` are the carriers by their gateways' names."""

    district: District
    processes: Mapping[str, RehearsalProcess]
    gateways: Sequence[GatewaySettings]
    bells: Bells

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Worker]:
        """One more worker at work."""
        duties = Duties(
            database=self.district.database,
            clock=SystemClock(),
            gateways=self.gateways,
            make_driver=_driver,
            composer=Texts(),
            load_plan=self.district.load_plan,
            keep_replies=_keep_nothing,
            bell=self.bells,
            make_trial=sms_trial,
            pulse=Pulse(sweep=0.2, fold=0.2, lease=6.0),
        )
        worker = Worker(duties, worker_name())
        working = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    def report(self) -> Report:
        """What all of them took, in the order of time."""
        reports = [process.report() for process in self.processes.values()]
        return Report(taken=sorted((one for report in reports for one in report.taken), key=lambda one: one.at))

    def taken(self, gateway: str) -> list[Taken]:
        """What one of them took."""
        return self.processes[gateway].report().taken

    async def first_after(self, gateway: str, moment: float, *, within: float) -> float:
        """Seconds from `moment` (Unix time) until the gateway takes a message."""

        def look() -> float:
            return next((one.at for one in self.taken(gateway) if one.at > moment), 0.0)

        at: float = await wait_until(look, within=within, what=f"a message by {gateway}")
        return at - moment

    async def settled(self, alert_id: int, *, within: float) -> None:
        """Return when no delivery of the alert is open."""

        async def over() -> bool:
            states = await self.district.states(alert_id)
            return bool(states) and not states.get(0) and not states.get(1)

        await wait_until(over, within=within, what=f"alert {alert_id} to be sent")

    async def connected(self, *, workers: int = 1) -> None:
        """Return when every gateway is up, in each of so many workers, and all of them know."""

        async def up() -> bool:
            async with self.district.database.connection() as connection:
                ready = await connection.fetchval(
                    "SELECT count(*) FROM (SELECT DISTINCT gateway_id, worker FROM gateway_word WHERE up AND idle) w"
                )
            return bool(ready == workers * len(self.gateways))

        await wait_until(up, within=60, what="every gateway connected")
        await asyncio.sleep(2 * BEAT)

    @contextmanager
    def silent(self, gateway: str) -> Iterator[float]:
        """The carrier's machine stands still; the moment since when."""
        process = self.processes[gateway]
        process.freeze()
        try:
            yield time.time()
        finally:
            process.thaw()


def _driver(settings: GatewaySettings) -> Driver:
    return plugin.build(settings, MemoryJournal())


async def _keep_nothing(gateway: str, items: Sequence[Reply]) -> None: ...


@asynccontextmanager
async def carriers(
    folder: Path,
    district: District,
    *gateways: GatewaySettings,
    behaviour: Behaviour = PROMPT,
) -> AsyncIterator[Carriers]:
    """A carrier for each of `gateways` (whose driver and address are filled in), by the real time of day."""
    district.clock = ManualClock(SystemClock().now())
    async with AsyncExitStack() as stack:
        processes = {
            gateway.name: await stack.enter_async_context(
                RehearsalProcess(folder / gateway.name, Script(seed=1, sms=behaviour))
            )
            for gateway in gateways
        }
        settings = [
            replace(gateway, driver="rehearsal", rehearsal=True, options={"address": processes[gateway.name].address})
            for gateway in gateways
        ]
        yield Carriers(district, processes, settings, Bells())


def sms(name: str, *, rate: float, slots: int = 1, priority: int = 0, weight: int = 1) -> GatewaySettings:
    """A gateway for text messages."""
    return GatewaySettings(name, Medium.SMS, "", rate=rate, slots=slots, priority=priority, weight=weight)


async def sms_trial(number: int, address: str, gateway: GatewaySettings) -> Envelope:
    """The message of a trial; nobody speaks here."""
    mute: Any = None
    return await trials.envelope(number, address, gateway, "鄞州区", mute, datetime.now(UTC))
