"""The chronicle of the demo's storm: what the ledger says happened, held against what instruments and carriers saw."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import pairwise

from audiences.generator.places import DISTRICT_CODE
from broadcaster.alerts.records import AlertRecord
from broadcaster.database import Connection
from broadcaster.decisions import versions
from broadcaster.decisions.versions import Subject
from broadcaster.demo import waters
from broadcaster.demo.accounting import Accounting, account
from broadcaster.demo.play import Demo
from broadcaster.demo.stage import OFFICE
from broadcaster.demo.storm import LOOK, Played, named
from broadcaster.intake import listing
from broadcaster.intake.listing import Incoming
from broadcaster.rehearsal.oracle import Report
from broadcaster.rehearsal.storm.river import REACHES
from broadcaster.triggers import replaying, rules
from broadcaster.triggers.evaluator import Step as Evaluated
from broadcaster.triggers.replaying import Happened
from broadcaster.triggers.rule import Rule, stored
from broadcaster.triggers.rules import Event

ON_ITS_WAY = 30.0
"""Seconds that a broker may take to bring what it has confirmed to a gauge."""

_READINGS = """
SELECT s.code, e.element, extract(epoch FROM d.at)::float8 AS at FROM reading d
JOIN series e ON e.id = d.series_id JOIN station s ON s.id = e.station_id WHERE d.at >= $1"""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A river came over one of its limits ("warning", "guarantee"), or back below, as its station measured it."""

    at: datetime
    name: str
    level: float
    limit: str
    height: float
    rising: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a rule, and when the reading was measured after which it was to be taken; None of an all-clear, which
    comes of time that passes, and where a replay over the stored readings does not take it."""

    event: Event
    title: str
    due_to: datetime | None


@dataclass(frozen=True, slots=True)
class Sent:
    """An alert of the rules, with its accounts; when a carrier had its first text message (None: never), and when the
    first home was put on a list of doors."""

    record: AlertRecord
    name: str
    accounting: Accounting
    first_text: datetime | None
    first_door: datetime | None

    @property
    def given_way(self) -> bool:
        """Whether a successor took its place; what it had not sent by then its successor sends."""
        return self.record.superseded_by is not None


@dataclass(frozen=True, slots=True)
class Instruments:
    """Values that instruments measured, by the `ways` on which they came (reports), and those of them that are kept by
    now; of reports that were confirmed to them: how many had to be said more than once; `lost`: values that were
    confirmed and are not there."""

    measured: int
    ways: Mapping[str, int]
    stored: int
    repeated_reports: int
    lost: int


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits to the weather office's feed since the storm began, and those of them that cost a 304 and no index,
    because there was no news."""

    all: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Chronicle:
    """The whole story. `overtakings` are recipients who got messages out of order."""

    began: datetime
    ended: datetime
    crossings: tuple[Crossing, ...]
    steps: tuple[Step, ...]
    sent: tuple[Sent, ...]
    published: Mapping[str, datetime]
    heard: tuple[Incoming, ...]
    visits: Visits
    instruments: Instruments
    overtakings: int

    def reaction(self, one: Sent) -> float | None:
        """Seconds from the reading that led to an alert until a carrier had its first text message, a countdown
        included; None of an all-clear."""
        step = next((step for step in self.steps if step.event.alert_id == one.record.id), None)
        if step is None or step.due_to is None or one.first_text is None:
            return None
        return (one.first_text - step.due_to).total_seconds()

    @property
    def broken(self) -> tuple[str, ...]:
        """What the story should have been and was not; empty when all held."""
        return tuple(dict.fromkeys(_broken(self)))


async def chronicle(demo: Demo, played: Played) -> Chronicle:
    """Settle the accounts of a storm that is over."""
    report = await demo.report()
    async with demo.house.database.connection() as connection:
        sent = [
            await _sent(connection, record, await account(connection, now, report, settled - _issued(record)), report)
            for record, now, settled in played.alerts
        ]
        followed = {one.record.id: one.record.predecessor_id for one in sent}
        before = {number: first for number, first in followed.items() if first is not None}
        heard = await listing.incoming(connection, [""], DISTRICT_CODE, source=OFFICE)
        return Chronicle(
            began=played.began,
            ended=played.ended,
            crossings=tuple(_crossings(report)),
            steps=tuple(await _steps(connection, played)),
            sent=tuple(sent),
            published={one.identifier: _moment(one.at) for one in report.published},
            heard=tuple(reversed(heard)),
            visits=_visits(report, played.began),
            instruments=await _instruments(connection, report, played.began),
            overtakings=len(report.overtakings(before)),
        )


async def _sent(connection: Connection, record: AlertRecord, accounting: Accounting, report: Report) -> Sent:
    texts = [one.at for one in report.taken if one.alert == record.id and one.channel == "sms"]
    door: datetime | None = await connection.fetchval(
        "SELECT min(created_at) FROM door_task WHERE alert_id = $1", record.id
    )
    return Sent(record, named(record), accounting, _moment(min(texts)) if texts else None, door)


async def _steps(connection: Connection, played: Played) -> list[Step]:
    """Each rule's steps, the earliest first, with the readings that a replay takes them by."""
    newest = await versions.newest(connection, Subject.RULE)
    found: list[Step] = []
    for name in (waters.HILL_RULE, waters.RIVER_RULE):
        rule = stored(newest[name].body or "")
        replayed = await _replayed(connection, rule, played)
        since = [one for one in reversed(await rules.events(connection, name)) if one.at >= played.began]
        found += [Step(event, rule.title, due_to(event, replayed)) for event in since]
    return sorted(found, key=lambda step: step.event.at)


def due_to(event: Event, replayed: Sequence[Happened]) -> datetime | None:
    """When the readings first asked for as much as an event's step; None of an all-clear. On a busy machine a rule may
    pass over a colour that the replay, which has every reading in time, still steps on, or the other way round."""
    if event.step not in (Evaluated.RAISE, Evaluated.RISE):
        return None
    rising = (one for one in replayed if one.step in (Evaluated.RAISE, Evaluated.RISE))
    return next((one.at for one in rising if one.colour.urgency <= event.colour.urgency), None)


async def _replayed(connection: Connection, rule: Rule, played: Played) -> list[Happened]:
    start, end = played.began - timedelta(seconds=1), played.ended
    among, windows = await replaying.recorded(connection, rule, start, end)
    return replaying.replay(rule, among, windows, start, end)


def _crossings(report: Report) -> list[Crossing]:
    found: list[Crossing] = []
    for reach in REACHES:
        course = [(one.at, dict(one.values)["water_level"]) for one in report.measured if one.station == reach.station]
        limits = (("warning", reach.warning), ("guarantee", reach.guarantee))
        for (_, low), (at, level) in pairwise(course):
            found += [
                Crossing(_moment(at), f"{reach.name}水文站", level, name, limit, rising=level >= limit)
                for name, limit in limits
                if (low >= limit) != (level >= limit)
            ]
    return found


def _visits(report: Report, began: datetime) -> Visits:
    since = [one for one in report.visits if one.at >= began.timestamp()]
    return Visits(len(since), sum(one.status == HTTPStatus.NOT_MODIFIED for one in since))


async def _instruments(connection: Connection, report: Report, began: datetime) -> Instruments:
    """The instruments' accounts. What a broker has confirmed may still be on its way to us."""
    deadline = time.monotonic() + ON_ITS_WAY
    while True:
        found = await _counted(connection, report, began)
        if not found.lost or time.monotonic() > deadline:
            return found
        await asyncio.sleep(LOOK)


async def _counted(connection: Connection, report: Report, began: datetime) -> Instruments:
    """Whether all is there that was confirmed since the storm began; before, stations may have reported that were not
    registered yet. Stations tell the second, not its fraction."""
    rows = await connection.fetch(_READINGS, began.replace(microsecond=0))
    measured = [one for one in report.measured if one.at >= began.timestamp()]
    there = {(row["code"], row["element"], int(row["at"])) for row in rows}
    confirmed = {(one.station, one.measured) for one in report.stored}
    lost = sum(
        (one.station, element, int(one.at)) not in there
        for one in measured
        if (one.station, one.at) in confirmed
        for element, _ in one.values
    )
    return Instruments(
        measured=sum(len(one.values) for one in measured),
        ways=Counter(one.way for one in measured),
        stored=sum((one.station, element, int(one.at)) in there for one in measured for element, _ in one.values),
        repeated_reports=sum(one.tries > 1 for one in report.stored),
        lost=lost,
    )


def _broken(one: Chronicle) -> Sequence[str]:
    found: list[str] = []
    for sent in one.sent:
        accounts = sent.accounting
        if not accounts.conserved:
            found.append(f"{sent.name}：不守恒")
        if accounts.door_tasks < accounts.unreached_households:
            found.append(f"{sent.name}：未到的住户没有都列入入户任务")
        if accounts.lost:
            found.append(f"{sent.name}：丢失 {accounts.lost}")
    if one.overtakings:
        found.append(f"次序颠倒 {one.overtakings}")
    if one.instruments.lost:
        found.append(f"已确认的读数丢失 {one.instruments.lost}")
    found += [f"规则“{step.title}”未能执行：{step.event.fault}" for step in one.steps if step.event.fault]
    found += [f"{sent.name}：没有一条短信" for sent in one.sent if sent.first_text is None and not sent.given_way]
    for hazard in ("flash_flood", "flood"):
        kinds = [sent.record.msg_type for sent in one.sent if sent.record.hazard == hazard]
        if kinds[:1] != ["Alert"] or kinds[-1:] != ["Cancel"]:
            found.append(f"{hazard}：预警没有从发布走到解除")
    if {*one.published} - {message.identifier for message in one.heard}:
        found.append("气象台的消息没有全部收到")
    return found


def _issued(record: AlertRecord) -> float:
    return record.issued_at.timestamp() if record.issued_at is not None else 0.0


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
