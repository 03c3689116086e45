"""The page on which an alert is decided about: what exactly goes out, to how many, and what has changed since."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from audiences import region_tree
from broadcaster.alerts import authoring, differences, drafts
from broadcaster.alerts.alert import MsgType, Status
from broadcaster.alerts.lifecycle import approval_wanting, goes_first
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.state import State
from broadcaster.doorbell import WORK
from broadcaster.errors import ConflictError, ForbiddenError, RuleError
from broadcaster.phrase import phrase
from broadcaster.security.permissions import Action, Actor, may
from broadcaster.web import steps
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.language import chosen
from broadcaster.web.pages.compose_parts import count, foreseen, shown
from broadcaster.web.pages.forms import Form, fields
from broadcaster.web.pages.frame import framed, reader
from broadcaster.web.pages.previews import lacks, letter, proof, recording
from broadcaster.web.sight import call_by_name, covers, seen
from broadcaster.web.unhurried import unhurried

_DONE = {"approve": "approved", "reject": "rejected", "issue": "issued", "end": "ended"}
_UNISSUED = (State.DRAFT, State.IN_REVIEW, State.APPROVED, State.REJECTED)
routes = web.RouteTableDef()


@routes.get(r"/alerts/{id:\d{1,9}}/review")
async def look(request: web.Request) -> web.Response:
    """The alert as it would go out, for whoever may see it; the buttons for whoever may press them."""
    actor = await reader(request)
    record = await seen(request.app[CONTEXT], actor, int(request.match_info["id"]))
    return await _page(request, actor, record, Form())


@routes.get(r"/alerts/{id:\d{1,9}}/audio/{medium:[a-z]+}")
async def audio(request: web.Request) -> web.FileResponse:
    """What a loudspeaker plays, or a call says, of this alert."""
    actor = await reader(request)
    context = request.app[CONTEXT]
    record = await seen(context, actor, int(request.match_info["id"]))
    return await recording(context, record.alert, request.match_info["medium"], record.reply_code)


@routes.get(r"/alerts/{id:\d{1,9}}/mail")
async def mail(request: web.Request) -> web.Response:
    """What a mail program shows of this alert."""
    actor = await reader(request)
    context = request.app[CONTEXT]
    record = await seen(context, actor, int(request.match_info["id"]))
    return await letter(context, record.alert, record.reply_code, await _area(context, record))


@routes.post(r"/alerts/{id:\d{1,9}}/{step:approve|reject|issue|end}")
@unhurried
async def decide(request: web.Request) -> web.Response:
    """Approve, approve and issue, reject, issue, end. What was done already is not done again."""
    actor = await reader(request)
    given = await fields(request)
    context, alert_id, step = request.app[CONTEXT], int(request.match_info["id"]), request.match_info["step"]
    record = await seen(context, actor, alert_id)
    if _done(record, step, given):
        raise web.HTTPSeeOther(f"/alerts/{alert_id}")
    form = Form(given)
    issues = step == "issue" or (step == "approve" and given.get("do") == "issue")
    form.faults.update(await _faults(context, record, step, given, issues=issues))
    if form.good:
        try:
            await _take(context, actor, alert_id, step, given, issues=issues)
        except (RuleError, ForbiddenError, ConflictError) as error:
            form.faults["decision"] = await call_by_name(context, error)
    if not form.good:
        return await _page(request, actor, await seen(context, actor, alert_id), form, status=422)
    where = f"/alerts/{alert_id}" if issues or step == "end" else f"/alerts/{alert_id}/review"
    raise web.HTTPSeeOther(f"{where}?said={'issued' if issues else _DONE[step]}")


def _done(record: AlertRecord, step: str, given: dict[str, str]) -> bool:
    """Whether the button was pressed twice."""
    if step == "issue" or (step == "approve" and given.get("do") == "issue"):
        return record.state in (State.ISSUED, State.ENDED)
    if step == "approve":
        return record.approved_by is not None and record.state in (State.APPROVED, State.ISSUED)
    return record.state == (State.REJECTED if step == "reject" else State.ENDED)


async def _faults(
    context: Context, record: AlertRecord, step: str, given: dict[str, str], *, issues: bool
) -> dict[str, str]:
    """A reason where one is due, and the area's name typed where real people are told."""
    faults: dict[str, str] = {}
    early = step == "issue" and record.approved_by is None and record.standing.colour is not None
    if early and record.standing.colour in context.settings.approval.rules.exempt:
        early = False
    if (step in ("reject", "end") or early) and not given.get("reason", "").strip():
        faults["reason" if step == "issue" else f"reason_{step}"] = "请写明原因"
    if issues and record.status == Status.ACTUAL:
        area = await _area(context, record)
        if given.get("confirm", "").strip() != area:
            faults["confirm"] = phrase("与区域名称“%(area)s”不一致，没有发布", area=area)
    return faults


async def _take(
    context: Context, actor: Actor, alert_id: int, step: str, given: dict[str, str], *, issues: bool
) -> None:
    text = given.get("version", "")
    version = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    reason = given.get("reason", "").strip()[:500]
    async with context.database.transaction():
        if step == "approve":
            record = await steps.approve(context, actor, alert_id, version=version)
            version = record.version
        elif step == "reject":
            await steps.reject(context, actor, alert_id, reason=reason, version=version)
        elif step == "end":
            await steps.end(context, actor, alert_id, reason=reason, version=version)
        if issues:
            await steps.issue(context, actor, alert_id, version=version, reason=reason)
    if issues:
        await context.announce(alert_id)
    elif step == "end":
        await context.bell.ring(WORK)


async def _page(
    request: web.Request, actor: Actor, record: AlertRecord, form: Form, *, status: int = 200
) -> web.Response:
    context, language = request.app[CONTEXT], chosen(request)
    return framed(
        request,
        actor,
        "console/review.html",
        status=status,
        form=form,
        record=record,
        alert=record.alert,
        info=record.alert.info("zh-CN" if language == "zh" else "en"),
        drill=record.status != Status.ACTUAL,
        samples=f"/alerts/{record.id}",
        **await _content(context, actor, record, language),
        **await _decisions(context, actor, record),
        **shown(context, request),
    )


async def _content(context: Context, actor: Actor, record: AlertRecord, language: str) -> dict[str, Any]:
    """The messages, the numbers, and the differences from what this reader saw last."""
    alert, area = record.alert, await _area(context, record)
    lacking = await authoring.findings(alert, context.clock.now()) if record.state in _UNISSUED else []
    notes = lacks(lacking, language, tried=True)
    made = await proof(context, alert, record.reply_code, language, place=area)
    for name, found in made.notes.items():
        notes.setdefault(name, []).extend(found)
    outlook, why = await foreseen(context, alert, language) if record.state in _UNISSUED else (None, "")
    async with context.database.connection() as connection:
        counts = await count(context, connection, alert) if any(info.areas for info in alert.infos) else None
        now = differences.fields_of(alert)
        before = await drafts.see(connection, record.id, actor.account_id, record.version, now, context.clock.now())
    return {
        "proof": made,
        "place": area,
        "notes": notes,
        "counts": counts,
        "area": area,
        "outlook": outlook,
        "why": why,
        "changes": differences.changes(before, now) if before is not None else None,
    }


async def _decisions(context: Context, actor: Actor, record: AlertRecord) -> dict[str, Any]:
    """Which buttons there are. Nobody approves their own, unless the office allows it."""
    regions, rules = await covers(context, record), context.settings.approval.rules
    state, own = State(record.state), actor.name == record.created_by and not rules.self_approval
    wanting = approval_wanting(record.standing, rules)
    approves = (state is State.IN_REVIEW or wanting) and may(actor, Action.APPROVE, regions)
    first = state in (State.DRAFT, State.IN_REVIEW, State.REJECTED) and goes_first(record.standing.colour, rules)
    issuing = may(actor, Action.ISSUE, regions)
    return {
        "own": approves and own,
        "may_approve": approves and not own,
        "may_reject": state in (State.IN_REVIEW, State.APPROVED) and may(actor, Action.REJECT, regions),
        "may_issue": issuing and (state is State.APPROVED or first),
        "may_approve_and_issue": approves and not own and issuing and state is State.IN_REVIEW,
        "early": first and record.standing.colour not in rules.exempt,
        "may_end": record.open and may(actor, Action.END, regions),
        "wanting": wanting,
        "calls_off": record.msg_type == MsgType.CANCEL,
    }


async def _area(context: Context, record: AlertRecord) -> str:
    """The name that must be typed: of the smallest region that holds all of the alert."""
    covered = await covers(context, record)
    async with context.database.connection() as connection:
        return await region_tree.common_name(connection, covered) or context.settings.district.name
