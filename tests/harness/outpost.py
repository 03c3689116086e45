"""An outpost: an installation of its own in a folder, with a rehearsal beside it and workers that can be killed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
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

    async def hire(self) -> DaohuProcess:
        """Start one more worker and wait until it works."""
        self.started += 1
        worker = DaohuProcess("worker", folder=self.folder, name=f"worker-{self.started}").start()
        self.workers.append(worker)
        await asyncio.to_thread(worker.wait_for_log, "worker.started", within=60)
        return worker

    async def relieve(self, pause: float) -> None:
        """Kill the oldest worker after `pause` seconds of work together with its successor, which takes over."""
        await self.hire()
        await asyncio.sleep(pause)
        await asyncio.to_thread(self.workers.pop(0).kill)

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
                "SELECT sum(duplicates)::int FROM run WHERE alert_id = ANY($1::int[])", list(alert_ids)
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
        f"[worker]\nlease = 5\nsweep = 0.5\n{POLICY}{tables}"
    )


async def shake(post: Outpost, kills: int, chance: random.Random, *, longest: float) -> None:
    """Kill workers one after the other at moments that nobody chose; one is always left."""
    if not post.workers:
        await post.hire()
    for _ in range(kills):
        await post.relieve(chance.uniform(0, longest))


__all__ = ["APPROVER", "OFFICER", "Outpost", "outpost", "shake"]
