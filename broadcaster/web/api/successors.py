"""What replaces an issued alert: a draft of its Update or Cancel, which then takes the same steps as any other."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import msgspec

from broadcaster.alerts import authoring
from broadcaster.alerts.alert import Alert, MsgType
from broadcaster.alerts.form import AlertForm
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.succession import CallingOff, Words, called_off, reference, require_issued
from broadcaster.errors import ConflictError, NotFoundError, RuleError
from broadcaster.security.permissions import Action, require
from broadcaster.web.api.alerts import AlertReference, draft, read_form, sender
from broadcaster.web.endpoint import JSON, Call, Created, Nothing, Table
from broadcaster.web.sight import covers, seen

table = Table("successors")


class Cancellation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the recipients are told; `headline` "" makes one of the cancelled alert's."""

    headline: Annotated[str, msgspec.Meta(max_length=200)] = ""
    description: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    valid_hours: Annotated[float, msgspec.Meta(gt=0, le=720)] = 24.0


@table.endpoint(
    "POST",
    "/api/v1/alerts/{id}/update",
    "Draft an Update of an issued alert",
    body=Alert,
    form=AlertForm,
    reads={JSON: read_form},
    answers=AlertReference,
    status=201,
    action=Action.UPDATE,
    problems=(NotFoundError, RuleError, ConflictError),
)
async def update_alert(call: Call[Alert, Nothing]) -> Created:
    """It refers to the alert; once issued, it goes to everyone that one reached and to its own area."""
    record = await _issued(call, Action.UPDATE)
    alert = replace(call.body, msg_type=MsgType.UPDATE, references=(reference(record),))
    return await draft(call.context, call.actor, alert, Action.UPDATE)


@table.endpoint(
    "POST",
    "/api/v1/alerts/{id}/cancel",
    "Draft a Cancel of an issued alert",
    body=Cancellation,
    answers=AlertReference,
    status=201,
    action=Action.CANCEL,
    problems=(NotFoundError, RuleError, ConflictError),
)
async def cancel_alert(call: Call[Cancellation, Nothing]) -> Created:
    """It calls the alert off for everyone it reached."""
    record = await _issued(call, Action.CANCEL)
    now = call.context.clock.now()
    alert = called_off(
        record,
        CallingOff(Words(call.body.headline, call.body.description), hours=call.body.valid_hours),
        identifier=authoring.new_identifier(call.context.settings.district.code, now),
        sender=sender(call.context),
        now=now,
    )
    return await draft(call.context, call.actor, alert, Action.CANCEL)


async def _issued(call: Call[Any, Nothing], action: Action) -> AlertRecord:
    """The alert to be replaced; the actor needs the right over all that it covers."""
    record = await seen(call.context, call.actor, call.id)
    require(call.actor, action, await covers(call.context, record))
    require_issued(record)
    return record
