"""The demo's storm: instruments report, rules raise alerts, nobody lifts a hand; the weather office warns beside."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from audiences.generator.places import DISTRICT_CODE
from audiences.records import Level, Region
from broadcaster.alerts.alert import MsgType
from broadcaster.alerts.hazard import HAZARDS
from broadcaster.alerts.records import AlertRecord
from broadcaster.decisions import versions
from broadcaster.decisions.versions import Subject
from broadcaster.demo import waters
from broadcaster.demo.play import PATIENCE, Demo, Show, sent, settled
from broadcaster.demo.stage import OFFICE
from broadcaster.errors import UnavailableError
from broadcaster.intake import listing
from broadcaster.progress import Progress
from broadcaster.rehearsal.storm.river import REACHES
from broadcaster.rehearsal.storm.storm import PUBLISHING
from broadcaster.security import accounts, credentials
from broadcaster.security.passwords import invent
from broadcaster.security.permissions import SYSTEM, Actor, Grant, Role
from broadcaster.triggers import roster, rules
from broadcaster.triggers.acting import ACCOUNT

HOUR = 6.0
"""Seconds to an hour of the storm: its twelve hours are over in 72 s."""

HOMES = 10_000
"""Of a larger district the storm takes its time, in proportion: a warning must have arrived before the next."""

LOOK = 0.5
STATIONS_HEARD = "SELECT count(DISTINCT e.station_id) FROM series e JOIN station s ON s.id = e.station_id"


@dataclass(frozen=True, slots=True)
class Played:
    """A storm that is over: when it began and ended, and what became of each alert of the rules (Unix seconds when it
    was seen to be settled)."""

    began: datetime
    ended: datetime
    alerts: tuple[tuple[AlertRecord, Progress, float], ...]


def hour_of(households: int) -> float:
    """Seconds to an hour of the storm over a district of so many households."""
    return HOUR * max(1.0, households / HOMES)


async def prepare(demo: Demo, hour: float) -> str:
    """Register the stations, put the rules to work, and give the rain gauges a token, which is returned: as people of
    the office do it, one writing the rules, another putting them to work."""
    house = demo.house
    path = house.settings.data.dir / "stations.csv"
    towns = {
        town.code: (town.lon, town.lat)
        for town in await Region.filter(level=Level.TOWN)
        if town.lon is not None and town.lat is not None
    }
    waters.roster(path, towns)
    async with house.database.connection() as connection:
        report = await roster.stations(connection, path)
    if report.problems:
        raise UnavailableError(f"演示的测站名录没有全部导入：{report.problems[0]}。")
    keeper = await _account(demo, "规则管理员", Role.ADMINISTRATOR)
    chief = await _account(demo, "演示带班领导", Role.APPROVER)
    issuing = house.settings.rules.issue
    async with house.database.connection() as connection:
        known = await versions.newest(connection, Subject.RULE)
    for name, text in waters.rules(towns, hour).items():
        seen = known[name].version if name in known else 0
        now = house.clock.now()
        version = await rules.save(
            house.database, keeper, DISTRICT_CODE, name, text, issuing=issuing, seen=seen, note="", now=now
        )
        await rules.put_to_work(house.database, chief, DISTRICT_CODE, name, version, "live", now, own=False)
    gauges = await _account(demo, "雨量采集", Role.INSTRUMENT)
    return await accounts.give_token(house.database, SYSTEM, gauges.account_id, "雨量站", house.clock.now())


async def perform(demo: Demo, hour: float, show: Show) -> Played:
    """From the first reading to the last all-clear."""
    token = await prepare(demo, hour)
    show("等待测站来报", None)
    await _stations_are_heard(demo)
    url = f"{demo.house.settings.web.public_url}/api/v1/readings"
    began = datetime.fromtimestamp(await demo.rehearsal.client.storm(url, token), UTC)
    alerts = await _watch(demo, began, hour, show)
    return Played(began, demo.house.clock.now(), alerts)


async def rules_alerts(since: datetime) -> list[AlertRecord]:
    """What the rules have written since, in their order."""
    return await AlertRecord.filter(created_by=ACCOUNT, created_at__gte=since).order_by("id")


def named(record: AlertRecord) -> str:
    """An alert in few words."""
    hazard = HAZARDS[record.hazard].chinese
    if record.msg_type == MsgType.CANCEL:
        return f"{hazard}预警解除"
    colour = record.alert.colour
    deed = "预警更新" if record.msg_type == MsgType.UPDATE else "预警"
    return f"{hazard}{colour.chinese if colour else ''}色{deed}"


async def _account(demo: Demo, name: str, role: Role) -> Actor:
    """Somebody of the office; the one that is there, where the folder has been used before."""
    house = demo.house
    async with house.database.connection() as connection:
        number = await connection.fetchval("SELECT id FROM account WHERE name = $1", name)
    if number is None:
        grants = [Grant(role, DISTRICT_CODE)]
        number = await accounts.create_account(
            house.database, SYSTEM, name, invent(), grants=grants, now=house.clock.now()
        )
    async with house.database.connection() as connection:
        return await credentials.actor_of(connection, number)


async def _stations_are_heard(demo: Demo) -> None:
    """The storm begins when every river station and every gauge with a line of its own has reported."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        async with demo.house.database.connection() as connection:
            if await connection.fetchval(STATIONS_HEARD) >= len(REACHES) + len(PUBLISHING):
                return
        await asyncio.sleep(LOOK)
    raise UnavailableError("测站没有来报。", remedy="请用 daohu doctor 查看原因。")


async def _watch(
    demo: Demo, began: datetime, hour: float, show: Show
) -> tuple[tuple[AlertRecord, Progress, float], ...]:
    """Show the latest alert until the storm and all that came of it are over."""
    deadline = time.monotonic() + 12 * hour + PATIENCE
    done: dict[int, float] = {}
    while time.monotonic() < deadline:
        over = await _over(demo)  # before the alerts are read: what the last step of a rule sent out is then among them
        records = await rules_alerts(began)
        issued = [(record, await demo.progress(record)) for record in records if record.issued_at is not None]
        for record, now in issued:
            if settled(now) if record.superseded_by is None else _given_way(now):
                done.setdefault(record.id, time.time())
        if issued:
            show(named(issued[-1][0]), issued[-1][1])
        else:
            show("降雨开始，河水上涨", None)
        if over and all(record.id in done for record, _ in issued):
            return tuple((record, now, done[record.id]) for record, now in issued)
        await asyncio.sleep(LOOK)
    raise UnavailableError("这场台风在限定时间内没有走完。", remedy="请用 daohu doctor 查看原因。")


def _given_way(now: Progress) -> bool:
    """Nothing more is done for an alert that has a successor: homes that it was to reach yet are the successor's."""
    return sent(now) and not now.units.waiting


async def _over(demo: Demo) -> bool:
    """Whether every rule has had its event and is at rest, nothing is held, and the weather office has called off."""
    async with demo.house.database.connection() as connection:
        standing = await rules.at_work(connection)
        events = {name: await rules.events(connection, name) for name in (waters.HILL_RULE, waters.RIVER_RULE)}
        heard = await listing.incoming(connection, [""], DISTRICT_CODE, source=OFFICE)
    rest = all(
        events[name] and events[name][0].step == "clear" and standing[name].state.colour is None for name in events
    )
    held = any(event.state == "held" for told in events.values() for event in told)
    return rest and not held and any(one.msg_type == MsgType.CANCEL for one in heard)
