"""The play: district, rehearsal, warning and order, accounting, then an update and the all-clear of both in turn."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from audiences.generator import plan as plan_district
from audiences.generator import store as store_district
from audiences.generator.residents import loudspeakers
from broadcaster.alerts import authoring
from broadcaster.alerts.actor import Actor, Role
from broadcaster.alerts.alert import Alert
from broadcaster.alerts.records import AlertRecord
from broadcaster.demo import stage, story
from broadcaster.demo.accounting import Accounting, account
from broadcaster.demo.naming import name
from broadcaster.errors import UnavailableError
from broadcaster.house import House, open_house
from broadcaster.progress import Progress, progress
from broadcaster.rehearsal.oracle import Report
from broadcaster.rehearsal.process import RehearsalProcess

log = structlog.get_logger()

OFFICER = Actor("值班员", frozenset({Role.AUTHOR}))
APPROVER = Actor("带班领导", frozenset({Role.APPROVER}))

PATIENCE = 600.0
"""Seconds after which an alert that has not come to its end is a fault worth reporting."""

Serve = Callable[[House], Coroutine[None, None, None]]
"""Answers requests until it is cancelled: what gateways call back, and who opens a link."""

LOOK = 0.05
"""Seconds between two looks whether the web answers."""

Show = Callable[[str, Progress | None], None]
"""Told what happens: the act's name, and how far its alert has come."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A set stage: the house with a district in it, the rehearsal beside it, the worker at work."""

    house: House
    rehearsal: RehearsalProcess

    async def send(self, alert: Alert) -> AlertRecord:
        """Author, submit, approve and issue, each by whom it belongs to."""
        house = self.house
        record = await authoring.create(house.database, alert, OFFICER, house.clock.now())
        record = await authoring.submit(house.database, record.id, OFFICER, house.clock.now(), rules=house.office.rules)
        record = await authoring.approve(
            house.database, record.id, APPROVER, house.clock.now(), version=record.version, rules=house.office.rules
        )
        issued = await house.issue(record.id, APPROVER)
        await house.announce(issued.id)
        return issued

    async def watch(self, record: AlertRecord, act: str, show: Show, *, to_the_end: bool) -> Progress:
        """Show an alert's progress until it is over: sent, or (`to_the_end`) every household and unit settled."""
        deadline = time.monotonic() + PATIENCE
        while True:
            now = await self.progress(record)
            show(act, now)
            if settled(now) if to_the_end else sent(now):
                return now
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"预警 {record.id} 在 {PATIENCE:.0f} 秒内没有走完。", remedy="请用 daohu doctor 查看原因。"
                )
            await asyncio.sleep(0.5)

    async def progress(self, record: AlertRecord) -> Progress:
        async with self.house.database.connection() as connection:
            return await progress(connection, record.id)

    async def report(self) -> Report:
        """What the carriers really took, and whose it was."""
        report = await asyncio.to_thread(self.rehearsal.report)
        async with self.house.database.connection() as connection:
            await name(connection, report)
        return report

    async def account(self, now: Progress, report: Report, seconds: float) -> Accounting:
        async with self.house.database.connection() as connection:
            return await account(connection, now, report, seconds)


def sent(now: Progress) -> bool:
    """Everything that was planned has been taken by a gateway, or has ended."""
    return now.planned and not now.deliveries["queued"] and not now.deliveries["unknown"]


def settled(now: Progress) -> bool:
    """Besides, no household and no unit is waited for any more."""
    return sent(now) and not now.households.pending and not now.units.waiting


@asynccontextmanager
async def set_stage(
    folder: Path,
    *,
    households: int,
    seed: int,
    port: int,
    public_url: str,
    progress: Callable[[int, float], None],
    serve: Serve,
    hour: float | None = None,
) -> AsyncIterator[Demo]:
    """Start the rehearsal, open the house, invent the district, put a worker to work, open the web. With `hour` there
    is weather: a storm that waits for its beginning, with so many seconds to its hour."""
    token = secrets.token_hex(16)
    district = plan_district(seed, households)
    weather = stage.weather(hour) if hour is not None else None
    script = stage.script(
        seed,
        callbacks=f"http://127.0.0.1:{port}/callbacks",
        token=token,
        terminals=[one.external_id for one in loudspeakers(district)],
        dial=f"tcp:{stage.free_address()}",
        weather=weather,
    )
    async with RehearsalProcess(folder / "rehearsal", script) as rehearsal:
        more = stage.instruments(rehearsal, weather) if weather is not None else {}
        settings = stage.settings(folder, rehearsal, port=port, public_url=public_url, token=token, more=more)
        async with open_house(settings, application="daohu-demo") as house:
            async with house.database.connection() as connection:
                await store_district(connection, district, progress=progress)
            async with _beside(house.work()), _beside(serve(house)) as serving:
                await _listening(port, serving)
                yield Demo(house, rehearsal)


async def _listening(port: int, serving: asyncio.Task[None]) -> None:
    """Return when the web answers; raises what it failed of."""
    while not serving.done():
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(LOOK)
    await serving


@asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Do `work` meanwhile."""
    working = asyncio.create_task(work)
    try:
        yield working
    finally:
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working


@dataclass(frozen=True, slots=True)
class Outcome:
    """The accounts of the warning and of the order, and whether the update and the all-clear came in order."""

    warning: AlertRecord
    accounting: Accounting
    mobilization: Accounting
    overtakings: int
    updated: Progress
    cancelled: Progress


Accounted = Callable[[Accounting, Accounting], None]
"""Told the accounts of the warning and of the mobilization order."""


async def perform(demo: Demo, hazard: str, show: Show, accounted: Accounted) -> Outcome:
    """The whole story; `accounted` is told before the update goes out."""
    began = time.monotonic()
    first = await demo.send(story.warning(hazard, demo.house.clock.now()))
    called_out = time.monotonic()
    order = await demo.send(story.order(hazard, demo.house.clock.now()))
    await demo.watch(first, "红色预警", show, to_the_end=True)
    seconds = time.monotonic() - began
    mobilized = await demo.watch(order, "动员令", show, to_the_end=True)
    waited, warned = time.monotonic() - called_out, await demo.progress(first)
    report = await demo.report()
    mobilization = await demo.account(mobilized, report, waited)
    accounting = await demo.account(warned, report, seconds)
    accounted(accounting, mobilization)
    second = await demo.send(story.update(hazard, first.alert, demo.house.clock.now()))
    updated = await demo.watch(second, "更新", show, to_the_end=False)
    third = await demo.send(story.cancel(hazard, second.alert, demo.house.clock.now()))
    cancelled = await demo.watch(third, "解除", show, to_the_end=False)
    fourth = await demo.send(story.stand_down(hazard, order.alert, demo.house.clock.now()))
    await demo.watch(fourth, "解除动员", show, to_the_end=False)
    report = await demo.report()
    overtaken = report.overtakings({second.id: first.id, third.id: second.id, fourth.id: order.id})
    return Outcome(first, accounting, mobilization, len(overtaken), updated, cancelled)
