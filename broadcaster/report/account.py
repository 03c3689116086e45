"""The account of an alert afterwards: stage times against targets, coverage, units, escalations, the course over time.

It reads only what stays when the alert's rows leave for the archive.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from broadcaster.alerts.records import AlertRecord
from broadcaster.database import Connection
from broadcaster.dispatch.course import Course, Point, course
from broadcaster.progress import Households, Progress, progress
from broadcaster.report.sql import SQL
from broadcaster.report.timeline import Escalated, Happening, escalations, timeline
from broadcaster.settings.sections import TargetSettings

EVENTS = 300
"""Most entries of the timeline."""

TOWN = 9
"""Digits of a town's code."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One mark: how many seconds after issue it was passed (None: not yet, or never), and within how many it should
    be; `in_time`: it was not, and still can be."""

    code: str
    seconds: float | None
    target: float
    in_time: bool

    @property
    def met(self) -> bool:
        """Whether it was passed in time."""
        return self.seconds is not None and self.seconds <= self.target


@dataclass(frozen=True, slots=True)
class Coverage:
    """The households of one town or village."""

    region: str
    name: str
    households: Households

    @property
    def share(self) -> float:
        """Reached, of 1."""
        return self.households.reached / self.households.total if self.households.total else 0.0


@dataclass(frozen=True, slots=True)
class RoleUnits:
    """The units of one role, and seconds from issue until the median one, 90 of 100, and the last had confirmed."""

    role: str
    units: int
    acknowledged: int
    moved: int
    half: float | None
    most: float | None
    last: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All of it. `over`: nothing more will change but by late receipts."""

    record: AlertRecord
    progress: Progress
    stages: tuple[Stage, ...]
    towns: tuple[Coverage, ...]
    villages: tuple[Coverage, ...]
    units: tuple[RoleUnits, ...]
    escalations: tuple[Escalated, ...]
    events: tuple[Happening, ...]
    course: Course
    as_of: datetime

    @property
    def growth(self) -> list[tuple[Point, int, int]]:
        """Each point of the course with the households reached and the deliveries taken until its end."""
        grown, reached, submitted = [], 0, 0
        for point in self.course.points:
            reached, submitted = reached + point.reached, submitted + point.submitted
            grown.append((point, reached, submitted))
        return grown


async def account(
    connection: Connection, record: AlertRecord, targets: TargetSettings, scopes: Iterable[str], now: datetime
) -> Account | None:
    """The account of an alert; None for one that was never issued. Calls for help only from inside `scopes`."""
    found = await course(connection, record.id)
    if found is None:
        return None
    state = await progress(connection, record.id)
    opened = record.issued_at or found.opened_at
    units = [
        RoleUnits(
            row["role"],
            row["units"],
            row["acknowledged"],
            row["moved"],
            *(_after(opened, row[at]) for at in ("half_at", "most_at", "last_at")),
        )
        for row in await connection.fetch(SQL["confirmations"], record.id)
    ]
    villages = tuple(Coverage(one.region, one.name, one.households) for one in state.regions)
    return Account(
        record=record,
        progress=state,
        stages=_stages(opened, found, state, units, targets, now if record.open else None),
        towns=await _towns(connection, villages),
        villages=villages,
        units=tuple(units),
        escalations=tuple(await escalations(connection, record.id)),
        events=tuple(reversed(await timeline(connection, record.id, list(scopes), EVENTS))),
        course=found,
        as_of=now,
    )


def _stages(
    opened: datetime,
    found: Course,
    state: Progress,
    units: list[RoleUnits],
    targets: TargetSettings,
    now: datetime | None,
) -> tuple[Stage, ...]:
    """`now` None: the alert is over."""
    half, most, all_but = (_after(opened, at) for at in found.reached_at)
    marks = [
        ("first_submit", _after(opened, found.first_submit_at), targets.first_submit),
        ("reached_half", half, targets.reached_half),
        ("reached_most", most, targets.reached_most),
        ("reached_all_but", all_but, targets.reached_all_but),
    ]
    if state.units.total:
        complete = state.units.acknowledged == state.units.total
        last = max((one.last for one in units if one.last is not None), default=None)
        marks.append(("confirmed", last if complete else None, targets.confirmed))
    so_far = math.inf if now is None else (now - opened).total_seconds()
    return tuple(Stage(code, at, target, at is None and so_far <= target) for code, at, target in marks)


async def _towns(connection: Connection, villages: Iterable[Coverage]) -> tuple[Coverage, ...]:
    sums: defaultdict[str, list[Households]] = defaultdict(list)
    for village in villages:
        sums[village.region[:TOWN]].append(village.households)
    names = {row["code"]: row["name"] for row in await connection.fetch(SQL["names"], list(sums))}
    return tuple(
        Coverage(
            town,
            names.get(town, ""),
            Households(
                *(sum(getattr(part, name) for part in parts) for name in ("total", "reached", "pending", "unreached"))
            ),
        )
        for town, parts in sorted(sums.items())
    )


def _after(opened: datetime, at: datetime | None) -> float | None:
    return None if at is None else max(0.0, (at - opened).total_seconds())
