"""Doors: the open door tasks of a unit's region, and what became of knocking on them.

Whoever opened has been reached, whether they go or refuse; where nobody was home the task stays. Several people may
mark the same door at once: every visit is kept, the door is counted once. Whoever has marked a door by mistake puts it
right by a further visit that takes the place of the wrong one; then everything is as if that had never been written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import structlog

from broadcaster.database import Connection, Database
from broadcaster.dispatch.ledger import lock_states
from broadcaster.dispatch.targets import reach
from broadcaster.errors import NotFoundError, RuleError
from broadcaster.escalation import posts
from broadcaster.escalation.posts import SQL, Post
from broadcaster.escalation.units import SQL as UNITS
from broadcaster.responses.inbox import storable

log = structlog.get_logger()

_BY_RISK = SQL["doors"].format(picked=SQL["by_risk"])
_BY_PLACE = SQL["doors"].format(picked=SQL["by_place"])


LONGEST_NOTE = 200
"""Characters."""


class Result(StrEnum):
    """What was found at a door."""

    DONE = "done"
    NOBODY = "nobody"
    REFUSED = "refused"
    HELP = "help"

    @property
    def reached(self) -> bool:
        """Whether somebody of the household knows now."""
        return self is not Result.NOBODY


@dataclass(frozen=True, slots=True)
class Door:
    """A household to knock on. `visits` is how often somebody stood there in vain, `visited_at` when last."""

    household_id: int
    risk: int
    region: str
    region_name: str
    name: str
    address: str
    tags: Sequence[str]
    size: int
    phones: Sequence[str]
    visits: int
    visited_at: datetime | None


@dataclass(frozen=True, slots=True)
class Doors:
    """One page of a post's doors, the most at risk first; `left` counts all that are open; `next`: behind which (risk,
    household) the next page begins, None at the end."""

    doors: list[Door]
    left: int
    next: tuple[int, int] | None


FIRST = (-1, 0)
"""Before all doors."""


async def doors_of(connection: Connection, post: Post, after: tuple[int, int], limit: int) -> Doors:
    """The open doors of a post's region behind `after`; `RuleError` and `ForbiddenError` as `Post.require`."""
    post.require()
    rows = await connection.fetch(_BY_RISK, post.alert_id, post.region, *after, limit)
    found = sorted((Door(**row) for row in rows), key=lambda door: (door.risk, door.household_id))
    more = (found[-1].risk, found[-1].household_id) if len(found) == limit else None
    return Doors(found, await left(connection, post), more)


async def doors_in(
    connection: Connection, alert_id: int, region: str, scopes: Sequence[str], after: tuple[str, int], limit: int
) -> list[Door]:
    """The open doors of an alert inside `region` and inside `scopes`, place by place, behind `after` (region,
    household)."""
    rows = await connection.fetch(_BY_PLACE, alert_id, region, *after, limit, list(scopes))
    return sorted((Door(**row) for row in rows), key=lambda door: (door.region, door.household_id))


async def left(connection: Connection, post: Post) -> int:
    """How many doors of the post's region are open."""
    count: int = await connection.fetchval(SQL["doors_left"], post.alert_id, post.region)
    return count


async def visit(
    database: Database, post: Post, household_id: int, result: Result, now: datetime, *, key: str, note: str = ""
) -> bool:
    """Record what was found at a door of a post. False: this visit was recorded before.

    `NotFoundError` when it is no door of the post's region. A cry for help is heard even when the alert is over, from
    whoever is on duty; else `RuleError` and `ForbiddenError` as `Post.require`.
    """
    async with database.transaction() as connection:
        await lock_states(connection)  # whoever closes the run holds this: what is read below stays true
        there = await posts.post(connection, post.alert_id, post.ordinal, now)
        if there is None:
            raise _no_door()
        person_id = there.require_duty()
        seen = _Visit(post.alert_id, household_id, result, post.name(key), note, post.unit_id, person_id)
        return await _record(connection, seen, (post.region,), now) is not None


async def visit_written(
    connection: Connection,
    alert_id: int,
    household_id: int,
    result: Result,
    scopes: Sequence[str],
    now: datetime,
    *,
    key: str,
    written_by: str,
    note: str = "",
) -> Written:
    """The same as `visit` on the word of an account, inside the regions `scopes` and the caller's transaction."""
    await lock_states(connection)
    seen = _Visit(alert_id, household_id, result, desk_key(alert_id, key), note, written_by=written_by)
    return await written(connection, seen.key, await _record(connection, seen, scopes, now))


@dataclass(frozen=True, slots=True)
class Written:
    """A visit's number, and whether it was written down now; not new: it had been before."""

    visit: int
    new: bool


async def written(connection: Connection, key: str, made: int | None) -> Written:
    """`made` is the number of a new visit; None: the one of this key had been there."""
    known = await connection.fetchval(SQL["visit_named"], key) if made is None else made
    return Written(known, new=made is not None)


def desk_key(alert_id: int, key: str) -> str:
    """The name of what an account writes down."""
    return f"{alert_id}-desk-{key}"


@dataclass(frozen=True, slots=True)
class _Visit:
    """Who stood at a door: a unit's person, or whoever told the account `written_by`."""

    alert_id: int
    household_id: int
    result: Result
    key: str
    note: str
    unit_id: int | None = None
    person_id: int | None = None
    written_by: str | None = None


async def _record(connection: Connection, seen: _Visit, scopes: Sequence[str], now: datetime) -> int | None:
    """The new visit's number; None: it had been recorded."""
    door = await connection.fetchrow(SQL["door"], seen.alert_id, seen.household_id, list(scopes), now)
    if door is None:
        raise _no_door()
    if not door["open"] and seen.result is not Result.HELP:
        raise RuleError("这条消息已经结束或已有更新，没有记录。", remedy="请以最新收到的消息为准。")
    who = (seen.unit_id, seen.person_id, seen.written_by)
    note = storable(seen.note.strip(), LONGEST_NOTE)
    values = (*who, seen.key, seen.result.value, note, now, None)
    made: int | None = await connection.fetchval(SQL["visit"], seen.alert_id, seen.household_id, *values)
    if made is None:
        return None
    if seen.result.reached and door["open"]:
        await told(connection, seen.alert_id, seen.household_id, now)
    if seen.result is Result.HELP:
        await raise_help(connection, seen.alert_id, seen.household_id, seen.person_id, note, now)
    log.info("field.door", alert=seen.alert_id, unit=seen.unit_id, result=seen.result.value)
    return made


async def told(connection: Connection, alert_id: int, household_id: int, now: datetime) -> None:
    """Somebody of the household knows now, by a visit."""
    await reach(connection, alert_id, household_id, "door", now)
    await connection.execute(SQL["close_door"], alert_id, household_id, now)


async def raise_help(
    connection: Connection, alert_id: int, household_id: int, person_id: int | None, note: str, now: datetime
) -> None:
    """Help is needed there: the desk is told."""
    text = " ".join(filter(None, ("入户时发现需要帮助", note)))
    raised = await connection.fetchrow(SQL["help_at_door"], alert_id, household_id, person_id, text, now)
    await connection.execute(UNITS["notice_help"], alert_id, None, raised["id"], raised["region"], now)
    log.warning("help.raised", alert=alert_id, household=household_id)


def _no_door() -> NotFoundError:
    return NotFoundError("名单里没有这一户。", remedy="请刷新名单。")
