"""What people and machines do to an alert before and after it goes out: create, edit, submit, approve, issue, end.

Every change locks the record, asks `lifecycle` whether it may happen, and writes the new state with a higher version.
`issue` and `end` run inside the caller's transaction, because opening and closing a run is one step with them.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q

from broadcaster.alerts import lifecycle
from broadcaster.alerts.actor import Actor
from broadcaster.alerts.alert import Alert, MsgType, Reference
from broadcaster.alerts.document import to_document
from broadcaster.alerts.lifecycle import Action, ApprovalRules
from broadcaster.alerts.policy import Policy
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.reply_codes import next_code
from broadcaster.alerts.state import State
from broadcaster.clock import BEIJING
from broadcaster.database import Connection, Database
from broadcaster.errors import ConflictError, NotFoundError

_CODES_LOCK = 0x0DA0_0A1E
"""Advisory lock: reply codes are given out by one transaction at a time."""

_DEFAULT_RULES = ApprovalRules()


def new_identifier(district: str, now: datetime) -> str:
    """An identifier for a new alert: the district's code, Beijing time to the second, and four random bytes."""
    return f"{district}_{now.astimezone(BEIJING):%Y%m%d%H%M%S}_{secrets.token_hex(4)}"


async def create(database: Database, alert: Alert, actor: Actor, now: datetime) -> AlertRecord:
    """Keep a new draft.

    CAP names a message by sender, identifier and time sent: the same three again give the record that is there, so a
    machine may repeat itself. The same identifier with another sender or time raises `ConflictError`. References that
    give only an identifier known here get the sender and time from its record.
    """
    existing = await AlertRecord.get_or_none(identifier=alert.identifier)
    if existing is None:
        try:
            return await _insert(database, alert, actor, now)
        except IntegrityError:  # the same message came twice at once; the other was first
            existing = await AlertRecord.get(identifier=alert.identifier)
    if (existing.sender, existing.sent_at) != (alert.sender, alert.sent):
        raise ConflictError(
            "标识 %(identifier)s 已被另一条预警使用。",
            remedy="请换一个标识，或提交 Update。",
            identifier=alert.identifier,
        )
    return existing


async def _insert(database: Database, alert: Alert, actor: Actor, now: datetime) -> AlertRecord:
    async with database.transaction():
        known = await _referenced(alert)
        alert = _completed(alert, known)
        return await AlertRecord.create(
            **_columns(alert),
            **_descent(alert, known),
            identifier=alert.identifier,
            state=State.DRAFT,
            created_by=actor.name,
            created_at=now,
            updated_at=now,
            version=1,
        )


async def unkept(alert: Alert, now: datetime) -> AlertRecord:
    """The record that keeping `alert` would make, with the id 0: for asking what would come of it."""
    known = await _referenced(alert)
    alert = _completed(alert, known)
    return AlertRecord(
        **_columns(alert),
        **_descent(alert, known),
        id=0,
        identifier=alert.identifier,
        state=State.DRAFT,
        created_by="",
        created_at=now,
        updated_at=now,
        version=0,
    )


async def edit(
    database: Database,
    alert_id: int,
    alert: Alert,
    actor: Actor,
    now: datetime,
    *,
    version: int,
    rules: ApprovalRules = _DEFAULT_RULES,
) -> AlertRecord:
    """Replace a draft's content; its identifier, its sender and what it updates or cancels stay.

    `version` is the one that was read. Whoever writes it anew is its author: they do not approve it themselves.
    """
    async with database.transaction():
        record = await _locked(alert_id, version)
        state = lifecycle.allow(Action.EDIT, actor, record.standing, rules)
        before = record.alert
        alert = replace(
            alert,
            identifier=record.identifier,
            sender=record.sender,
            msg_type=before.msg_type,
            references=before.references,
        )
        known = await _referenced(alert)
        alert = _completed(alert, known)
        changes = {**_columns(alert), **_descent(alert, known), "created_by": actor.name, "state": state}
        await _change(record, now, **changes)
        return record


async def succeed(alert_id: int, alert: Alert, now: datetime) -> None:
    """Have a draft replace something else than when it was written, inside the caller's transaction."""
    wanted = Q(id=alert_id) | Q(identifier__in=_names(alert))
    rows = await AlertRecord.filter(wanted).order_by("id").select_for_update()
    record, known = next(row for row in rows if row.id == alert_id), [row for row in rows if row.id != alert_id]
    await _change(record, now, **_columns(_completed(alert, known)), **_descent(alert, known))


async def submit(
    database: Database,
    alert_id: int,
    actor: Actor,
    now: datetime,
    *,
    version: int | None = None,
    rules: ApprovalRules = _DEFAULT_RULES,
) -> AlertRecord:
    """Send a complete draft to review; `RuleError` names everything that is missing."""
    async with database.transaction():
        return await _move(Action.SUBMIT, alert_id, actor, now, version, rules, complete=True, rejection=None)


async def recall(
    database: Database,
    alert_id: int,
    actor: Actor,
    now: datetime,
    *,
    version: int | None = None,
    rules: ApprovalRules = _DEFAULT_RULES,
) -> AlertRecord:
    """Take a draft back out of review."""
    async with database.transaction():
        return await _move(Action.RECALL, alert_id, actor, now, version, rules)


async def approve(
    database: Database,
    alert_id: int,
    actor: Actor,
    now: datetime,
    *,
    version: int,
    rules: ApprovalRules = _DEFAULT_RULES,
) -> AlertRecord:
    """Approve exactly the `version` that was seen; a red alert that went out first is approved afterwards."""
    async with database.transaction():
        return await _move(Action.APPROVE, alert_id, actor, now, version, rules, complete=True, approved_by=actor.name)


async def reject(
    database: Database,
    alert_id: int,
    actor: Actor,
    now: datetime,
    *,
    reason: str,
    version: int | None = None,
    rules: ApprovalRules = _DEFAULT_RULES,
) -> AlertRecord:
    """Send it back to its author with a reason."""
    async with database.transaction():
        return await _move(Action.REJECT, alert_id, actor, now, version, rules, approved_by=None, rejection=reason)


async def hold_issues(connection: Connection) -> None:
    """Let nothing be issued beside the caller's transaction until it ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _CODES_LOCK)


async def issue(
    connection: Connection,
    alert_id: int,
    actor: Actor,
    now: datetime,
    *,
    policy: Policy | None = None,
    rules: ApprovalRules = _DEFAULT_RULES,
) -> AlertRecord:
    """Change an alert to issued, inside the caller's transaction (`connection` is what `transaction()` gave).

    It gets its lineage, its frozen policy and a reply code that no other open alert has; its predecessor is marked
    superseded, stays issued until it is ended, and hands its reply code on. `RuleError` names everything in the way.
    """
    await hold_issues(connection)
    record, predecessors = await _locked_with_predecessors(alert_id)
    alert = record.alert
    state = lifecycle.allow(Action.ISSUE, actor, record.standing, rules)
    lifecycle.demand(lifecycle.issuable(alert, now, [one.standing for one in predecessors]), Action.ISSUE)
    descent = _descent(alert, predecessors)
    code = await _reply_code()
    for one in predecessors:
        if one.id == descent["predecessor_id"]:
            code = one.reply_code or code
            await _change(one, now, superseded_by=record.identifier)
    frozen = msgspec.to_builtins(policy) if policy is not None else None
    await _change(record, now, state=state, issued_at=now, reply_code=code, policy=frozen, **descent)
    return record


async def end(
    alert_id: int,
    actor: Actor,
    now: datetime,
    *,
    version: int | None = None,
    rules: ApprovalRules = _DEFAULT_RULES,
) -> AlertRecord:
    """Change an issued alert to ended, inside the caller's transaction."""
    return await _move(Action.END, alert_id, actor, now, version, rules, ended_at=now)


async def end_expired(connection: Connection, now: datetime) -> list[int]:
    """End every issued alert whose time is over, inside the caller's transaction; returns their ids."""
    rows = await connection.fetch(
        """
        UPDATE alert SET state = 'ended', ended_at = $1, updated_at = $1, version = version + 1
        WHERE state = 'issued' AND expires_at <= $1 RETURNING id
        """,
        now,
    )
    return [row["id"] for row in rows]


async def load(alert_id: int) -> AlertRecord:
    """The record of this id; `NotFoundError` without one."""
    record = await AlertRecord.get_or_none(id=alert_id)
    if record is None:
        raise NotFoundError("没有编号为 %(alert_id)s 的预警。", remedy="请从列表中重新选择。", alert_id=alert_id)
    return record


async def findings(alert: Alert, now: datetime) -> list[lifecycle.Finding]:
    """Everything that stands between this alert and its issue now; for forms that mark all fields at once."""
    return lifecycle.issuable(alert, now, [record.standing for record in await _referenced(alert)])


async def open_alerts() -> list[AlertRecord]:
    """The alerts that are issued and not superseded, the latest first."""
    return await AlertRecord.filter(state=State.ISSUED, superseded_by=None).order_by("-issued_at", "-id")


async def _move(
    action: Action,
    alert_id: int,
    actor: Actor,
    now: datetime,
    version: int | None,
    rules: ApprovalRules,
    *,
    complete: bool = False,
    **changes: Any,
) -> AlertRecord:
    """One step of an alert's life, inside the caller's transaction: lock, ask whether it may be, change.

    `complete`: nothing may be missing, unless it is out already.
    """
    record = await _locked(alert_id, version)
    state = lifecycle.allow(action, actor, record.standing, rules)
    if complete and state is not State.ISSUED:
        lifecycle.demand(await findings(record.alert, now), action)
    await _change(record, now, state=state, **changes)
    return record


async def _locked(alert_id: int, version: int | None) -> AlertRecord:
    record = await AlertRecord.filter(id=alert_id).select_for_update().first()
    if record is None:
        return await load(alert_id)
    if version is not None and record.version != version:
        raise ConflictError(
            "这条预警已被别人改动（现为第 %(version)s 版，您看到的是第 %(seen)s 版）。",
            remedy="请刷新后重试。",
            version=record.version,
            seen=version,
        )
    return record


async def _locked_with_predecessors(alert_id: int) -> tuple[AlertRecord, list[AlertRecord]]:
    """The record and those it refers to, locked in one order, so that two issues never wait in a ring."""
    names = _names((await load(alert_id)).alert)
    rows = await AlertRecord.filter(Q(id=alert_id) | Q(identifier__in=names)).order_by("id").select_for_update()
    record = next(row for row in rows if row.id == alert_id)
    return record, [row for row in rows if row.id != alert_id]


async def _change(record: AlertRecord, now: datetime, **changes: Any) -> None:
    record.update_from_dict({**changes, "updated_at": now, "version": record.version + 1})
    await record.save()


async def _referenced(alert: Alert) -> Sequence[AlertRecord]:
    return await AlertRecord.filter(identifier__in=_names(alert)).order_by("id")


def _names(alert: Alert) -> list[str]:
    return [reference.identifier for reference in alert.references]


def _completed(alert: Alert, known: Iterable[AlertRecord]) -> Alert:
    """The alert with the references that name only an identifier filled in from the records here."""
    full = {record.identifier: Reference(record.sender, record.identifier, record.sent_at) for record in known}
    references = tuple(full.get(one.identifier, one) if one.sent is None else one for one in alert.references)
    return replace(alert, references=references)


def _descent(alert: Alert, known: Iterable[AlertRecord]) -> dict[str, Any]:
    """Lineage and predecessor: of the latest known alert that an Update or Cancel refers to, else its own beginning."""
    replacing = alert.msg_type in (MsgType.UPDATE, MsgType.CANCEL)
    latest = [record for record in known if replacing and record.superseded_by is None]
    if not latest:
        return {"lineage": alert.identifier, "predecessor_id": None}
    return {"lineage": latest[-1].lineage, "predecessor_id": latest[-1].id}


def _columns(alert: Alert) -> dict[str, Any]:
    first = alert.info("zh-CN")
    return {
        "sender": alert.sender,
        "sent_at": alert.sent,
        "kind": alert.kind,
        "status": alert.status,
        "msg_type": alert.msg_type,
        "hazard": alert.hazard,
        "colour": alert.colour,
        "headline": first.headline if first else "",
        "document": to_document(alert),
        "effective_at": alert.effective,
        "expires_at": alert.expires,
    }


async def _reply_code() -> str:
    taken = {record.reply_code or "" for record in await open_alerts()}
    last = await AlertRecord.filter(reply_code__isnull=False).order_by("-issued_at", "-id").first()
    return next_code(taken, last.reply_code if last else None)
