"""Doors: the open door tasks of a unit's region, and what became of knocking on them.

Whoever opened has been reached, whether they go or refuse; where nobody was home the task stays. Several people may
mark the same door at once: every visit is kept, the door is counted once.
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
from broadcaster.errors import NotFoundError
from broadcaster.escalation import posts
from broadcaster.escalation.posts import SQL, Post
from broadcaster.escalation.units import SQL as UNITS

log = structlog.get_logger()


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
    """One page of them, the most at risk first; `left` counts all that are open; `next`: behind which the next page
    begins, None at the end."""

    doors: list[Door]
    left: int
    next: tuple[int, int] | None


FIRST = (-1, 0)
"""Before all doors."""


async def doors(connection: Connection, post: Post, after: tuple[int, int], limit: int) -> Doors:
    """The open doors of the post's region behind `after` (risk, household)."""
    post.require()
    found = [Door(**row) for row in await connection.fetch(SQL["doors"], post.alert_id, post.region, *after, limit)]
    left: int = await connection.fetchval(SQL["doors_left"], post.alert_id, post.region)
    more = (found[-1].risk, found[-1].household_id) if len(found) == limit else None
    return Doors(found, left, more)


async def left(connection: Connection, post: Post) -> int:
    """How many doors of the post's region are open."""
    count: int = await connection.fetchval(SQL["doors_left"], post.alert_id, post.region)
    return count


async def visit(database: Database, post: Post, household_id: int, result: Result, now: datetime, *, key: str) -> bool:
    """Record what was found at a door. False: this visit was recorded before.

    `NotFoundError` when it is no door of the post's region. A cry for help is heard even when the alert is over, from
    whoever is on duty; else `RuleError` and `ForbiddenError` as `Post.require`.
    """
    async with database.transaction() as connection:
        await lock_states(connection)  # whoever closes the run holds this: what is read below stays true
        now_there = await posts.post(connection, post.alert_id, post.ordinal, now)
        if (
            now_there is None
            or await connection.fetchval(SQL["door"], post.alert_id, household_id, post.region) is None
        ):
            raise NotFoundError("名单里没有这一户。", remedy="请刷新名单。")
        person_id = now_there.require_duty() if result is Result.HELP else now_there.require()
        values = (post.unit_id, person_id, post.name(key), result.value, now)
        if await connection.fetchval(SQL["visit"], post.alert_id, household_id, *values) is None:
            return False
        if result.reached and now_there.open:
            await reach(connection, post.alert_id, household_id, "door", now)
            await connection.execute(SQL["close_door"], post.alert_id, household_id, now)
        if result is Result.HELP:
            await _raise_help(connection, post, household_id, person_id, now)
    log.info("field.door", alert=post.alert_id, unit=post.unit_id, result=result.value)
    return True


async def _raise_help(connection: Connection, post: Post, household_id: int, person_id: int, now: datetime) -> None:
    raised = await connection.fetchrow(
        UNITS["raise_help"], post.alert_id, None, household_id, person_id, None, "", "入户时发现需要帮助", now
    )
    await connection.execute(UNITS["notice_help"], raised["alert_id"], None, raised["id"], raised["region"], now)
