"""An outpost: an installation of its own in a folder, with a rehearsal beside it and processes that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from audiences.generator import plan as plan_district
from audiences.generator import store as store_district
from audiences.generator.places import DISTRICT_CODE, DISTRICT_NAME
from broadcaster.database import DATABASE_AWAY
from broadcaster.house import House, open_house
from broadcaster.ports import GatewaySettings, Medium
from broadcaster.progress import Progress, progress
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Script
from broadcaster.settings import load_settings
from tests.harness.ports import free_port
from tests.harness.processes import DaohuProcess
from tests.harness.servers import GivenServers
from tests.harness.small_disk import SmallDisk, small_disk
from tests.harness.waiting import wait_until

LEASE = 5
"""Seconds after which a killed worker's batches and connections are another's: the shortest that settings allow."""

LINE: dict[str, Any] = {"window": 16, "connect_timeout": 2.0, "answer_timeout": 4.0, "heartbeat": 2.0}
"""Messages that a connection may have unanswered, as carriers have it; seconds after which a gateway is given up that
does not let us in, answer, or live."""

POLICY = """
[policies.red]
loudspeakers = {loudspeakers}
households = [{{ channels = ["wechat", "sms"], wait = 3 }}, {{ channels = ["email"], wait = 2 }}]
units = [
  {{ after = 0, action = "notify_primary", channels = ["sms", "wechat"] }},
  {{ after = 2, action = "notify_deputy", channels = ["sms", "wechat"] }},
  {{ after = 1, action = "duty_desk" }},
  {{ after = 1, action = "door_tasks" }},
]
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an outpost is made of. `rates` are messages/s and connections by channel; with `embedded` servers it keeps
    its own, otherwise they are given by URL, and the test may do to them what it likes. With a `small_disk` the
    tables lie on one that can be filled."""

    households: int
    rates: Mapping[Medium, tuple[float, int]]
    embedded: bool = False
    small_disk: bool = False

    def on(self, lane: str) -> Plan:
        """The same with what the name of a lane asks for: "embedded", or "small disk"."""
        return replace(self, embedded=lane == "embedded", small_disk=lane == "small disk")


@dataclass(slots=True)
class Outpost:
    """`house` is this test's own door to the installation; the work is done by `workers` in processes of their own.
    `servers` is None when the outpost keeps its servers itself."""

    folder: Path
    plan: Plan
    house: House
    script: Script
    rehearsal: RehearsalProcess
    servers: GivenServers | None
    disk: SmallDisk | None
    workers: list[DaohuProcess] = field(default_factory=list)
    web: DaohuProcess | None = None
    started: int = 0
    handed_in: set[str] = field(default_factory=set)
    """Replies that the API has acknowledged, by their ids."""

    @property
    def given(self) -> GivenServers:
        """The servers that were given by URL."""
        if self.servers is None:
            raise RuntimeError("This outpost keeps its servers itself.")
        return self.servers

    @property
    def limits(self) -> dict[str, float]:
        """What each account may be given in any one second."""
        return {f"rehearsal-{medium.value}": rate for medium, (rate, _) in self.plan.rates.items()}

    async def hire(self, *, module: str = "", environment: Mapping[str, str] | None = None) -> DaohuProcess:
        """Start one more worker and wait until it works; `module` is started instead of `daohu worker`."""
        self.started += 1
        name = f"worker-{self.started}"
        worker = (
            DaohuProcess(module=module, folder=self.folder, name=name, environment=environment)
            if module
            else DaohuProcess("worker", folder=self.folder, name=name, environment=environment)
        )
        self.workers.append(worker.start())
        await asyncio.to_thread(worker.wait_for_log, "worker.started", within=60)
        return worker

    async def dismiss(self, worker: DaohuProcess, *, kill: bool = False) -> None:
        """Have a worker end, in order or not."""
        self.workers.remove(worker)
        await asyncio.to_thread(worker.kill if kill else worker.stop)

    async def holds(self, worker: DaohuProcess) -> bool:
        """Whether a worker has connections; its name holds its process id."""
        async with self.house.database.connection() as connection:
            found: bool = await connection.fetchval(
                "SELECT EXISTS (SELECT 1 FROM gateway_slot WHERE owner LIKE $1)", f"%-{worker.pid}-%"
            )
            return found

    async def open_web(self) -> DaohuProcess:
        """Start the pages and the API, without a worker."""
        self.started += 1
        self.web = DaohuProcess("serve", "--no-worker", folder=self.folder, name=f"web-{self.started}").start()
        await asyncio.to_thread(self.web.wait_for_log, "web.listening", within=60)
        return self.web

    async def progress(self, alert_id: int) -> Progress:
        async with self.house.database.connection() as connection:
            return await progress(connection, alert_id)

    async def calm(self) -> None:
        """Return when every connection of every gateway is held by a worker that lives, and the gateways see them."""
        wanted = sum(slots for _, slots in self.plan.rates.values())

        async def connected() -> bool:
            with contextlib.suppress(*DATABASE_AWAY):
                async with self.house.database.connection() as connection:
                    held: int = await connection.fetchval(
                        "SELECT count(*) FROM gateway_slot WHERE lease_until > clock_timestamp()"
                    )
                counts = await self.rehearsal.client.total()
                return held == wanted == counts.connections
            return False

        await wait_until(connected, what="all connections to be held")


@asynccontextmanager
async def outpost(folder: Path, script: Script, plan: Plan, *, seed: int) -> AsyncIterator[Outpost]:
    """Set it up with an invented district; everything in it ends with the block."""
    async with AsyncExitStack() as stack:
        disk = stack.enter_context(small_disk(folder / "disk")) if plan.small_disk else None
        rehearsal = await stack.enter_async_context(RehearsalProcess(folder / "rehearsal", script))
        servers = None if plan.embedded else GivenServers(folder / "servers")
        try:
            if servers is not None:
                await servers.start()
                if disk is not None:
                    await servers.put_tables(disk.folder / "tables")
            (folder / "daohu.toml").write_text(_settings(folder, plan, rehearsal, servers), encoding="utf-8")
            async with open_house(load_settings(folder / "daohu.toml"), application="daohu-test") as house:
                async with house.database.connection() as connection:
                    await store_district(connection, plan_district(seed, plan.households))
                post = Outpost(folder, plan, house, script, rehearsal, servers, disk)
                try:
                    yield post
                finally:
                    for process in [*post.workers, *([post.web] if post.web else [])]:
                        if process.running:
                            await asyncio.to_thread(process.kill)
        finally:
            if servers is not None:
                servers.stop()


def _settings(folder: Path, plan: Plan, rehearsal: RehearsalProcess, servers: GivenServers | None) -> str:
    gateways = [
        rehearsal.gateway(medium, rate=rate, slots=slots, **LINE) for medium, (rate, slots) in plan.rates.items()
    ]
    given = f'[database]\nurl = "{servers.database_url}"\n[redis]\nurl = "{servers.redis_url}"\n' if servers else ""
    loudspeakers = str(Medium.LOUDSPEAKER in plan.rates).lower()
    port = free_port()
    return (
        f'[data]\ndir = "{folder / "data"}"\n[district]\ncode = "{DISTRICT_CODE}"\nname = "{DISTRICT_NAME}"\n'
        f'{given}[web]\nport = {port}\npublic_url = "http://127.0.0.1:{port}"\n'
        f"[worker]\nlease = {LEASE}\nsweep = 0.5\n{POLICY.format(loudspeakers=loudspeakers)}{_tables(gateways)}"
    )


def _tables(gateways: Sequence[GatewaySettings]) -> str:
    return "".join(
        f'[[gateways]]\nname = "{gateway.name}"\nchannel = "{gateway.channel}"\ndriver = "{gateway.driver}"\n'
        f"rate = {gateway.rate}\nslots = {gateway.slots}\nrehearsal = true\n"
        + "".join(f"{key} = {_toml(value)}\n" for key, value in gateway.options.items())
        for gateway in gateways
    )


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
