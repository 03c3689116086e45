"""One alert by loudspeakers behind a lower platform, from the button to what was played, and to what was stopped: the
server as a process, the platform as another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from audiences.generator.places import DISTRICT_CODE, DISTRICT_NAME
from broadcaster import ending
from broadcaster.bench import roster
from broadcaster.demo.play import APPROVER
from broadcaster.house import open_house
from broadcaster.ports import Medium
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import EBD_PUBLIC, EBD_SERIAL, Behaviour, Delay, EbdFront, Fronts, Script
from broadcaster.settings import load_settings
from tests.harness.ground import Ground, village
from tests.harness.ports import free_port
from tests.harness.processes import DaohuProcess
from tests.harness.waiting import wait_until

SETTINGS = """
[data]
dir = "{folder}/data"
[district]
code = "{code}"
name = "{district}"
[web]
port = {port}
public_url = "http://127.0.0.1:{port}"
[policies.red]
loudspeakers = true
households = [{{ channels = ["sms"], wait = 3600 }}]
units = [{{ after = 0, action = "duty_desk" }}]
[[gateways]]
name = "speakers"
channel = "loudspeaker"
driver = "ebd"
rate = 2000
rehearsal = true
{options}
[gateways.peer_keys]
{serial} = "{public}"
"""
TERMINALS = """
INSERT INTO terminal (external_id, name, region_code, lon, lat, kind, address, active)
SELECT code, code, substr(code, 2, 12), NULL, NULL, 'loudspeaker', code, true
FROM unnest($1::text[]) AS listed(code)
"""
CODES = [f"5{village(number)}03140101{each:02d}" for number in range(3) for each in (1, 2)]
PLAYS = Behaviour(receipt=Delay(median=0.5), failures={"功放故障": 0.2})
PLAYS_LONG = Behaviour(receipt=Delay(median=30.0))
WITHIN = 120.0


@asynccontextmanager
async def installed(folder: Path, behaviour: Behaviour) -> AsyncIterator[tuple[Ground, RehearsalProcess]]:
    port = free_port()
    front = EbdFront(reports=f"http://127.0.0.1:{port}/callbacks/speakers", heartbeat=1.0)
    async with RehearsalProcess(
        folder / "platform", Script(loudspeaker=behaviour, fronts=Fronts(ebd=front))
    ) as platform:
        options = platform.gateway(Medium.LOUDSPEAKER, rate=1, driver="ebd").options
        written = "\n".join(
            f'{key} = "{value}"' for key, value in options.items() if isinstance(value, str) and key != "peer_keys"
        )
        (folder / "daohu.toml").write_text(
            SETTINGS.format(
                folder=folder, code=DISTRICT_CODE, district=DISTRICT_NAME, port=port, options=written,
                serial=EBD_SERIAL, public=EBD_PUBLIC,
            ),
            encoding="utf-8",
        )  # fmt: skip
        async with open_house(load_settings(folder / "daohu.toml", environment={})) as house:
            await roster.fill(house.database, 1000)
            async with house.database.connection() as connection:
                await connection.execute(TERMINALS, CODES)
            with DaohuProcess("serve", folder=folder, name="serve") as server:
                await asyncio.to_thread(server.wait_for_log, "worker.started", within=WITHIN)
                yield Ground(folder, house, platform), platform


async def test_an_alert_is_played_at_every_terminal_and_each_is_accounted_for(tmp_path: Path) -> None:
    async with installed(tmp_path, PLAYS) as (ground, platform):
        alert = await ground.send("red", [village(0), village(1), village(2)])

        async def over() -> bool:
            found = (await ground.progress(alert.id)).deliveries  # texts have no gateway: they stay queued
            return found["delivered"] + found["failed"] == len(CODES)

        await wait_until(over, within=WITHIN, what="every terminal to have played or failed")
        counts = await platform.client.total()
        assert counts.protocol_errors == 0
        assert counts.receipts_waiting == 0
    report = platform.report()
    assert {one.address for one in report.taken} == set(CODES)


async def test_what_plays_of_an_alert_that_is_ended_is_stopped(tmp_path: Path) -> None:
    async with installed(tmp_path, PLAYS_LONG) as (ground, platform):
        alert = await ground.send("red", [village(0), village(1), village(2)])

        async def plays() -> bool:
            return (await ground.progress(alert.id)).deliveries["submitted"] == len(CODES)

        await wait_until(plays, within=WITHIN, what="every terminal to play")
        house = ground.house
        await ending.end(house.database, alert.id, APPROVER, house.clock.now(), rules=house.office.rules)

        async def stopped() -> bool:
            async with house.database.connection() as connection:
                told = await connection.fetchval("SELECT state FROM recall WHERE alert_id = $1", alert.id)
            return bool(told == "done")

        await wait_until(stopped, within=WITHIN, what="the platform to be told")

        async def reported() -> bool:
            return (await platform.client.total()).receipts_acknowledged == len(CODES)

        await wait_until(reported, within=WITHIN, what="every terminal to be reported as stopped")
