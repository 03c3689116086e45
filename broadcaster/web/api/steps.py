"""What moves an alert along: submit, approve, reject, issue. Each names the version that was seen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec

from broadcaster.alerts import authoring
from broadcaster.alerts.actor import Actor as Author
from broadcaster.alerts.lifecycle import ApprovalRules
from broadcaster.alerts.records import AlertRecord
from broadcaster.errors import ConflictError, NotFoundError, RuleError
from broadcaster.security import audit
from broadcaster.security.permissions import Action, require
from broadcaster.web.api.alerts import AlertSummary, summary
from broadcaster.web.endpoint import Call, Nothing, Table
from broadcaster.web.sight import author, covers, seen

table = Table("steps")

Version = Annotated[int, msgspec.Meta(ge=1, lt=2**31)]


class Decision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`version`: the one that was seen; given, another one is a conflict. `reason` goes into the audit trail."""

    version: Version | None = None
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Approval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An approval is of exactly the version that was seen."""

    version: Version


class Rejection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why it goes back to its author."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    version: Version | None = None


Take = Callable[[Author, ApprovalRules], Awaitable[AlertRecord]]


@table.endpoint(
    "POST",
    "/api/v1/alerts/{id}/submit",
    "Send a draft to review",
    body=Decision,
    answers=AlertSummary,
    action=Action.SUBMIT,
    problems=(NotFoundError, RuleError),
)
async def submit_alert(call: Call[Decision, Nothing]) -> AlertSummary:
    """A `RuleError` names everything that is missing."""
    context, body, now = call.context, call.body, call.context.clock.now()

    async def submit(by: Author, rules: ApprovalRules) -> AlertRecord:
        return await authoring.submit(context.database, call.id, by, now, version=body.version, rules=rules)

    return await _step(call, Action.SUBMIT, submit, body.reason)


@table.endpoint(
    "POST",
    "/api/v1/alerts/{id}/approve",
    "Approve exactly the version that was seen",
    body=Approval,
    answers=AlertSummary,
    action=Action.APPROVE,
    problems=(NotFoundError, RuleError),
)
async def approve_alert(call: Call[Approval, Nothing]) -> AlertSummary:
    """Four eyes: not by its author, unless the office allows it."""
    context, body, now = call.context, call.body, call.context.clock.now()

    async def approve(by: Author, rules: ApprovalRules) -> AlertRecord:
        return await authoring.approve(context.database, call.id, by, now, version=body.version, rules=rules)

    return await _step(call, Action.APPROVE, approve)


@table.endpoint(
    "POST",
    "/api/v1/alerts/{id}/reject",
    "Send back to the author",
    body=Rejection,
    answers=AlertSummary,
    action=Action.REJECT,
    problems=(NotFoundError, RuleError),
)
async def reject_alert(call: Call[Rejection, Nothing]) -> AlertSummary:
    """With a reason, which its author sees."""
    context, body, now = call.context, call.body, call.context.clock.now()

    async def reject(by: Author, rules: ApprovalRules) -> AlertRecord:
        return await authoring.reject(
            context.database, call.id, by, now, reason=body.reason, version=body.version, rules=rules
        )

    return await _step(call, Action.REJECT, reject, body.reason)


@table.endpoint(
    "POST",
    "/api/v1/alerts/{id}/issue",
    "Issue: it goes out now",
    body=Decision,
    answers=AlertSummary,
    action=Action.ISSUE,
    problems=(NotFoundError, RuleError),
)
async def issue_alert(call: Call[Decision, Nothing]) -> AlertSummary:
    """State, policy and run in one transaction; the workers are told once it is committed."""
    context, body = call.context, call.body

    async def issue(by: Author, _rules: ApprovalRules) -> AlertRecord:
        record = await context.issue(call.id, by)
        if body.version not in (None, record.version - 1):  # found afterwards, under issue's own locks: all is undone
            raise ConflictError("这条预警已被别人改动。", remedy="请刷新，看过最新内容后再发布。")
        return record

    answer = await _step(call, Action.ISSUE, issue, body.reason)
    call.afterwards.append(lambda: context.announce(call.id))
    return answer


async def _step(call: Call[Any, Nothing], action: Action, take: Take, reason: str = "") -> AlertSummary:
    context = call.context
    async with context.database.transaction() as connection:
        record = await seen(context, call.actor, call.id)
        regions = await covers(context, record)
        require(call.actor, action, regions)
        record = await take(author(call.actor, regions), context.settings.approval.rules)
        detail: dict[str, object] = {"version": record.version, **({"reason": reason} if reason else {})}
        await audit.append(
            connection, call.actor.account_id, action.value, context.clock.now(), alert_id=call.id, detail=detail
        )
    return summary(record)
