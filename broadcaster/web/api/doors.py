"""Doors to knock on, and what was found there, for machines and for people with an account."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

import msgspec

from broadcaster.errors import ConflictError, InputError, NotFoundError, RuleError
from broadcaster.escalation import corrections, doors
from broadcaster.escalation.doors import Result
from broadcaster.security import audit
from broadcaster.security.permissions import Action, require_somewhere
from broadcaster.web.endpoint import Call, Nothing, Table
from broadcaster.web.sight import household_scopes, seen

table = Table("doors")
_CURSOR = re.compile(r"(\d{1,15})-(\d{1,18})")


class OpenDoor(msgspec.Struct, frozen=True, kw_only=True):
    """A household that somebody must knock on. `risk` 0 is the most vulnerable; `visits`: how often in vain so far."""

    household_id: int
    risk: int
    region: str
    region_name: str
    name: str
    address: str
    tags: list[str]
    size: int
    phones: list[str]
    visits: int
    visited_at: datetime | None


class DoorPage(msgspec.Struct, frozen=True):
    """One page, place by place; `next` is the `after` of the page behind it, null at the end."""

    doors: list[OpenDoor]
    next: str | None


class DoorQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`region` is a code prefix."""

    region: Annotated[str, msgspec.Meta(pattern=r"^\d{0,15}$")] = ""
    after: Annotated[str, msgspec.Meta(max_length=40)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200


class DoorVisit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`result`: done and refused (told, will not go) count as reached, nobody leaves it open, help tells the desk.

    `id` is the caller's own id of the visit, visible ASCII characters: the same one again changes nothing.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,128}$")]
    result: Result
    note: Annotated[str, msgspec.Meta(max_length=200)] = ""


class DoorCorrection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`result` takes the place of what the caller recorded; null takes it back: nobody stood at the door. `id` as of a
    visit."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,128}$")]
    result: Result | None
    note: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Recorded(msgspec.Struct, frozen=True):
    """Whether it was recorded now; false: it had been before. `visit`: its number, by which it is put right."""

    recorded: bool
    visit: int


@table.endpoint(
    "GET",
    "/api/v1/alerts/{id}/doors",
    "Doors that are still to be knocked on",
    query=DoorQuery,
    answers=DoorPage,
    action=Action.SEE_HOUSEHOLDS,
    problems=(NotFoundError,),
)
async def list_doors(call: Call[Nothing, DoorQuery]) -> DoorPage:
    """Only in regions whose households the caller may see."""
    query = call.query
    match = _CURSOR.fullmatch(query.after)
    if query.after and match is None:
        raise InputError("after 不是上一页给出的值。", remedy="请原样使用 next 的值。")
    after = (match[1], int(match[2])) if match else ("", 0)
    scopes = await household_scopes(call.context, call.actor, call.id)
    async with call.context.database.connection() as connection:
        found = await doors.doors_in(connection, call.id, query.region, scopes, after, query.limit)
    shown = msgspec.convert(found, list[OpenDoor], from_attributes=True)
    return DoorPage(shown, f"{shown[-1].region}-{shown[-1].household_id}" if len(shown) == query.limit else None)


@table.endpoint(
    "POST",
    "/api/v1/alerts/{id}/doors/{household}",
    "Record what was found at a door",
    body=DoorVisit,
    answers=Recorded,
    action=Action.CONFIRM,
    problems=(NotFoundError, RuleError),
)
async def record_visit(call: Call[DoorVisit, Nothing]) -> Recorded:
    """Needs the right to confirm in the household's region; elsewhere the door does not exist."""
    context, household, visit = call.context, call.number("household"), call.body
    await seen(context, call.actor, call.id)
    scopes, now = require_somewhere(call.actor, Action.CONFIRM), context.clock.now()
    key = f"{call.actor.account_id}-{visit.id}"
    async with context.database.transaction() as connection:
        written = await doors.visit_written(
            connection,
            call.id,
            household,
            visit.result,
            scopes,
            now,
            key=key,
            written_by=call.actor.name,
            note=visit.note,
        )
        if written.new:
            await audit.append(
                connection,
                call.actor.account_id,
                "door.visit",
                now,
                alert_id=call.id,
                subject=f"household:{household}",
                detail={"result": visit.result.value},
            )
    return Recorded(written.new, written.visit)


@table.endpoint(
    "POST",
    "/api/v1/alerts/{id}/visits/{visit}",
    "Put right, or take back, what was recorded of a door",
    body=DoorCorrection,
    answers=Recorded,
    action=Action.CONFIRM,
    problems=(NotFoundError, ConflictError, RuleError),
)
async def correct_visit(call: Call[DoorCorrection, Nothing]) -> Recorded:
    """Only what the caller's own account recorded; once for each visit."""
    await seen(call.context, call.actor, call.id)
    scopes, right = require_somewhere(call.actor, Action.CONFIRM), call.body
    async with call.context.database.transaction() as connection:
        written = await corrections.correct_written(
            connection,
            call.id,
            call.number("visit"),
            right.result,
            scopes,
            call.context.clock.now(),
            key=f"{call.actor.account_id}-{right.id}",
            account=call.actor,
            note=right.note,
        )
    return Recorded(written.new, written.visit)
