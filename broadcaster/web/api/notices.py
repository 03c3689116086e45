"""Notices: what the duty desk has to do by hand, because nobody else has answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from broadcaster.errors import NotFoundError
from broadcaster.security.permissions import Action, require_somewhere
from broadcaster.web.context import Context
from broadcaster.web.endpoint import Call, Nothing, Table
from broadcaster.web.sight import household_scopes
from broadcaster.web.sql import SQL

table = Table("notices")


class NoticeKind(StrEnum):
    """call: ring up a silent unit; holderless: nobody who can be reached holds its duty; exhausted: its policy is used
    up; help: somebody needs help.
    """

    CALL = "call"
    HOLDERLESS = "holderless"
    EXHAUSTED = "exhausted"
    HELP = "help"


ABOUT_UNITS = (NoticeKind.CALL, NoticeKind.HOLDERLESS, NoticeKind.EXHAUSTED)


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """`holders`: who holds the unit's duty now, each with name and numbers. `rehearsal`: it is only a drill.

    `alert_id` is null, and `region` may be "", where a call for help does not say under which alert or from where.
    """

    id: int
    kind: NoticeKind
    created_at: datetime
    alert_id: int | None
    headline: str
    rehearsal: bool
    region: str
    region_name: str
    unit_id: int | None
    role: str
    holders: list[str]
    help_request_id: int | None
    text: str


class NoticePage(msgspec.Struct, frozen=True):
    """One page of open notices, oldest first; `next` is the `after` of the page behind it, null at the end."""

    notices: list[Notice]
    next: int | None


class NoticeQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`after`: the last notice seen."""

    kind: NoticeKind | None = None
    after: Annotated[int, msgspec.Meta(ge=0, lt=2**62)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200


@table.endpoint(
    "GET",
    "/api/v1/notices",
    "What the duty desk has to do, for all alerts",
    query=NoticeQuery,
    answers=NoticePage,
    action=Action.SEE_HOUSEHOLDS,
)
async def list_notices(call: Call[Nothing, NoticeQuery]) -> NoticePage:
    """In regions whose people the caller may see; a call for help from nobody knows where is shown to everybody."""
    return await _page(call, None, require_somewhere(call.actor, Action.SEE_HOUSEHOLDS))


@table.endpoint(
    "GET",
    "/api/v1/alerts/{id}/notices",
    "What the duty desk has to do for one alert",
    query=NoticeQuery,
    answers=NoticePage,
    action=Action.SEE_HOUSEHOLDS,
    problems=(NotFoundError,),
)
async def list_alert_notices(call: Call[Nothing, NoticeQuery]) -> NoticePage:
    """None of an alert that is over, but calls for help that nobody has closed."""
    return await _page(call, call.id, await household_scopes(call.context, call.actor, call.id))


async def notices(
    context: Context,
    alert_id: int | None,
    scopes: Sequence[str],
    kinds: Sequence[NoticeKind],
    *,
    after: int = 0,
    limit: int = 200,
) -> list[Notice]:
    """Open notices of these kinds inside `scopes`, behind the notice `after`, oldest first. No alert: those of all."""
    asked = [kind.value for kind in kinds]
    async with context.database.connection() as connection:
        rows = await connection.fetch(SQL["notices"], alert_id, list(scopes), asked, after, limit, context.clock.now())
    return msgspec.convert([dict(row) for row in rows], list[Notice])


async def _page(call: Call[Nothing, NoticeQuery], alert_id: int | None, scopes: Sequence[str]) -> NoticePage:
    query = call.query
    kinds = (query.kind,) if query.kind else tuple(NoticeKind)
    found = await notices(call.context, alert_id, scopes, kinds, after=query.after, limit=query.limit)
    return NoticePage(found, found[-1].id if len(found) == query.limit else None)
