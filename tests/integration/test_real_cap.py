"""A real alert of China's meteorological service goes out to the county that its geocode names."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from broadcaster.ports import GatewaySettings, Medium
from broadcaster.rehearsal.process import RehearsalProcess
from broadcaster.rehearsal.script import Behaviour, Delay, Script

COUNTY = "130602"


async def daohu(folder: Path, *words: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "broadcaster.cli", *words,
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, noted = await process.communicate()
    return process.returncode or 0, said.decode(), noted.decode()


def settings(folder: Path, gateways: list[GatewaySettings]) -> None:
    lines = [f'[data]\ndir = "{folder / "data"}"\n[district]\ncode = "{COUNTY}"\nname = "新市区"\n']
    lines += [
        f'[[gateways]]\nname = "{gateway.name}"\nchannel = "{gateway.channel}"\ndriver = "{gateway.driver}"\n'
        f"rate = {gateway.rate}\nslots = {gateway.slots}\nrehearsal = true\n"
        f'address = "{gateway.options["address"]}"\n'
        for gateway in gateways
    ]
    (folder / "daohu.toml").write_text("".join(lines), encoding="utf-8")


async def test_a_real_alert_reaches_the_households_of_the_county_in_its_geocode(shared: Path, tmp_path: Path) -> None:
    quick = Behaviour(receipt=Delay(median=0.05))
    async with RehearsalProcess(tmp_path / "rehearsal", Script(seed=1, sms=quick, wechat=quick)) as rehearsal:
        settings(tmp_path, [rehearsal.gateway(medium, rate=500, slots=1) for medium in (Medium.SMS, Medium.WECHAT)])
        (tmp_path / "regions.csv").write_text(
            f"编码,名称,上级编码\n{COUNTY},新市区,\n{COUNTY}001,某街道,{COUNTY}\n{COUNTY}001001,某社区,{COUNTY}001\n"
            f"{COUNTY}001001001,第一网格,{COUNTY}001001\n",
            encoding="utf-8",
        )
        homes = "".join(f"H{n},某{n},{COUNTY}001001001,1539999{n:04d}\n" for n in range(50))
        (tmp_path / "households.csv").write_text("户号,户主,网格编码,电话\n" + homes, encoding="utf-8")
        alert = shared / "data" / "cap" / "valid" / "cap12" / "wmo_cn_valid.xml"
        for words in (("init",), ("import", "regions", "regions.csv"), ("import", "households", "households.csv")):
            code, said, noted = await daohu(tmp_path, *words)
            assert code == 0, said + noted
        expired, _, why = await daohu(tmp_path, "issue", str(alert))
        code, said, noted = await daohu(tmp_path, "issue", str(alert), "--exercise", "--send", "--json")
        assert code == 0, said + noted
        number = json.loads(said.splitlines()[-1])["id"]
        code, said, noted = await daohu(tmp_path, "status", str(number), "--json")
        assert code == 0, said + noted
        progress = json.loads(said.splitlines()[-1])
        report = rehearsal.report()
    assert expired == 1
    assert "失效时间已过" in why
    assert progress["households"]["total"] == 50
    assert len({message.address for message in report.taken}) == 50
    assert all("雷电" in text for text in report.texts.values())
