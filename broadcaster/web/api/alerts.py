"""Alerts: written as JSON or CAP, listed, read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from aiohttp import web

from broadcaster.alerts import authoring, form
from broadcaster.alerts.alert import Alert, Kind, MsgType, Status
from broadcaster.alerts.colour import Colour
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.state import State
from broadcaster.errors import ConflictError, DaohuError, NotFoundError, RuleError, UnavailableError
from broadcaster.intake import posting
from broadcaster.security.coverage import coverage
from broadcaster.security.permissions import Action, Actor, touches
from broadcaster.web import steps
from broadcaster.web.context import Context
from broadcaster.web.endpoint import JSON, Call, Created, Nothing, Table
from broadcaster.web.sight import covers, seen

CAP = "application/cap+xml"
table = Table("alerts")


class AlertReference(msgspec.Struct, frozen=True):
    """An alert by its names, and where it stands."""

    id: int
    identifier: str
    state: State


class AlertSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as a list shows it. `version` grows with every change."""

    id: int
    identifier: str
    lineage: str
    state: State
    kind: Kind
    status: Status
    msg_type: MsgType
    hazard: str
    colour: Colour | None
    headline: str
    reply_code: str | None
    created_by: str
    approved_by: str | None
    created_at: datetime
    issued_at: datetime | None
    effective_at: datetime | None
    expires_at: datetime | None
    ended_at: datetime | None
    superseded_by: str | None
    version: int


class AlertDetail(msgspec.Struct, frozen=True, kw_only=True):
    """An alert in full: its CAP message, why it was rejected ("" if it was not), the regions it covers."""

    summary: AlertSummary
    alert: Alert
    rejection: str
    regions: tuple[str, ...]


class AlertPage(msgspec.Struct, frozen=True):
    """One page, newest first; `next` is the `before` of the page after it, null at the end."""

    alerts: list[AlertSummary]
    next: int | None


class AlertQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`before`: only alerts with a smaller id."""

    state: State | None = None
    before: Annotated[int, msgspec.Meta(ge=1, lt=2**31)] = 2**31 - 1
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


def summary(record: AlertRecord) -> AlertSummary:
    """The record as a list shows it."""
    return msgspec.convert(record, AlertSummary, from_attributes=True)


def sender(context: Context) -> str:
    """Who sends the alerts that are written here, in CAP's sense."""
    return f"daohu.{context.settings.district.code}"


def read_form(context: Context, raw: bytes) -> Alert:
    """An alert from the JSON form, with an identifier of its own where it gives none."""
    now = context.clock.now()
    identifier = authoring.new_identifier(context.settings.district.code, now)
    return form.decode(raw, now=now, sender=sender(context), identifier=identifier)


def read_cap(context: Context, raw: bytes) -> Alert:
    """An alert from CAP XML, by the adapter that was registered for it."""
    if context.cap is None:
        raise UnavailableError("没有安装 CAP 适配器。", remedy="请提交 JSON，或安装 CAP 适配器。")
    return context.cap.read(raw)


async def keep_refused(context: Context, request: web.Request, actor: Actor, raw: bytes, fault: DaohuError) -> None:
    """CAP that is refused is listed among the received messages, with the reason."""
    if request.content_type == CAP:
        await posting.refused(context.database, raw, actor.name, fault, context.clock.now())


@table.endpoint(
    "POST",
    "/api/v1/alerts",
    "Author an alert",
    body=Alert,
    form=form.AlertForm,
    reads={JSON: read_form, CAP: read_cap},
    answers=AlertReference,
    status=201,
    action=Action.CREATE,
    problems=(ConflictError,),
    refused=keep_refused,
)
async def create_alert(call: Call[Alert, Nothing]) -> Created:
    """Keep a draft; the caller's role must cover every region it names. CAP is listed among the received messages."""
    context, actor = call.context, call.actor
    if call.request.content_type != CAP:
        return await draft(context, actor, call.body, Action.CREATE)
    async with context.database.transaction():
        record = await steps.create(context, actor, call.body, Action.CREATE)
        raw, district, now = await call.request.read(), context.settings.district.code, context.clock.now()
        await posting.accepted(context.database, raw, record.id, actor.name, district, now)
    return created(record)


class Revision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`version`: the one that was read; if it is another by now, that is a conflict."""

    version: Annotated[int, msgspec.Meta(ge=1, lt=2**31)]


@table.endpoint(
    "PUT",
    "/api/v1/alerts/{id}",
    "Replace the content of a draft or a rejected alert",
    body=Alert,
    form=form.AlertForm,
    query=Revision,
    reads={JSON: read_form},
    answers=AlertSummary,
    action=Action.EDIT,
    problems=(NotFoundError, RuleError, ConflictError),
)
async def edit_alert(call: Call[Alert, Revision]) -> AlertSummary:
    """All of it is replaced but its names and what it updates or cancels; the caller's role must cover the area that it
    had and the one that it gets."""
    return summary(await steps.edit(call.context, call.actor, call.id, call.body, version=call.query.version))


async def draft(context: Context, actor: Actor, alert: Alert, action: Action) -> Created:
    """Keep `alert` as a new draft of the actor, who needs the right to `action` over all its regions."""
    return created(await steps.create(context, actor, alert, action))


def created(record: AlertRecord) -> Created:
    """The answer for a new draft."""
    reference = AlertReference(record.id, record.identifier, State(record.state))
    return Created(f"/api/v1/alerts/{record.id}", reference)


@table.endpoint(
    "GET", "/api/v1/alerts", "List alerts, newest first", query=AlertQuery, answers=AlertPage, action=Action.SEE
)
async def list_alerts(call: Call[Nothing, AlertQuery]) -> AlertPage:
    """Those that touch a region the caller may see."""
    return await page(call.context, call.actor, call.query)


async def page(context: Context, actor: Actor, query: AlertQuery) -> AlertPage:
    """One page of the alerts that the actor may see; it may be short and still have a next one."""
    records = AlertRecord.filter(id__lt=query.before).order_by("-id").limit(query.limit)
    if query.state is not None:
        records = records.filter(state=query.state)
    rows = await records
    async with context.database.connection() as connection:
        district = context.settings.district.code
        visible = [row for row in rows if touches(actor, Action.SEE, await coverage(connection, row.alert, district))]
    return AlertPage([summary(row) for row in visible], rows[-1].id if len(rows) == query.limit else None)


@table.endpoint(
    "GET", "/api/v1/alerts/{id}", "Read an alert", answers=AlertDetail, action=Action.SEE, problems=(NotFoundError,)
)
async def read_alert(call: Call[Nothing, Nothing]) -> AlertDetail:
    """The alert in full."""
    record = await seen(call.context, call.actor, call.id)
    regions = await covers(call.context, record)
    return AlertDetail(summary=summary(record), alert=record.alert, rejection=record.rejection or "", regions=regions)
