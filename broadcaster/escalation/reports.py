"""Reports from outside: how many people a unit has moved, who refuses, who is away; and what the desk reads of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from broadcaster.database import Connection, Database
from broadcaster.errors import InputError
from broadcaster.escalation import links
from broadcaster.escalation.posts import SQL, Post
from broadcaster.responses.inbox import storable

MOST_PEOPLE = 999_999
LONGEST_NOTE = 500
"""Characters."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Numbers:
    """People so far: `moved` to safety, `refused` to leave, `away`. None: nothing is said about it."""

    moved: int | None = None
    refused: int | None = None
    away: int | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What one unit has reported until now; `photos` is how many pictures it sent."""

    moved: int | None
    refused: int | None
    away: int | None
    reported_at: datetime | None
    photos: int


@dataclass(frozen=True, slots=True)
class UnitReport:
    """One unit's report as the desk and machines read it: the latest of each number, which are totals so far, and the
    last words. `photos`: ids, newest first."""

    unit_id: int
    region: str
    region_name: str
    role: str
    moved: int | None
    refused: int | None
    away: int | None
    note: str
    reported_by: str
    reported_at: datetime
    photos: Sequence[int]


async def report(database: Database, post: Post, numbers: Numbers, note: str, now: datetime, *, key: str) -> bool:
    """Record what a unit reports; whoever reports has received, so it confirms the unit as well. False: a repetition.

    `InputError` for numbers out of range or a report of nothing; `RuleError` and `ForbiddenError` as `Post.require`.
    """
    note = storable(note.strip(), LONGEST_NOTE)
    said = [number for number in (numbers.moved, numbers.refused, numbers.away) if number is not None]
    if not (said or note):
        raise InputError("没有填写内容。", remedy="请至少填一个人数，或写几句说明。")
    if any(not 0 <= number <= MOST_PEOPLE for number in said):
        raise InputError("人数不对。", remedy="请填 0 到 %(most)s 的整数。", most=MOST_PEOPLE)
    person_id = post.require()
    if post.unit_state != "acknowledged":
        await links.answer(
            database, post.alert_id, post.ordinal, "acknowledge", now, key=f"{post.alert_id}-{post.ordinal}-confirm"
        )
    async with database.transaction() as connection:
        values = (numbers.moved, numbers.refused, numbers.away, note, now)
        row = await connection.fetchrow(SQL["report"], post.alert_id, post.unit_id, person_id, post.name(key), *values)
        if row is not None and numbers.moved is not None:
            await connection.execute(SQL["moved_now"], post.unit_id, numbers.moved)
    if row is not None:
        log.info("field.reported", alert=post.alert_id, unit=post.unit_id)
    return row is not None


async def figures(connection: Connection, post: Post) -> Figures:
    """What the unit has reported so far."""
    return Figures(**await connection.fetchrow(SQL["figures"], post.alert_id, post.unit_id))


async def reports(connection: Connection, alert_id: int, scopes: Sequence[str], limit: int) -> list[UnitReport]:
    """What the units inside the regions `scopes` reported about an alert, the newest first."""
    return [UnitReport(**row) for row in await connection.fetch(SQL["reports"], alert_id, list(scopes), limit)]
