"""An outpost: an installation of its own in a folder, with a rehearsal beside it and workers that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from audiences.generator import plan as plan_district
from audiences.generator import store as store_district
from audiences.generator.places import DISTRICT_CODE, DISTRICT_NAME
from broadcaster.conservation import Breach, breaches
from broadcaster.demo.play import APPROVER, OFFICER
from broadcaster.house import House, open_house
from broadcaster.ports import GatewaySettings, Medium
from broadcaster.progress import Progress, progress
from broadcaster.rehearsal.oracle import Report
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Script
from broadcaster.settings import load_settings
from tests.harness.processes import DaohuProcess
from tests.harness.waiting import wait_until

LEASE = 5
"""Seconds after which a killed worker's connections are another's."""

POLICY = """
[policies.red]
loudspeakers = true
households = [{ channels = ["wechat", "sms"], wait = 15 }, { channels = ["email"], wait = 5 }]
units = [
  { after = 0, action = "notify_primary", channels = ["sms", "wechat"] },
  { after = 5, action = "notify_deputy", channels = ["sms", "wechat"] },
  { after = 5, action = "duty_desk" },
  { after = 2, action = "door_tasks" },
]
"""


@dataclass(slots=True)
class Outpost:
    """`house` is this test's own door to the installation; the work is done by `workers` in processes of their own."""

    folder: Path
    house: House
    rehearsal: RehearsalProcess
    workers: list[DaohuProcess] = field(default_factory=list)
    started: int = 0

    async def hire(self, environment: Mapping[str, str] | None = None) -> DaohuProcess:
        """Start one more worker and wait until it works."""
        self.started += 1
        name = f"worker-{self.started}"
        worker = DaohuProcess("worker", folder=self.folder, name=name, environment=environment).start()
        self.workers.append(worker)
        await asyncio.to_thread(worker.wait_for_log, "worker.started", within=60)
        return worker

    async def relieve(self, pause: float) -> bool:
        """Kill the oldest worker `pause` seconds after it has got connections, with its successor already waiting to
        take over; whether it held batches at that moment. One that gets no connection is killed all the same."""
        await self.hire()
        oldest = self.workers.pop(0)

        async def connected() -> bool:
            return await self._count("SELECT count(*) FROM gateway_slot WHERE owner LIKE $1", oldest) > 0

        with contextlib.suppress(AssertionError):
            await wait_until(connected, within=3 * LEASE, what="the oldest worker to get connections")
        await asyncio.sleep(pause)
        held = await self._count("SELECT count(*) FROM batch WHERE state = 1 AND lease_owner LIKE $1", oldest)
        await asyncio.to_thread(oldest.kill)
        return held > 0

    async def _count(self, query: str, worker: DaohuProcess) -> int:
        """`query` about the worker's name, which holds its process id."""
        async with self.house.database.connection() as connection:
            number: int = await connection.fetchval(query, f"%-{worker.pid}-%")
            return number

    async def progress(self, alert_id: int) -> Progress:
        async with self.house.database.connection() as connection:
            return await progress(connection, alert_id)

    async def breaches(self, alert_ids: Sequence[int]) -> list[Breach]:
        async with self.house.database.connection() as connection:
            return [breach for alert_id in alert_ids for breach in await breaches(connection, alert_id)]

    async def lost(self, alert_ids: Sequence[int], report: Report) -> int:
        """Deliveries that are still open; that the ledger calls taken and the carriers never saw; or that the carriers
        took and the ledger calls never tried. (What was on the wire at a kill and then replaced stays "tried".)"""
        taken = {(message.alert, message.ordinal) for message in report.taken}
        async with self.house.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT alert_id, ordinal, state, attempts FROM delivery WHERE alert_id = ANY($1::int[])",
                list(alert_ids),
            )
        unfinished = sum(row["state"] in {0, 1} for row in rows)
        invented = sum(row["state"] in {4, 6} and (row["alert_id"], row["ordinal"]) not in taken for row in rows)
        tried = {(row["alert_id"], row["ordinal"]) for row in rows if row["attempts"] > 0}
        forgotten = sum(key not in tried for key in taken)
        return unfinished + invented + forgotten

    async def counted_duplicates(self, alert_ids: Sequence[int]) -> int:
        async with self.house.database.connection() as connection:
            total: int = await connection.fetchval(
                "SELECT sum(duplicates)::int FROM tally WHERE alert_id = ANY($1::int[])", list(alert_ids)
            )
        return total


@asynccontextmanager
async def outpost(
    folder: Path, script: Script, *, households: int, seed: int, rates: dict[Medium, tuple[float, int]]
) -> AsyncIterator[Outpost]:
    """Set it up with an invented district; everything in it ends with the block."""
    async with RehearsalProcess(folder / "rehearsal", script) as rehearsal:
        gateways = [rehearsal.gateway(medium, rate=rate, slots=slots) for medium, (rate, slots) in rates.items()]
        (folder / "daohu.toml").write_text(_settings(folder, gateways), encoding="utf-8")
        async with open_house(load_settings(folder / "daohu.toml"), application="daohu-test") as house:
            async with house.database.connection() as connection:
                await store_district(connection, plan_district(seed, households))
            post = Outpost(folder, house, rehearsal)
            try:
                yield post
            finally:
                for worker in post.workers:
                    await asyncio.to_thread(worker.kill)


def _settings(folder: Path, gateways: Sequence[GatewaySettings]) -> str:
    tables = "".join(
        f'[[gateways]]\nname = "{gateway.name}"\nchannel = "{gateway.channel}"\ndriver = "{gateway.driver}"\n'
        f'rate = {gateway.rate}\nslots = {gateway.slots}\nrehearsal = true\naddress = "{gateway.options["address"]}"\n'
        for gateway in gateways
    )
    return (
        f'[data]\ndir = "{folder / "data"}"\n[district]\ncode = "{DISTRICT_CODE}"\nname = "{DISTRICT_NAME}"\n'
        f"[worker]\nlease = {LEASE}\nsweep = 0.5\n{POLICY}{tables}"
    )


async def shake(post: Outpost, kills: int, chance: random.Random, *, longest: float) -> int:
    """Kill workers one after the other at moments that nobody chose; one is always left. Returns how many of them were
    in the midst of sending."""
    if not post.workers:
        await post.hire()
    return sum([await post.relieve(chance.uniform(0, longest)) for _ in range(kills)])


__all__ = ["APPROVER", "OFFICER", "Outpost", "outpost", "shake"]
