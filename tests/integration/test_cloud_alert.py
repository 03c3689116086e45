"""One alert by a cloud provider, from the button to the report: the server as a process, the provider as another."""

from __future__ import annotations

import asyncio
from pathlib import Path

from audiences.generator.places import DISTRICT_CODE, DISTRICT_NAME
from broadcaster.bench import roster
from broadcaster.house import open_house
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Script
from broadcaster.settings import load_settings
from tests.contract.cloud_peer import TOKEN
from tests.harness import tencent_cloud
from tests.harness.cloud import running_cloud
from tests.harness.ground import HEADS, Ground, village
from tests.harness.ports import free_port
from tests.harness.processes import DaohuProcess
from tests.harness.waiting import wait_until

HOUSEHOLDS = 1000  # two in each village
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
loudspeakers = false
households = [{{ channels = ["sms"], wait = 3600 }}]
units = [{{ after = 0, action = "duty_desk" }}]
[[gateways]]
name = "tencent"
channel = "sms"
driver = "tencent"
rate = 200
rehearsal = true
endpoint = "http://127.0.0.1:{cloud}"
secret_id = "{secret_id}"
secret_key = "{secret_key}"
app_id = "{app_id}"
sign = "{sign}"
callback_token = "{token}"
[gateways.templates]
1110 = "{template}"
"""


async def test_an_alert_goes_out_by_a_cloud_provider_and_its_reports_and_replies_come_back(tmp_path: Path) -> None:
    port = free_port()
    template = f"{{1}}http://127.0.0.1:{port}/r/{{2}}"
    with running_cloud("tencent") as cloud:
        await cloud.ask("template", code=tencent_cloud.TEMPLATE, content=template)
        await cloud.ask("call back", address=f"http://127.0.0.1:{port}/callbacks/tencent?token={TOKEN}")
        (tmp_path / "daohu.toml").write_text(
            SETTINGS.format(
                folder=tmp_path,
                code=DISTRICT_CODE,
                district=DISTRICT_NAME,
                port=port,
                cloud=cloud.port,
                secret_id=tencent_cloud.SECRET_ID,
                secret_key=tencent_cloud.SECRET_KEY,
                app_id=tencent_cloud.APP_ID,
                sign=tencent_cloud.SIGN,
                token=TOKEN,
                template=template,
            ),
            encoding="utf-8",
        )
        async with open_house(load_settings(tmp_path / "daohu.toml", environment={})) as house:
            await roster.fill(house.database, HOUSEHOLDS)
            async with house.database.connection() as connection:
                await connection.execute(HEADS)
            ground = Ground(tmp_path, house, RehearsalProcess(tmp_path / "none", Script()))
            with DaohuProcess("serve", folder=tmp_path, name="serve") as server:
                await asyncio.to_thread(server.wait_for_log, "worker.started", within=60)
                alert = await ground.send("red", [village(0), village(1), village(2)])

                async def delivered() -> bool:
                    states = (await ground.progress(alert.id)).deliveries
                    return states["delivered"] >= 6 and not states["queued"] and not states["submitted"]

                await wait_until(delivered, what="every message to be delivered")
                taken = {one["key"].rpartition("-")[0]: one for one in await cloud.taken()}
                states = (await ground.progress(alert.id)).deliveries
                assert len(taken) == states["delivered"] == sum(states.values())
                assert all(f"http://127.0.0.1:{port}/r/" in one["text"] for one in taken.values())
                await cloud.ask("say", number=next(iter(taken.values()))["number"], text="9 救命")

                async def heard() -> bool:
                    async with house.database.connection() as connection:
                        found: int = await connection.fetchval("SELECT count(*) FROM response WHERE text = '9 救命'")
                        return found == 1

                await wait_until(heard, what="the reply to be stored")
