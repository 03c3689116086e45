"""What moves an alert along: submit, recall, approve, reject, issue, end. Each names the version that was seen."""

from __future__ import annotations

from typing import Annotated

import msgspec

from broadcaster.doorbell import WORK
from broadcaster.errors import NotFoundError, RuleError
from broadcaster.security.permissions import Action
from broadcaster.web import steps
from broadcaster.web.api.alerts import AlertSummary, summary
from broadcaster.web.endpoint import Call, Nothing, Table

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
    return summary(
        await steps.submit(call.context, call.actor, call.id, version=call.body.version, reason=call.body.reason)
    )


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
    return summary(
        await steps.recall(call.context, call.actor, call.id, version=call.body.version, reason=call.body.reason)
    )


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
    return summary(await steps.approve(call.context, call.actor, call.id, version=call.body.version))


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
    return summary(
        await steps.reject(call.context, call.actor, call.id, reason=call.body.reason, version=call.body.version)
    )


@table.endpoint(
    "POST",
    "/api/v1/alerts/{id}/issue",
    "Issue: it goes out now",
    body=Decision,
    answers=AlertSummary,
    action=Action.ISSUE,
    problems=(NotFoundError, RuleError),
    unhurried=True,
)
async def issue_alert(call: Call[Decision, Nothing]) -> AlertSummary:
    """State, policy and run in one transaction; the workers are told once it is committed."""
    record = await steps.issue(call.context, call.actor, call.id, version=call.body.version, reason=call.body.reason)
    call.afterwards.append(lambda: call.context.announce(call.id))
    return summary(record)


@table.endpoint(
    "POST",
    "/api/v1/alerts/{id}/end",
    "End an issued alert now, without telling anybody",
    body=Reasoned,
    answers=AlertSummary,
    action=Action.END,
    problems=(NotFoundError, RuleError),
    unhurried=True,
)
async def end_alert(call: Call[Reasoned, Nothing]) -> AlertSummary:
    """Nothing more is sent and nobody is asked any more. Whoever got it is not told: for that, cancel it."""
    record = await steps.end(call.context, call.actor, call.id, reason=call.body.reason, version=call.body.version)
    call.afterwards.append(lambda: call.context.bell.ring(WORK))
    return summary(record)
