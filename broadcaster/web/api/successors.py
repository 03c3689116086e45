"""What replaces an issued alert: a draft of its Update or Cancel, which then takes the same steps as any other."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec

from broadcaster.alerts import authoring
from broadcaster.alerts.alert import Alert, Info, Kind, MsgType, Reference, ResponseType
from broadcaster.alerts.form import AlertForm
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.state import State
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
    alert = replace(call.body, msg_type=MsgType.UPDATE, references=(_reference(record),))
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
    now = call.context.clock.now().replace(microsecond=0)
    original = record.alert
    alert = replace(
        original,
        identifier=authoring.new_identifier(call.context.settings.district.code, now),
        sender=sender(call.context),
        sent=now,
        msg_type=MsgType.CANCEL,
        kind=Kind.ALL_CLEAR,
        references=(_reference(record),),
        infos=tuple(_called_off(info, call.body, now) for info in original.infos),
    )
    return await draft(call.context, call.actor, alert, Action.CANCEL)


async def _issued(call: Call[Any, Nothing], action: Action) -> AlertRecord:
    """The alert to be replaced; the actor needs the right over all that it covers."""
    record = await seen(call.context, call.actor, call.id)
    require(call.actor, action, await covers(call.context, record))
    if record.state != State.ISSUED:
        raise RuleError(
            f"这条预警现在是“{State(record.state).chinese}”，只能更新或取消已发布的。",
            remedy="未发布的预警请直接修改或退回。",
        )
    return record


def _reference(record: AlertRecord) -> Reference:
    return Reference(record.sender, record.identifier, record.sent_at)


def _called_off(info: Info, words: Cancellation, now: datetime) -> Info:
    chinese = info.language.casefold().startswith("zh")
    made = f"{'解除' if chinese else 'Cancelled: '}{info.headline}"
    return replace(
        info,
        headline=(words.headline if chinese else "") or made,
        description=words.description if chinese else "",
        instruction="",
        response_types=(ResponseType.ALL_CLEAR,),
        effective=now,
        onset=None,
        expires=now + timedelta(hours=words.valid_hours),
        resources=(),
    )
