"""A night at the desk, for pictures: what other machines have told, what the rivers do, what the rules make of it, and
who is told of what is issued. Nothing works meanwhile: all stands still as it was at one moment.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from adapters import cap
from audiences.generator import plan as plan_district
from audiences.generator import store as store_district
from audiences.generator.places import DISTRICT_CODE, DISTRICT_NAME
from broadcaster.alerts import areas
from broadcaster.alerts.alert import Alert, Area, Colour, MsgType, Status
from broadcaster.cli.serving import web_context
from broadcaster.demo.story import warning
from broadcaster.escalation.units import open_units
from broadcaster.house import House, open_house
from broadcaster.intake.shelf import LedgerShelf
from broadcaster.intake.visiting import appear
from broadcaster.outlets import Hook, NotTold, Parcel, Told
from broadcaster.security import accounts
from broadcaster.security.permissions import SYSTEM, Actor, Grant, Role
from broadcaster.sensing import Reading
from broadcaster.settings import Settings, settings_from
from broadcaster.sources import Item
from broadcaster.triggers import rules, silence
from broadcaster.triggers.acting import Hand, issuing_by_rule
from broadcaster.triggers.watching import Watch
from broadcaster.web.app import build_app, start
from broadcaster.webhooks import subscribers
from broadcaster.webhooks.postman import Postman
from broadcaster.webhooks.subscribers import Wanted
from tests.harness.officer import Officer
from tests.harness.warnings import following, foreign, xml

PASSWORD = "a night at the desk"
OFFICER = "demo"
"""Whoever signs in: an officer, a leader and an administrator at once."""

_TOWN, _NEIGHBOUR = f"{DISTRICT_CODE}100", f"{DISTRICT_CODE}105"


@asynccontextmanager
async def night(folder: Path, port: int) -> AsyncIterator[House]:
    """A furnished house whose pages are served on `port`."""
    async with open_house(_settings(folder, port), application="daohu-night") as house:
        async with house.database.connection() as connection:
            await store_district(connection, plan_district(1, 2_000), progress=lambda *_: None)
        await furnish(house)
        runner = await start(build_app(web_context(house, {})), "127.0.0.1", port)
        try:
            yield house
        finally:
            await runner.cleanup()


async def furnish(house: House) -> None:
    """Everything that the pages show."""
    now = house.clock.now()
    chief = await _account(house, OFFICER, Role.ADMINISTRATOR, Role.AUTHOR, Role.APPROVER)
    writer = await _account(house, "zhou.min", Role.ADMINISTRATOR)
    await _tell_subscribers(house, chief, now)
    await _receive(house, now)
    await _measure(house, now)
    await _rule(house, writer, chief, now)


def _settings(folder: Path, port: int) -> Settings:
    return settings_from(
        {
            "district": {"code": DISTRICT_CODE, "name": DISTRICT_NAME},
            "data": {"dir": str(folder / "data")},
            "web": {"port": port, "public_url": f"http://127.0.0.1:{port}"},
            "sources": [
                {"name": "met-bureau", "kind": "cap", "address": "https://met.example.cn/cap.atom", "trust": "draft"},
                {"name": "province", "kind": "cap"},
                {"name": "ocean", "kind": "cap", "address": "https://ocean.example.cn/alerts.rss", "interval": 300},
                {"name": "dropped-files", "kind": "cap", "address": str(folder / "files")},
            ],
            "sensors": [
                {"name": "hydrology", "kind": "sl651", "port": 15651},
                {"name": "slopes", "kind": "hj212", "port": 15212},
            ],
        }
    )


async def _account(house: House, name: str, *roles: Role) -> Actor:
    grants = [Grant(role, DISTRICT_CODE) for role in roles]
    number = await accounts.create_account(
        house.database, SYSTEM, name, PASSWORD, grants=grants, now=house.clock.now() - timedelta(days=90)
    )
    return Actor(number, name, tuple(grants))


@dataclass(frozen=True, slots=True)
class _Others:
    """What subscribers answer, by a word in their address."""

    async def tell(self, hook: Hook, parcel: Parcel, now: datetime) -> Told | NotTold:
        if "gone" in hook.url:
            return NotTold("HTTP 410", 410, final=True)
        if "slow" in hook.url:
            return NotTold("10 秒内没有答复")
        return Told(204)

    async def close(self) -> None:
        """Nothing is open."""


async def _tell_subscribers(house: House, chief: Actor, now: datetime) -> None:
    """Five subscribers, alerts for them, and each served once."""
    month_ago = now - timedelta(days=30)
    numbers = [
        await subscribers.add(
            house.database,
            chief,
            DISTRICT_CODE,
            Wanted(name, url, rehearsal=drills, private=private),
            house.secrets,
            month_ago,
        )
        for name, url, drills, private in (
            ("city-platform", "https://warn.ningbo.example.cn/hooks/daohu", False, False),
            ("broadcast-centre", "http://10.20.4.17:8080/api/alerts?from=daohu&token-free=1", False, True),
            ("metro-screens", "https://gone.example.cn/webhook", True, False),
            ("school-app", "https://slow.school.example.cn/warnings/receive", True, False),
            ("training-desk", "https://drill.example.cn/in", True, False),
        )
    ]
    for headline, hazard in (("鄞州区发布暴雨红色预警", "rainstorm"), ("鄞州区发布台风红色预警", "typhoon")):
        drill = replace(warning(hazard, now), status=Status.EXERCISE)
        drill = replace(drill, infos=tuple(replace(info, headline=headline) for info in drill.infos))
        await Officer(house).send(drill)
    postman = Postman(house.database, house.clock, _Others(), house.secrets, cap.write, "http://127.0.0.1", "night")
    for number in numbers:
        while await postman.bring(number):
            pass
    await subscribers.switch(house.database, chief, DISTRICT_CODE, numbers[-1], now, active=False)


def _messages(now: datetime) -> Iterator[tuple[str, bytes]]:
    """What came, oldest first: by its source."""

    def told(name: str, minutes: int, headline: str, **changes: object) -> Alert:
        sent = (now - timedelta(minutes=minutes)).replace(microsecond=0)
        expires = changes.pop("expires", now + timedelta(hours=6))
        changes.setdefault("area", Area(DISTRICT_NAME, geocodes=(areas.geocode(DISTRICT_CODE),)))
        one = foreign(name, sent=sent, expires=expires, **changes)  # type: ignore[arg-type]
        info = replace(one.infos[0], headline=headline, effective=sent, event=headline[-6:-2])
        return replace(one, infos=(info,))

    towns = Area("瞻岐镇、五乡镇", geocodes=(areas.geocode(_TOWN), areas.geocode(_NEIGHBOUR)))
    far = Area("舟山市普陀区", geocodes=(areas.geocode("330903"),))
    rain = told("QX_20_117", 200, "宁波市气象台发布暴雨黄色预警信号", colour=Colour.YELLOW)
    typhoon = told("QX_20_131", 95, "宁波市气象台发布台风橙色预警信号", colour=Colour.ORANGE)
    yield "met-bureau", xml(rain)
    yield "province", xml(rain)
    yield "ocean", xml(told("HY_9", 180, "东海区发布海浪橙色警报", area=far, colour=Colour.ORANGE))
    yield "met-bureau", xml(typhoon)
    yield "province", xml(told("SJ_7_演练", 80, "省平台联动演练：洪水红色预警", status=Status.EXERCISE))
    yield "dropped-files", b'<?xml version="1.0"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>9'
    yield "province", xml(told("SJ_8", 40, "浙江省应急管理厅发布山洪灾害气象风险橙色预警", area=towns))
    yield "met-bureau", xml(following(typhoon, "QX_20_140", MsgType.UPDATE))
    yield "province", xml(told("SJ_9", 400, "地质灾害气象风险黄色预警", expires=now - timedelta(hours=1)))
    yield (
        "met-bureau",
        xml(
            told(
                "QX_20_142", 6, "宁波市气象台发布雷电黄色预警信号，并提醒注意短时强降水、局地雷雨大风和冰雹等强对流天气"
            )
        ),
    )


async def _receive(house: House, now: datetime) -> None:
    """Messages that were judged, and sources of which one fares badly."""
    for name, document in _messages(now):
        await LedgerShelf(house.database, house.clock, name).keep([Item(document)])
    while await house.intake.settle():
        pass
    for source in house.settings.sources:
        await appear(house.database, house.clock, source)
    async with house.database.connection() as connection:
        await connection.execute(
            "UPDATE source_state SET visited_at = $1, heard_at = $1, next_at = $2, offered = 12",
            now,
            now + timedelta(minutes=1),
        )
        await connection.execute(
            "UPDATE source_state SET trouble = 'unreachable', reason = '连接不上（ConnectionRefusedError）',"
            " failures = 14, since = $1, heard_at = $1, next_at = $2, offered = 3 WHERE name = 'ocean'",
            now - timedelta(hours=19),
            now + timedelta(minutes=41),
        )
        await connection.execute(
            "UPDATE source_state SET remarks = $1 WHERE name = 'dropped-files'",
            ["2026-11-28-0312.xml：超过 8 MB，已移入 refused"],
        )


_STATIONS: tuple[tuple[str, str, str, str, list[str], dict[str, dict[str, float]]], ...] = (
    # code, name, town, kind, groups, limits
    ("62900101", "岐山水库", "100", "reservoir", ["瞻岐上游"], {"water_level": {"warning": 36.5, "guarantee": 38.2}}),
    ("62900102", "岐化溪站", "100", "river", ["瞻岐上游"], {"water_level": {"warning": 6.2, "guarantee": 7.0}}),
    ("62900103", "大梅山雨量站", "100", "rain", ["瞻岐上游", "雨量"], {}),
    ("62900201", "沙家溪站", "105", "river", ["五乡"], {"water_level": {"warning": 4.0, "guarantee": 4.8}}),
    ("62900202", "五乡水库", "105", "reservoir", ["五乡"], {}),
    ("62900203", "白岩山雨量站", "105", "rain", ["雨量"], {}),
    ("HP-3302-07", "东岙后山位移监测点", "105", "slope", [], {}),
    ("62900301", "西江闸", "105", "river", [], {"water_level": {"warning": 2.4}}),
)


async def _measure(house: House, now: datetime) -> None:
    """Stations with a day and more of readings; two fell silent, one listener is down, one station is a stranger."""
    async with house.database.connection() as connection:
        for code, name, town, kind, groups, limits in _STATIONS:
            await connection.execute(
                "INSERT INTO station (code, name, region_code, kind, clusters, limits, period)"
                " VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, 300)",
                code, name, f"{DISTRICT_CODE}{town}", kind, groups, msgspec.json.encode(limits).decode(),
            )  # fmt: skip
    for hours in range(28, 0, -4):  # as they came, so that none is late
        readings = [
            one for one in _readings(now) if now - timedelta(hours=hours) <= one.at < now - timedelta(hours=hours - 4)
        ]
        await house.readings.keep(readings, source="hydrology")
    await house.readings.keep([Reading("62900999", "water_level", now, 3.1)], source="hydrology")
    async with house.database.connection() as connection:
        await connection.execute(
            "UPDATE station SET heard_at = $1 WHERE code = ANY($2::text[])",
            now - timedelta(hours=7, minutes=12),
            ["62900203", "62900301"],
        )
        await connection.execute(
            "INSERT INTO listener (name, owner, lease_until, readings, trouble, since) VALUES"
            " ('hydrology', 'w', now() + interval '1 day', 48211, '', NULL),"
            " ('slopes', 'w', now() + interval '1 day', 120, $2, $1)",
            now - timedelta(minutes=55),
            "不能监听 0.0.0.0:15212：端口已被占用。 请检查 host 和 port，或停止占用它的程序。",
        )
    await silence.fall_silent(house.database, now, house.settings.readings.silence)


def _readings(now: datetime) -> Iterator[Reading]:
    """A flood that rises in the last hours, every five minutes."""
    for step in range(28 * 12):
        at = now - timedelta(minutes=5 * (28 * 12 - step)) + timedelta(seconds=30)
        rise = 1 / (1 + math.exp(-(step - 290) / 14))
        wave = math.sin(step / 11) * 0.03
        yield Reading("62900101", "water_level", at, round(35.1 + 1.9 * rise + wave, 2))
        yield Reading("62900101", "reservoir_inflow", at, round(4 + 88 * rise, 1))
        yield Reading(
            "62900102", "water_level", at, 9999.0 if step in (120, 210) else round(4.8 + 2.4 * rise + wave, 2)
        )
        yield Reading("62900103", "rainfall", at, round(6.5 * max(0.0, rise - 0.1) + abs(wave) * 5, 1))
        yield Reading("62900201", "water_level", at, round(3.0 + 1.15 * rise + wave, 2))
        yield Reading("62900202", "water_level", at, round(61.35 + 0.4 * rise, 2))
        if step < 20 * 12 or step > 22 * 12:
            yield Reading("HP-3302-07", "displacement", at, round(12.2 + 3.5 * rise, 1))
        if step < 21 * 12:
            yield Reading("62900203", "rainfall", at, round(abs(wave) * 8, 1))
            yield Reading("62900301", "water_level", at, round(1.9 + wave, 2))


_FLOOD = """title = "瞻岐山洪"
hazard = "flash_flood"
stations = ["62900102"]
area = { regions = ["330212100"] }
[[levels]]
colour = "red"
do = "hold"
when = [{ element = "water_level", above = 7.0 }]
"""

_RULES = {
    "zhanqi-flood": _FLOOD,
    "zhanqi-dam": """title = "岐山水库超警戒"
hazard = "flood"
stations = ["62900101"]
area = { regions = ["330212100"] }
[[levels]]
colour = "orange"
do = "hold"
when = [{ element = "water_level", above = "warning" }]
""",
    "heavy-rain": """title = "山区短时强降水"
hazard = "rainstorm"
stations = ["group:雨量"]
[[levels]]
colour = "yellow"
do = "notify"
when = [{ element = "rainfall", total = 30, within = "1h" }]
""",
    # it may not speak for where its stations lie
    "wuxiang-flood": """title = "五乡水位"
hazard = "flood"
stations = ["group:五乡"]
within = ["330212100"]
[[levels]]
colour = "yellow"
do = "draft"
when = [{ element = "water_level", above = "warning" }]
""",
    "slopes": """title = "后山位移"
hazard = "landslide"
stations = ["HP-3302-07"]
[[levels]]
colour = "yellow"
do = "notify"
when = [{ element = "displacement", above = 15.0 }]
""",
}


async def _rule(house: House, writer: Actor, chief: Actor, now: datetime) -> None:
    """Rules at work, of which some have something to tell, one on trial, one that nobody runs."""
    database, earlier = house.database, now - timedelta(days=12)
    for name, text in _RULES.items():
        await rules.save(
            database, writer, DISTRICT_CODE, name, text, issuing=(), seen=0, note="按防汛预案", now=earlier
        )
        mode = "shadow" if name == "slopes" else "live"
        await rules.put_to_work(database, chief, DISTRICT_CODE, name, 1, mode, earlier, own=False)
    longer = _FLOOD.replace("above = 7.0", 'above = 7.0, lasting = "10m"')
    await rules.save(
        database, writer, DISTRICT_CODE, "zhanqi-flood", longer, issuing=(), seen=1, note="持续十分钟才算", now=now
    )
    idle = _RULES["slopes"].replace("后山位移", "后山位移（旧）")
    await rules.save(database, writer, DISTRICT_CODE, "slopes-old", idle, issuing=(), seen=0, note="", now=earlier)

    async def nobody(_alert: int) -> None:
        return None

    send = issuing_by_rule(database, house.clock, house.office, open_units)
    while await Watch(Hand(database, house.clock, house.office, send, nobody, frozenset())).look():
        pass
