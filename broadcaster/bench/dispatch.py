"""One alert to a given number of recipients: planned, rendered, sent over a socket, receipts stored, progress counted.

Everything is as in production: `daohu worker` processes on the database, a gateway that answers and receipts every
message. The gateway is the rehearsal in a process of its own, whose record is the oracle.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil

from audiences.generator.places import DISTRICT_CODE, DISTRICT_NAME
from broadcaster.alerts.records import AlertRecord
from broadcaster.bench import roster
from broadcaster.bench.crew import crew
from broadcaster.bench.figures import Figures
from broadcaster.bench.usage import Meter
from broadcaster.database import drop_database, shown, with_database
from broadcaster.demo import story
from broadcaster.demo.play import Demo
from broadcaster.errors import UnavailableError
from broadcaster.house import House, open_house
from broadcaster.ports import Medium
from broadcaster.progress import progress
from broadcaster.rehearsal.oracle import Report
from broadcaster.rehearsal.process import LINE, RehearsalProcess
from broadcaster.rehearsal.script import Behaviour, CarrierFront, Delay, Fronts, Residents, Script
from broadcaster.settings import EMBEDDED, load_settings

RATE = 100_000
"""Messages/s that the gateway may be given: far more than this path can carry."""

WINDOW = 1000
"""Messages and receipts in flight on a connection: far more than carriers allow, so that nobody waits for answers."""

SLOTS = 2
"""Connections of each worker."""

LOOK = 0.25
"""Seconds between two looks at the progress."""

QUICK = Delay(median=0.2, spread=0.5, most=2.0)
"""How long a receipt takes."""

WARM = 60.0
"""Seconds for the first, small alert."""

PATIENCE = 900.0
"""Seconds without any progress after which the run has failed."""

POLICY = """
[policies.red]
loudspeakers = false
households = [{ channels = ["sms"], wait = 3600 }]
units = [{ after = 0, action = "duty_desk" }]
"""

Show = Callable[[str, int], None]
"""Told what happens and how many deliveries have come so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to measure. `driver` is line, cmpp or smpp; `database` and `redis` are URLs or "embedded"; `folder` must be
    empty."""

    recipients: int
    workers: int
    folder: Path
    driver: str = "line"
    database: str = EMBEDDED
    redis: str = EMBEDDED
    profile: bool = False


@dataclass(frozen=True, slots=True)
class _Run:
    """When things happened, in seconds since the issue."""

    planned: float
    receipted: float
    issued_at: datetime


async def bench_dispatch(task: Task, show: Show) -> Figures:
    """Set everything up, send one alert, and tell how it went. The database that was made for it is dropped."""
    script = Script(
        seed=1,
        texts_kept=0,
        sms=Behaviour(receipt=QUICK, residents=Residents(share=0)),
        fronts=Fronts(cmpp=CarrierFront(window=WINDOW), smpp=CarrierFront(window=WINDOW)),
    )
    async with (
        RehearsalProcess(task.folder / "carrier", script) as carrier,
        _office(task, carrier) as (house, settings),
    ):
        show("名册", 0)
        await roster.fill(house.database, task.recipients)
        async with crew(settings, task.workers, profile=task.profile) as workers:
            await _warm(Demo(house, carrier), workers=task.workers)
            meters = await _meters(house, workers, carrier)
            before = _read(meters)
            run, record = await _send(Demo(house, carrier), task.recipients, meters, show)
            used = {who: (meters[who].cpu - before[who]) / task.recipients * 1e6 for who in meters}
        show("对账", task.recipients)
        report = await Demo(house, carrier).report()
        taken = [one for one in report.taken if one.alert == record.id]
        return Figures(
            recipients=task.recipients,
            plan_rows_per_s=task.recipients / run.planned,
            submitted_per_s=task.recipients / (max(one.at for one in taken) - run.issued_at.timestamp()),
            receipted_per_s=task.recipients / run.receipted,
            seconds=run.receipted,
            first_submit_ms=(min(one.at for one in taken) - run.issued_at.timestamp()) * 1000,
            rss_mb_max=meters["worker"].rss_max,
            workers=task.workers,
            database=await _named(house, task),
            driver=task.driver,
            parts=round(sum(report.joined.get(one.ref, 1) for one in taken) / len(taken), 2),
            duplicates=report.duplicates,
            lost=await _lost(house, record, report),
            cpu_us={who: round(value, 1) for who, value in used.items()},
        )


@asynccontextmanager
async def _office(task: Task, carrier: RehearsalProcess) -> AsyncIterator[tuple[House, Path]]:
    """An open house on a database of its own, and its settings for the workers."""
    url = task.database if task.database == EMBEDDED else with_database(task.database, f"daohu_bench_{os.getpid()}")
    path = task.folder / "daohu.toml"
    path.write_text(_settings(task, url, carrier), encoding="utf-8")
    try:
        async with open_house(load_settings(path, environment={}), application="daohu-bench") as house:
            yield house, path
    finally:
        if url != EMBEDDED:
            await drop_database(url)


def _settings(task: Task, url: str, carrier: RehearsalProcess) -> str:
    def quoted(value: object) -> str:
        return json.dumps(str(value))

    name = LINE if task.driver == "line" else task.driver
    gateway = carrier.gateway(Medium.SMS, rate=RATE, driver=name, window=WINDOW)
    options = "\n".join(f"{key} = {json.dumps(value)}" for key, value in gateway.options.items())
    return f"""
[data]
dir = {quoted(task.folder / "data")}
[database]
url = {quoted(url)}
[redis]
url = {quoted(task.redis)}
[district]
code = {quoted(DISTRICT_CODE)}
name = {quoted(DISTRICT_NAME)}
{POLICY}
[[gateways]]
name = "carrier"
channel = {quoted(Medium.SMS)}
driver = {quoted(gateway.driver)}
rate = {RATE}
slots = {SLOTS * task.workers}
rehearsal = true
{options}
"""


async def _warm(demo: Demo, *, workers: int) -> None:
    """Send one village an alert first: what a worker does only once in its life is not counted as the alert's."""
    record = await demo.send(story.warning("typhoon", demo.house.clock.now(), regions=[f"{DISTRICT_CODE}001001"]))
    deadline = time.monotonic() + WARM
    while time.monotonic() < deadline:
        await asyncio.sleep(LOOK)
        async with demo.house.database.connection() as connection:
            now = await progress(connection, record.id)
        if now.planned and now.deliveries["delivered"] == sum(now.deliveries.values()):
            return
    raise UnavailableError(
        f"{WARM:.0f} 秒内没有送达第一条预警（{workers} 个发送进程）。", remedy="请查看发送进程的日志。"
    )


async def _send(demo: Demo, recipients: int, meters: dict[str, Meter], show: Show) -> tuple[_Run, AlertRecord]:
    """Issue the alert and watch until the last receipt is counted."""
    issued_at = demo.house.clock.now()
    began = time.monotonic()
    record = await demo.send(story.warning("typhoon", issued_at))
    planned, moved, come = 0.0, began, 0
    while come < recipients:
        await asyncio.sleep(LOOK)
        async with demo.house.database.connection() as connection:
            now = await progress(connection, record.id)
        _read(meters)
        if now.planned and not planned:
            planned = time.monotonic() - began
        if now.deliveries["delivered"] > come:
            come, moved = now.deliveries["delivered"], time.monotonic()
            show("发送", come)
        elif time.monotonic() - moved > PATIENCE:
            raise UnavailableError(f"{PATIENCE:.0f} 秒没有进展：{come}/{recipients}。")
    return _Run(planned, time.monotonic() - began, issued_at), record


async def _meters(house: House, workers: list[int], carrier: RehearsalProcess) -> dict[str, Meter]:
    """Who is watched; the database only where it runs on this machine."""
    meters = {"worker": Meter(workers), "carrier": Meter([carrier.pid or 0])}
    async with house.database.connection() as connection:
        backend = await connection.fetchval("SELECT pg_backend_pid()")
    if psutil.pid_exists(backend) and psutil.Process(backend).name().startswith("postgres"):
        meters["database"] = Meter([psutil.Process(backend).ppid()])
    return meters


def _read(meters: dict[str, Meter]) -> dict[str, float]:
    for meter in meters.values():
        meter.look()
    return {who: meter.cpu for who, meter in meters.items()}


async def _lost(house: House, record: AlertRecord, report: Report) -> int:
    """Deliveries that the gateway never saw, or that have come to no end."""
    taken = {one.ordinal for one in report.taken if one.alert == record.id}
    async with house.database.connection() as connection:
        rows = await connection.fetch("SELECT ordinal, state FROM delivery WHERE alert_id = $1", record.id)
    return sum(row["state"] < 5 or row["ordinal"] not in taken for row in rows)


async def _named(house: House, task: Task) -> str:
    async with house.database.connection() as connection:
        version = await connection.fetchval("SHOW server_version")
    where = EMBEDDED if task.database == EMBEDDED else shown(task.database)
    return f"PostgreSQL {version.split()[0]}, {where}"
