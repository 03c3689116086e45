"""One step of an alert's life, by somebody: rights, the step and its audit entry in one transaction.

The API and the pages both go through here, so an alert moves by the same rules whoever moves it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from broadcaster import ending
from broadcaster.alerts import authoring
from broadcaster.alerts.actor import Actor as Author
from broadcaster.alerts.alert import Alert
from broadcaster.alerts.lifecycle import ApprovalRules
from broadcaster.alerts.records import AlertRecord
from broadcaster.errors import ConflictError
from broadcaster.security import audit
from broadcaster.security.coverage import coverage
from broadcaster.security.permissions import Action, Actor, require
from broadcaster.web.context import Context
from broadcaster.web.sight import author, covers, seen

Take = Callable[[Author, ApprovalRules, datetime], Awaitable[AlertRecord]]
"""One step of an alert, by somebody, under the office's rules, now."""


async def create(context: Context, actor: Actor, alert: Alert, action: Action) -> AlertRecord:
    """Keep `alert` as a new draft of the actor, who needs the right to `action` over all its regions."""
    now = context.clock.now()
    async with context.database.transaction() as connection:
        regions = await coverage(connection, alert, context.settings.district.code)
        require(actor, action, regions)
        record = await authoring.create(context.database, alert, author(actor, regions), now)
        await audit.append(connection, actor.account_id, action.value, now, alert_id=record.id)
    return record


async def edit(context: Context, actor: Actor, alert_id: int, alert: Alert, *, version: int) -> AlertRecord:
    """Replace all of a draft but its names and what it updates or cancels; the actor's role must cover the area that it
    had and the one that it gets."""
    now, rules = context.clock.now(), context.settings.approval.rules
    async with context.database.transaction() as connection:
        regions = await covers(context, await seen(context, actor, alert_id))
        require(actor, Action.EDIT, regions)
        by = author(actor, regions)
        record = await authoring.edit(context.database, alert_id, alert, by, now, version=version, rules=rules)
        require(actor, Action.EDIT, await covers(context, record))
        detail = {"version": record.version}
        await audit.append(connection, actor.account_id, Action.EDIT.value, now, alert_id=alert_id, detail=detail)
    return record


async def submit(
    context: Context, actor: Actor, alert_id: int, *, version: int | None = None, reason: str = ""
) -> AlertRecord:
    """To review; a `RuleError` names everything that is missing."""

    def take(by: Author, rules: ApprovalRules, now: datetime) -> Awaitable[AlertRecord]:
        return authoring.submit(context.database, alert_id, by, now, version=version, rules=rules)

    return await _step(context, actor, alert_id, Action.SUBMIT, take, reason)


async def recall(
    context: Context, actor: Actor, alert_id: int, *, version: int | None = None, reason: str = ""
) -> AlertRecord:
    """Back out of review."""

    def take(by: Author, rules: ApprovalRules, now: datetime) -> Awaitable[AlertRecord]:
        return authoring.recall(context.database, alert_id, by, now, version=version, rules=rules)

    return await _step(context, actor, alert_id, Action.RECALL, take, reason)


async def approve(context: Context, actor: Actor, alert_id: int, *, version: int) -> AlertRecord:
    """Exactly the version that was seen."""

    def take(by: Author, rules: ApprovalRules, now: datetime) -> Awaitable[AlertRecord]:
        return authoring.approve(context.database, alert_id, by, now, version=version, rules=rules)

    return await _step(context, actor, alert_id, Action.APPROVE, take)


async def reject(
    context: Context, actor: Actor, alert_id: int, *, reason: str, version: int | None = None
) -> AlertRecord:
    """Back to its author, with a reason."""

    def take(by: Author, rules: ApprovalRules, now: datetime) -> Awaitable[AlertRecord]:
        return authoring.reject(context.database, alert_id, by, now, reason=reason, version=version, rules=rules)

    return await _step(context, actor, alert_id, Action.REJECT, take, reason)


async def issue(
    context: Context, actor: Actor, alert_id: int, *, version: int | None = None, reason: str = ""
) -> AlertRecord:
    """Out it goes, in the caller's transaction if there is one: `announce` it once that is committed."""

    async def take(by: Author, _rules: ApprovalRules, _now: datetime) -> AlertRecord:
        record = await context.issue(alert_id, by)
        if version not in (None, record.version - 1):  # found under issue's own locks: all is undone
            raise ConflictError("这条预警已被别人改动。", remedy="请刷新，看过最新内容后再发布。")
        return record

    return await _step(context, actor, alert_id, Action.ISSUE, take, reason)


async def end(context: Context, actor: Actor, alert_id: int, *, reason: str, version: int | None = None) -> AlertRecord:
    """Over, without telling anybody."""

    def take(by: Author, rules: ApprovalRules, now: datetime) -> Awaitable[AlertRecord]:
        return ending.end(context.database, alert_id, by, now, version=version, rules=rules)

    return await _step(context, actor, alert_id, Action.END, take, reason)


async def _step(
    context: Context, actor: Actor, alert_id: int, action: Action, take: Take, reason: str = ""
) -> AlertRecord:
    now = context.clock.now()
    async with context.database.transaction() as connection:
        record = await seen(context, actor, alert_id)
        regions = await covers(context, record)
        require(actor, action, regions)
        record = await take(author(actor, regions), context.settings.approval.rules, now)
        unapproved = action is Action.ISSUE and record.approved_by is None
        detail: dict[str, object] = {"version": record.version, **({"reason": reason} if reason else {})}
        if unapproved:
            detail["approved"] = False
        await audit.append(connection, actor.account_id, action.value, now, alert_id=alert_id, detail=detail)
    return record
