"""Replies that another machine collected for us: a provincial SMS platform, a call centre."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from broadcaster.doorbell import WORK
from broadcaster.ports import Medium, Reply
from broadcaster.responses import inbox
from broadcaster.security.permissions import Action, require
from broadcaster.web.endpoint import Call, Nothing, Table

table = Table("replies")


class ReplyItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person sent back. `id` is the sender's own id of it: the same one again changes nothing."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    address: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    text: Annotated[str, msgspec.Meta(max_length=2000)]
    at: Annotated[datetime, msgspec.Meta(tz=True)]


class ReplyBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 1,000 replies that came by one channel, all of them in a drill or none."""

    channel: Medium
    rehearsal: Annotated[
        bool,
        msgspec.Meta(
            description="true: given in a drill, they settle Exercise and Test alerts only; false: Actual ones only."
        ),
    ]
    replies: Annotated[list[ReplyItem], msgspec.Meta(min_length=1, max_length=1000)]


class Stored(msgspec.Struct, frozen=True):
    """How many are stored; what they mean is found out after the answer."""

    stored: int


@table.endpoint(
    "POST",
    "/api/v1/replies",
    "Hand in replies",
    body=ReplyBatch,
    answers=Stored,
    status=202,
    action=Action.CONFIRM,
)
async def hand_in_replies(call: Call[ReplyBatch, Nothing]) -> Stored:
    """Stored before it is answered; needs the right to confirm in the whole district."""
    context = call.context
    require(call.actor, Action.CONFIRM, [context.settings.district.code])
    body = call.body
    replies = [Reply(item.id, item.address, item.text, item.at) for item in body.replies]
    gateway = f"api:{call.actor.account_id}"
    await inbox.keep(context.database, gateway, body.channel, replies, context.clock.now(), rehearsal=body.rehearsal)
    call.afterwards.append(lambda: context.bell.ring(WORK))
    return Stored(len(replies))
