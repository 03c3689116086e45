"""Visits at doors as they were written down, and putting right what was written down by mistake.

Nothing is erased: a correction is a further visit that takes the place of the wrong one, by the same person. What
follows from visits (households reached, open doors, calls for help) is then as if the wrong one had never been.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from broadcaster.database import Connection, Database
from broadcaster.dispatch.ledger import lock_states
from broadcaster.dispatch.targets import unreach
from broadcaster.errors import ConflictError, NotFoundError, RuleError
from broadcaster.escalation import posts
from broadcaster.escalation.doors import LONGEST_NOTE, Result, Written, desk_key, raise_help, told, written
from broadcaster.escalation.posts import SQL, Post
from broadcaster.responses.inbox import storable
from broadcaster.security import audit
from broadcaster.security.permissions import Actor

log = structlog.get_logger()

MOST_CORRECTIONS = 10
"""Of one person at one door."""

WITHDRAWN = "withdrawn"
"""In place of a result: nobody stood at the door."""

_HELP_WITHDRAWN = "入户人员更正：记错了，没有发现需要帮助"


@dataclass(frozen=True, slots=True)
class Visit:
    """What was written down of a door. `result` is one of `Result`, or `WITHDRAWN`. `own`: by whoever reads it, who
    may put it right; `corrected`: another has taken its place. `visitor` is "" on a visitor's own list."""

    id: int
    household_id: int
    result: str
    note: str
    visited_at: datetime
    name: str
    address: str
    region_name: str
    visitor: str
    own: bool
    corrected: bool


async def visits_of(connection: Connection, post: Post, limit: int) -> list[Visit]:
    """What the person of a post wrote down under its alert and may still put right, the latest first."""
    rows = await connection.fetch(SQL["visits_of"], post.alert_id, post.require(), limit)
    return [Visit(**row) for row in rows]


async def visits_in(
    connection: Connection, alert_id: int, region: str, scopes: Sequence[str], account: str, limit: int
) -> list[Visit]:
    """What was written down of doors inside `region` and inside `scopes`, the latest first; `account` reads it."""
    rows = await connection.fetch(SQL["visits_in"], alert_id, region, list(scopes), account, limit)
    return [Visit(**row) for row in rows]


async def correct(
    database: Database, post: Post, visit_id: int, result: Result | None, now: datetime, *, key: str, note: str = ""
) -> bool:
    """Put right what the person of a post wrote down of a door; `result` None takes it back. False: done before.

    `NotFoundError` for what is not theirs, `ConflictError` where another correction was faster; `RuleError` and
    `ForbiddenError` as `Post.require`.
    """
    async with database.transaction() as connection:
        await lock_states(connection)
        there = await posts.post(connection, post.alert_id, post.ordinal, now)
        if there is None:
            raise _no_visit()
        right = _Correction(post.alert_id, visit_id, result, post.name(key), note, post.unit_id, there.require())
        return await _put_right(connection, right, (post.region,), now, account_id=0) is not None


async def correct_written(
    connection: Connection,
    alert_id: int,
    visit_id: int,
    result: Result | None,
    scopes: Sequence[str],
    now: datetime,
    *,
    key: str,
    account: Actor,
    note: str = "",
) -> Written:
    """The same as `correct` for what that account wrote down."""
    await lock_states(connection)
    right = _Correction(alert_id, visit_id, result, desk_key(alert_id, key), note, written_by=account.name)
    made = await _put_right(connection, right, scopes, now, account_id=account.account_id)
    return await written(connection, right.key, made)


@dataclass(frozen=True, slots=True)
class _Correction:
    """What takes a visit's place, by the same person."""

    alert_id: int
    visit_id: int
    result: Result | None
    key: str
    note: str
    unit_id: int | None = None
    person_id: int | None = None
    written_by: str | None = None


async def _put_right(
    connection: Connection, right: _Correction, scopes: Sequence[str], now: datetime, *, account_id: int
) -> int | None:
    """The number of the visit that takes the other's place, with all that follows from it; None: done before."""
    wrong = await connection.fetchrow(SQL["visit_to_correct"], right.alert_id, right.visit_id)
    who = (right.person_id, right.written_by)
    if wrong is None or (wrong["person_id"], wrong["written_by"]) != who or wrong["result"] == WITHDRAWN:
        raise _no_visit()
    if await connection.fetchval(SQL["visit_named"], right.key) is not None:
        return None
    household_id = wrong["household_id"]
    door = await connection.fetchrow(SQL["door"], right.alert_id, household_id, list(scopes), now)
    if door is None:
        raise _no_visit()
    if not door["open"]:
        raise RuleError("这条消息已经结束或已有更新，没有记录。", remedy="请以最新收到的消息为准。")
    if wrong["corrected"]:
        raise ConflictError("这条记录已经更正过。", remedy="请刷新，以最新的记录为准。")
    if await connection.fetchval(SQL["corrections"], right.alert_id, household_id, *who) >= MOST_CORRECTIONS:
        raise RuleError("这一户更正的次数太多，没有记录。", remedy="请致电值班室。")
    note, result = storable(right.note.strip(), LONGEST_NOTE), right.result.value if right.result else WITHDRAWN
    values = (right.unit_id, *who, right.key, result, note, now, right.visit_id)
    made: int = await connection.fetchval(SQL["visit"], right.alert_id, household_id, *values)
    await _follow(connection, right, Result(wrong["result"]), household_id, note, now)
    detail = {"visit": right.visit_id, "was": wrong["result"], "now": result, "unit": right.unit_id}
    subject = f"household:{household_id}"
    await audit.append(
        connection, account_id, "door.correct", now, alert_id=right.alert_id, subject=subject, detail=detail
    )
    log.info("field.door_corrected", alert=right.alert_id, unit=right.unit_id, was=wrong["result"], now=result)
    return made


async def _follow(
    connection: Connection, right: _Correction, was: Result, household_id: int, note: str, now: datetime
) -> None:
    """Households, doors and calls for help after a correction."""
    is_told = right.result is not None and right.result.reached
    if is_told and not was.reached:
        await told(connection, right.alert_id, household_id, now)
    elif was.reached and not await connection.fetchval(SQL["told_at_door"], right.alert_id, household_id):
        await unreach(connection, right.alert_id, household_id, now)
        await connection.execute(SQL["open_door"], right.alert_id, household_id)
    if right.result is Result.HELP and was is not Result.HELP:
        await raise_help(connection, right.alert_id, household_id, right.person_id, note, now)
    if was is Result.HELP and right.result is not Result.HELP:
        await connection.execute(SQL["help_corrected"], right.alert_id, household_id, _HELP_WITHDRAWN)


def _no_visit() -> NotFoundError:
    return NotFoundError("您没有这条入户记录。", remedy="请刷新页面后重新选择。")
