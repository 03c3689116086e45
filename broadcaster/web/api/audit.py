"""Who did what to an alert."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from broadcaster.errors import NotFoundError
from broadcaster.security import audit
from broadcaster.security.permissions import Action, require
from broadcaster.web.endpoint import Call, Nothing, Table
from broadcaster.web.sight import covers, seen

table = Table("audit")


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done; account 0 is the system itself."""

    seq: int
    at: datetime
    account_id: int
    action: str
    subject: str
    detail: msgspec.Raw


class AuditPage(msgspec.Struct, frozen=True):
    """One page, oldest first; `next` is the `after` of the page behind it, null at the end."""

    entries: list[AuditEntry]
    next: int | None


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`after`: the last number seen."""

    after: Annotated[int, msgspec.Meta(ge=0, lt=2**62)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200


@table.endpoint(
    "GET",
    "/api/v1/alerts/{id}/audit",
    "Who did what to the alert",
    query=AuditQuery,
    answers=AuditPage,
    action=Action.READ_AUDIT,
    problems=(NotFoundError,),
)
async def read_audit(call: Call[Nothing, AuditQuery]) -> AuditPage:
    """The entries of the audit trail about this alert."""
    record = await seen(call.context, call.actor, call.id)
    require(call.actor, Action.READ_AUDIT, await covers(call.context, record))
    async with call.context.database.connection() as connection:
        found = await audit.of_alert(connection, call.id, after=call.query.after, limit=call.query.limit)
    entries = [
        AuditEntry(
            seq=entry.seq,
            at=entry.at,
            account_id=entry.account_id,
            action=entry.action,
            subject=entry.subject,
            detail=msgspec.Raw(entry.detail.encode()),
        )
        for entry in found
    ]
    return AuditPage(entries, entries[-1].seq if len(entries) == call.query.limit else None)
