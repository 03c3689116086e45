"""What moves an alert along: submit, recall, approve, reject, issue, end. Each names the version that was seen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import msgspec

from broadcaster import ending
from broadcaster.alerts import authoring
from broadcaster.alerts.actor import Actor as Author
from broadcaster.alerts.lifecycle import ApprovalRules
from broadcaster.alerts.records import AlertRecord
from broadcaster.doorbell import WORK
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


class Reasoned(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why it goes back to its author, or ends; the reason goes into the audit trail."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    version: Version | None = None


Take = Callable[[Author, ApprovalRules, datetime], Awaitable[AlertRecord]]
"""One step of an alert, by somebody, under the office's rules, now."""


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

    def submit(by: Author, rules: ApprovalRules, now: datetime) -> Awaitable[AlertRecord]:
        return authoring.submit(call.context.database, call.id, by, now, version=call.body.version, rules=rules)

    return await _step(call, Action.SUBMIT, submit, call.body.reason)


@table.endpoint(
    "POST",
    "/api/v1/alerts/{id}/recall",
    "Take a draft back out of review",
    body=Decision,
    answers=AlertSummary,
    action=Action.RECALL,
    problems=(NotFoundError, RuleError),
)
async def recall_alert(call: Call[Decision, Nothing]) -> AlertSummary:
    """It is a draft again, to be corrected."""

    def recall(by: Author, rules: ApprovalRules, now: datetime) -> Awaitable[AlertRecord]:
        return authoring.recall(call.context.database, call.id, by, now, version=call.body.version, rules=rules)

    return await _step(call, Action.RECALL, recall, call.body.reason)


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

    def approve(by: Author, rules: ApprovalRules, now: datetime) -> Awaitable[AlertRecord]:
        return authoring.approve(call.context.database, call.id, by, now, version=call.body.version, rules=rules)

    return await _step(call, Action.APPROVE, approve)


@table.endpoint(
    "POST",
    "/api/v1/alerts/{id}/reject",
    "Send back to the author",
    body=Reasoned,
    answers=AlertSummary,
    action=Action.REJECT,
    problems=(NotFoundError, RuleError),
)
async def reject_alert(call: Call[Reasoned, Nothing]) -> AlertSummary:
    """With a reason, which its author sees."""
    database, body = call.context.database, call.body

    def reject(by: Author, rules: ApprovalRules, now: datetime) -> Awaitable[AlertRecord]:
        return authoring.reject(database, call.id, by, now, reason=body.reason, version=body.version, rules=rules)

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

    async def issue(by: Author, _rules: ApprovalRules, _now: datetime) -> AlertRecord:
        record = await call.context.issue(call.id, by)
        if call.body.version not in (None, record.version - 1):  # found under issue's own locks: all is undone
            raise ConflictError("这条预警已被别人改动。", remedy="请刷新，看过最新内容后再发布。")
        return record

    answer = await _step(call, Action.ISSUE, issue, call.body.reason)
    call.afterwards.append(lambda: call.context.announce(call.id))
    return answer


@table.endpoint(
    "POST",
    "/api/v1/alerts/{id}/end",
    "End an issued alert now, without telling anybody",
    body=Reasoned,
    answers=AlertSummary,
    action=Action.END,
    problems=(NotFoundError, RuleError),
)
async def end_alert(call: Call[Reasoned, Nothing]) -> AlertSummary:
    """Nothing more is sent and nobody is asked any more. Whoever got it is not told: for that, cancel it."""

    def end(by: Author, rules: ApprovalRules, now: datetime) -> Awaitable[AlertRecord]:
        return ending.end(call.context.database, call.id, by, now, version=call.body.version, rules=rules)

    answer = await _step(call, Action.END, end, call.body.reason)
    call.afterwards.append(lambda: call.context.bell.ring(WORK))
    return answer


async def _step(call: Call[Any, Nothing], action: Action, take: Take, reason: str = "") -> AlertSummary:
    """The step, its rights and its audit entry in one transaction."""
    context, now = call.context, call.context.clock.now()
    async with context.database.transaction() as connection:
        record = await seen(context, call.actor, call.id)
        regions = await covers(context, record)
        require(call.actor, action, regions)
        record = await take(author(call.actor, regions), context.settings.approval.rules, now)
        detail: dict[str, object] = {"version": record.version, **({"reason": reason} if reason else {})}
        await audit.append(connection, call.actor.account_id, action.value, now, alert_id=call.id, detail=detail)
    return summary(record)
