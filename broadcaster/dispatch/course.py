"""The course of an alert over time: what went out and who was reached when, from the deliveries' own timestamps.

Nothing is kept for it while an alert runs. When its rows leave for the archive, the course stays (`keep`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from broadcaster.database import Connection
from broadcaster.sql import statements

SQL = statements("broadcaster.dispatch", "course.sql")

SHARES = (0.5, 0.9, 0.99)
"""The shares of the households at which the time is taken."""

POINTS = 240
"""Most points of a course, about: as many as a chart can show."""

SPANS = tuple(timedelta(seconds=s) for s in (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400))


@dataclass(frozen=True, slots=True)
class Point:
    """What happened in one span of time that begins at `at`."""

    at: datetime
    submitted: int
    delivered: int
    failed: int
    reached: int


@dataclass(frozen=True, slots=True)
class Course:
    """`points` in order, spans without events are left out. `reached_at`: when each of `SHARES` of all households was
    reached, None where that has not happened."""

    opened_at: datetime
    first_submit_at: datetime | None
    reached_at: tuple[datetime | None, ...]
    points: tuple[Point, ...]


async def course(connection: Connection, alert_id: int) -> Course | None:
    """The course of an alert, from the archive where its rows lie there; None for one that was never issued."""
    kept = await connection.fetchrow(SQL["kept_marks"], alert_id)
    if kept is not None:
        points = await connection.fetch(SQL["kept_course"], alert_id)
        reached = (kept["reached_half_at"], kept["reached_most_at"], kept["reached_all_but_at"])
        return Course(kept["opened_at"], kept["first_submit_at"], reached, _points(points))
    return await derive(connection, alert_id)


async def keep(connection: Connection, alert_id: int, found: Course) -> None:
    """Write the course down for good, in the transaction that seals the archive; its row there exists already."""
    await connection.execute(SQL["keep_marks"], alert_id, found.first_submit_at, *found.reached_at)
    columns = ("at", "submitted", "delivered", "failed", "reached")
    values = [[getattr(point, column) for point in found.points] for column in columns]
    await connection.execute(SQL["keep_course"], alert_id, *values)


async def derive(connection: Connection, alert_id: int) -> Course | None:
    """The same from the alert's own rows: it reads all of them, about a second for a million deliveries."""
    run = await connection.fetchrow(SQL["run"], alert_id)
    if run is None:
        return None
    opened: datetime = run["opened_at"]
    seconds = await connection.fetch(SQL["seconds"], alert_id, opened)
    first = min((row["first"] for row in seconds if row["first"] is not None), default=None)
    return Course(opened, first, _marks(seconds, run["households"]), _spans(seconds, opened))


def _marks(seconds: Sequence[asyncpg.Record], households: int) -> tuple[datetime | None, ...]:
    """When each of `SHARES` was reached, to the second."""
    wanted = [max(1, math.ceil(households * share)) for share in SHARES]
    found: list[datetime | None] = [None] * len(wanted)
    reached = 0
    for row in seconds:
        reached += row["reached"]
        for place, count in enumerate(wanted):
            if found[place] is None and reached >= count:
                found[place] = row["last"]
    return tuple(found)


def _spans(seconds: Sequence[asyncpg.Record], opened: datetime) -> tuple[Point, ...]:
    """The seconds put together so that there are no more than a chart can show."""
    if not seconds:
        return ()
    span = _span(seconds[-1]["at"] - opened)
    sums: dict[datetime, list[int]] = {}
    for row in seconds:
        together = sums.setdefault(opened + (row["at"] - opened) // span * span, [0, 0, 0, 0])
        for place, column in enumerate(("submitted", "delivered", "failed", "reached")):
            together[place] += row[column]
    return tuple(Point(at, *counts) for at, counts in sums.items())


def _span(lasted: timedelta) -> timedelta:
    """The shortest span with which the course has no more than about `POINTS` points."""
    return next((span for span in SPANS if lasted <= span * POINTS), SPANS[-1])


def _points(rows: Sequence[asyncpg.Record]) -> tuple[Point, ...]:
    return tuple(Point(**dict(row)) for row in rows)
