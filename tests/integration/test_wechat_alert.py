"""One alert by WeChat, from the button to the confirmation: homes by the official account, village heads by WeCom; the
server as a process, the platforms as others."""

from __future__ import annotations

import asyncio
from pathlib import Path

from audiences.generator.places import DISTRICT_CODE, DISTRICT_NAME
from broadcaster.bench import roster
from broadcaster.house import open_house
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Script
from broadcaster.settings import load_settings
from tests.contract.wechat_peer import FIELDS
from tests.harness import official_account, wecom
from tests.harness.cloud import running_cloud
from tests.harness.ground import HEADS, Ground, village
from tests.harness.ports import free_port
from tests.harness.processes import DaohuProcess
from tests.harness.waiting import wait_until
from tests.harness.wechat_notice import AES_KEY, APPID, CORPID, TOKEN

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
households = [{{ channels = ["wechat"], wait = 3600 }}]
units = [{{ after = 0, action = "notify_primary", channels = ["wechat"] }}]
[[gateways]]
name = "qywx"
channel = "wechat"
driver = "wecom"
rate = 200
rehearsal = true
endpoint = "http://127.0.0.1:{wecom}"
corpid = "{corpid}"
agent = {agent}
secret = "{wecom_secret}"
token = "{token}"
aes_key = "{aes_key}"
[[gateways]]
name = "gzh"
channel = "wechat"
driver = "official"
rate = 200
rehearsal = true
endpoint = "http://127.0.0.1:{official}"
appid = "{appid}"
secret = "{official_secret}"
template = "{template}"
token = "{token}"
aes_key = "{aes_key}"
[gateways.fields]
{fields}
"""
ADDRESSES = """
INSERT INTO contact (household_id, medium, address, region_code, priority, active)
SELECT household_id, 'wechat', 'oDaohuRehearsal' || lpad(household_id::text, 13, '0'), region_code, 0, true
FROM contact WHERE household_id IS NOT NULL;
UPDATE contact SET address = 'wecom:' || address WHERE person_id IS NOT NULL AND medium = 'wechat';
"""


async def test_homes_hear_by_the_official_account_and_heads_confirm_by_a_button(tmp_path: Path) -> None:
    port = free_port()
    with running_cloud("official") as account, running_cloud("wecom") as corporation:
        await account.ask("call back", address=f"http://127.0.0.1:{port}/callbacks/gzh")
        await corporation.ask("call back", address=f"http://127.0.0.1:{port}/callbacks/qywx")
        (tmp_path / "daohu.toml").write_text(
            SETTINGS.format(
                folder=tmp_path,
                code=DISTRICT_CODE,
                district=DISTRICT_NAME,
                port=port,
                wecom=corporation.port,
                official=account.port,
                corpid=CORPID,
                agent=wecom.AGENT,
                wecom_secret=wecom.SECRET,
                appid=APPID,
                official_secret=official_account.SECRET,
                template=official_account.TEMPLATE,
                token=TOKEN,
                aes_key=AES_KEY,
                fields="\n".join(f'{theirs} = "{ours}"' for theirs, ours in FIELDS.items()),
            ),
            encoding="utf-8",
        )
        async with open_house(load_settings(tmp_path / "daohu.toml", environment={})) as house:
            await roster.fill(house.database, HOUSEHOLDS)
            async with house.database.connection() as connection:
                await connection.execute(HEADS)
                await connection.execute(ADDRESSES)
            ground = Ground(tmp_path, house, RehearsalProcess(tmp_path / "none", Script()))
            with DaohuProcess("serve", folder=tmp_path, name="serve") as server:
                await asyncio.to_thread(server.wait_for_log, "worker.started", within=60)
                alert = await ground.send("red", [village(0), village(1)])

                async def told() -> bool:
                    states = (await ground.progress(alert.id)).deliveries
                    return states["delivered"] == 4 and states["submitted"] == 2

                await wait_until(told, what="homes to have it, and heads to be asked")
                homes, cards = await account.taken(), (await corporation.ask("platform"))["requests"]
                assert len(homes) == 4
                assert all(f"http://127.0.0.1:{port}/r/" in one["text"] for one in homes)
                assert all("【演练】" in one["text"] for one in homes)
                assert len(cards) == 2
                assert all(card["msgtype"] == "template_card" for card in cards)
                pressed = cards[0]
                card = pressed["template_card"]
                await corporation.ask(
                    "press", member=pressed["touser"], task=card["task_id"], key=card["button_list"][0]["key"]
                )

                async def confirmed() -> bool:
                    async with house.database.connection() as connection:
                        found = await connection.fetch("SELECT state, via FROM unit WHERE state = 'acknowledged'")
                    return [tuple(row) for row in found] == [("acknowledged", "wechat")]

                await wait_until(confirmed, what="the unit of who pressed the button to be confirmed")
