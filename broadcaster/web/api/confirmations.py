"""Confirmations that the duty desk heard by telephone."""

from __future__ import annotations

from typing import Annotated

import msgspec

from broadcaster.errors import ConflictError, NotFoundError, RuleError
from broadcaster.escalation import desk
from broadcaster.security import audit
from broadcaster.security.permissions import Action, Actor, require
from broadcaster.web.api.units import Unit, UnitQuery, units
from broadcaster.web.context import Context
from broadcaster.web.endpoint import Call, Nothing, Table
from broadcaster.web.sight import seen

table = Table("units")


class PhoneConfirmation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`moved`: people moved to safety, as reported. `note` goes into the audit trail: no names, no phone numbers."""

    moved: Annotated[int, msgspec.Meta(ge=0, le=999_999)] | None = None
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""


@table.endpoint(
    "POST",
    "/api/v1/alerts/{id}/units/{unit}/confirm",
    "Record that a unit confirmed by telephone",
    body=PhoneConfirmation,
    answers=Unit,
    action=Action.CONFIRM,
    problems=(NotFoundError, RuleError, ConflictError),
)
async def confirm_unit(call: Call[PhoneConfirmation, Nothing]) -> Unit:
    """Settled as by a reply, with `via` desk; needs the right to confirm in the unit's region."""
    unit_id = call.number("unit")
    await record(call.context, call.actor, call.id, unit_id, call.body)
    async with call.context.database.connection() as connection:
        [unit] = await units(connection, call.id, ("",), UnitQuery(), unit_id)
    return unit


async def record(context: Context, actor: Actor, alert_id: int, unit_id: int, said: PhoneConfirmation) -> None:
    """Settle the unit and write it into the audit trail, in one transaction; see `desk.confirm_unit` for errors."""
    now = context.clock.now()
    await seen(context, actor, alert_id)
    detail: dict[str, object] = {"moved": said.moved} if said.moved is not None else {}
    if said.note:
        detail["note"] = said.note
    async with context.database.transaction() as connection:
        require(actor, Action.CONFIRM, [await desk.unit_region(connection, alert_id, unit_id)])
        await desk.confirm_unit(connection, alert_id, unit_id, now, written_by=actor.name, moved=said.moved)
        await audit.append(
            connection,
            actor.account_id,
            Action.CONFIRM.value,
            now,
            alert_id=alert_id,
            subject=f"unit:{unit_id}",
            detail=detail,
        )
