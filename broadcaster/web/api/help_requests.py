"""Calls for help: who cried, where to call back, and that somebody has seen to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from broadcaster.errors import ConflictError, NotFoundError
from broadcaster.escalation import desk
from broadcaster.security import audit
from broadcaster.security.permissions import Action, Actor, require_somewhere
from broadcaster.web.context import Context
from broadcaster.web.endpoint import Call, Nothing, Table
from broadcaster.web.sql import SQL

table = Table("help")


class HelpState(StrEnum):
    """Whether somebody has seen to it."""

    OPEN = "open"
    DONE = "done"


class HelpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`text` as last written, `times` how often; `call_back` a phone number or another address of whoever asks.

    `alert_id` is null, and `region` "", where nobody knows under which alert or from where. `rehearsal`: only a drill.
    """

    id: int
    alert_id: int | None
    rehearsal: bool
    state: HelpState
    created_at: datetime
    repeated_at: datetime | None
    times: int
    closed_at: datetime | None
    text: str
    region: str
    unit_id: int | None
    household_id: int | None
    name: str
    address: str
    call_back: str


class HelpPage(msgspec.Struct, frozen=True):
    """One page, oldest first; `next` is the `after` of the page behind it, null at the end."""

    help_requests: list[HelpRequest]
    next: int | None


class HelpQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`after`: the last request seen."""

    state: HelpState = HelpState.OPEN
    after: Annotated[int, msgspec.Meta(ge=0, lt=2**62)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200


class HelpClosing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`note`: what was done; it goes into the audit trail: no names, no phone numbers."""

    note: Annotated[str, msgspec.Meta(max_length=500)] = ""


@table.endpoint(
    "GET",
    "/api/v1/help",
    "Calls for help, of all alerts and of none",
    query=HelpQuery,
    answers=HelpPage,
    action=Action.SEE_HOUSEHOLDS,
)
async def list_help(call: Call[Nothing, HelpQuery]) -> HelpPage:
    """From regions whose people the caller may see, and those from nobody knows where."""
    scopes, query = require_somewhere(call.actor, Action.SEE_HOUSEHOLDS), call.query
    found = await help_requests(call.context, None, scopes, state=query.state, after=query.after, limit=query.limit)
    return HelpPage(found, found[-1].id if len(found) == query.limit else None)


@table.endpoint(
    "POST",
    "/api/v1/help/{id}/close",
    "Say that a call for help is seen to",
    body=HelpClosing,
    answers=HelpRequest,
    action=Action.CLOSE_HELP,
    problems=(NotFoundError, ConflictError),
)
async def close_help(call: Call[HelpClosing, Nothing]) -> HelpRequest:
    """One whose region nobody knows may be closed by everybody who may close any; a new cry opens a new one."""
    await close(call.context, call.actor, call.id, call.body.note)
    scopes = require_somewhere(call.actor, Action.CLOSE_HELP)
    [closed] = await help_requests(call.context, None, scopes, help_id=call.id)
    return closed


async def close(context: Context, actor: Actor, help_id: int, note: str = "") -> int | None:
    """Close it and write that into the audit trail, in one transaction; the alert under which it came, if any.

    `NotFoundError` where the actor may not close it, `ConflictError` when it was closed before.
    """
    now, scopes = context.clock.now(), require_somewhere(actor, Action.CLOSE_HELP)
    async with context.database.transaction() as connection:
        alert_id = await desk.help_alert(connection, help_id, scopes)
        await desk.close_help(connection, help_id, now, closed_by=actor.name)
        await audit.append(
            connection,
            actor.account_id,
            Action.CLOSE_HELP.value,
            now,
            alert_id=alert_id,
            subject=f"help:{help_id}",
            detail={"note": note} if note else {},
        )
    return alert_id


async def help_requests(
    context: Context,
    alert_id: int | None,
    scopes: Sequence[str],
    *,
    state: HelpState | None = None,
    after: int = 0,
    limit: int = 200,
    help_id: int | None = None,
) -> list[HelpRequest]:
    """Calls for help inside `scopes`, open ones first. No alert: those of all and of none; no state: open and done."""
    async with context.database.connection() as connection:
        rows = await connection.fetch(
            SQL["helps"], alert_id, list(scopes), state.value if state else None, after, limit, help_id
        )
    return msgspec.convert([dict(row) for row in rows], list[HelpRequest])
