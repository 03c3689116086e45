"""How long an alert will take, told before it is issued."""

from __future__ import annotations

from typing import Literal

import msgspec

from broadcaster.capacity.planner import Outlook
from broadcaster.catalogue import CHINESE, catalogue
from broadcaster.errors import NotFoundError, RuleError
from broadcaster.security.permissions import Action
from broadcaster.web.endpoint import Call, Nothing, Table
from broadcaster.web.sight import seen

table = Table("plan")


class PlanQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`lang`: the language of the findings."""

    lang: Literal["zh", "en"] = CHINESE


@table.endpoint(
    "GET",
    "/api/v1/alerts/{id}/plan",
    "How long each channel will take with the configured gateways, and what the limit is",
    query=PlanQuery,
    answers=Outlook,
    action=Action.SEE,
    problems=(NotFoundError, RuleError),
)
async def read_plan(call: Call[Nothing, PlanQuery]) -> Outlook:
    """Of a draft: if it were issued now. Of an issued alert: as it was to be. Counted, nobody is listed."""
    await seen(call.context, call.actor, call.id)
    return await call.context.forecast(call.id, catalogue("broadcaster.capacity", call.query.lang).gettext)
