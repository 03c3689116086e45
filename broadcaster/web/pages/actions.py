"""The buttons of an alert: what its reader may do to it now, and what pressing one does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NoReturn

from aiohttp import web

from broadcaster.alerts import draft_form, drafts
from broadcaster.alerts.alert import Alert, MsgType
from broadcaster.alerts.drafts import Author, Deed, Draft
from broadcaster.alerts.lifecycle import approval_wanting
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.state import State
from broadcaster.alerts.succession import CallingOff, called_off, require_issued
from broadcaster.errors import RuleError
from broadcaster.phrase import ours
from broadcaster.security.permissions import Action, Actor, may, require
from broadcaster.web import steps
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.drafting import ACTIONS
from broadcaster.web.pages.forms import fields
from broadcaster.web.pages.frame import reader
from broadcaster.web.sight import covers, seen
from templates.filling import propose

_EDITABLE = (State.DRAFT, State.REJECTED)
_UNDECIDED = (State.DRAFT, State.IN_REVIEW, State.APPROVED, State.REJECTED)
_DEEDS = {deed.value: deed for deed in Deed if deed}
_WRONG = (
    "更正：此前误发“{}”",
    "此前发出的“{}”系误发，给您带来不便，深表歉意",
    "请照常生活，不必转移，请转告身边的人。",
)
_WRONG_ENGLISH = (
    'Correction: "{}" was sent by mistake',
    '"{}" was sent by mistake. We apologize.',
    "No action is needed. Please tell those around you.",
)
routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Offer:
    """A button: `name` is a code of the words `deed`; `path` where it leads, `post` whether by a form."""

    name: str
    path: str
    post: bool = True


async def offered(context: Context, actor: Actor, record: AlertRecord) -> dict[str, Any]:
    """For the partial `_actions.html`: the buttons, and whether an approval is still wanting."""
    regions = await covers(context, record)
    at, state = f"/alerts/{record.id}", State(record.state)
    cancel = record.alert.msg_type is MsgType.CANCEL
    editing = Action.CANCEL if cancel else Action.EDIT
    offers = [
        (state in _UNDECIDED, Action.SEE, Offer("review", f"{at}/review", post=False)),
        (state in _EDITABLE, editing, Offer("edit", f"{at}/edit")),
        (state in _EDITABLE, Action.SUBMIT, Offer("submit", f"{at}/submit")),
        (state is State.IN_REVIEW, Action.RECALL, Offer("recall", f"{at}/recall")),
        (record.open and not cancel, Action.UPDATE, Offer("update", f"{at}/update")),
        (record.open and not cancel, Action.CANCEL, Offer("cancel", f"{at}/cancel")),
        (record.open and not cancel, Action.CANCEL, Offer("misfire", f"{at}/misfire")),
        (record.open, Action.END, Offer("end", f"{at}/review#end", post=False)),
    ]
    return {
        "offers": [offer for stands, action, offer in offers if stands and may(actor, action, regions)],
        "approval_wanting": approval_wanting(record.standing, context.settings.approval.rules),
    }


@routes.post(r"/alerts/{id:\d{1,9}}/{step:submit|recall}")
async def move(request: web.Request) -> NoReturn:
    """Send it to review, or take it back; a second press finds it done and changes nothing."""
    actor = await reader(request)
    given = await fields(request)
    context, alert_id, step = request.app[CONTEXT], int(request.match_info["id"]), request.match_info["step"]
    record = await seen(context, actor, alert_id)
    target = State.IN_REVIEW if step == "submit" else State.DRAFT
    if record.state != target:
        version = int(given["version"]) if given.get("version", "").isdigit() else None
        await (steps.submit if step == "submit" else steps.recall)(context, actor, alert_id, version=version)
    raise web.HTTPSeeOther(f"/alerts/{alert_id}?said={'submitted' if step == 'submit' else 'recalled'}")


@routes.post(r"/alerts/{id:\d{1,9}}/edit")
async def edit(request: web.Request) -> NoReturn:
    """Open the form that it was written with; one is made of what came by another way."""
    actor = await reader(request)
    await fields(request)
    context = request.app[CONTEXT]
    record = await seen(context, actor, int(request.match_info["id"]))
    regions = await covers(context, record)
    cancel = record.alert.msg_type is MsgType.CANCEL
    require(actor, Action.CANCEL if cancel else Action.EDIT, regions)
    if record.state not in _EDITABLE:
        raise RuleError(
            "它现在是“%(state)s”，不能修改。",
            remedy="请先撤回审核，或在发布后更新。",
            state=ours(State(record.state).chinese),
        )
    deed = Deed.NEW
    if record.predecessor_id is not None:
        misfire = Deed.CANCEL if any(info.areas for info in record.alert.infos) else Deed.MISFIRE
        deed = misfire if cancel else Deed.UPDATE
    typed = draft_form.typed_of(record.alert)
    made = _draft(context, actor, typed, regions, alert_id=record.id, replaces=record.predecessor_id, deed=deed)
    draft = await _begun(context, made)
    if draft.changed_at < record.updated_at:  # the alert has been changed by another way than this form
        author, now = Author(actor.account_id, actor.name), context.clock.now()
        async with context.database.transaction() as connection:
            before = await drafts.lock(connection, draft.key)
            await drafts.save(connection, before, typed, regions, author, now, version=before.version)
    raise web.HTTPSeeOther(f"/compose/{draft.key}")


@routes.post(r"/alerts/{id:\d{1,9}}/{deed:update|cancel|misfire}")
async def succeed(request: web.Request) -> NoReturn:
    """Begin what replaces it, with everything filled in; pressing twice opens the same draft."""
    actor = await reader(request)
    await fields(request)
    context, deed = request.app[CONTEXT], _DEEDS[request.match_info["deed"]]
    record = await seen(context, actor, int(request.match_info["id"]))
    regions = await covers(context, record)
    require(actor, ACTIONS[deed], regions)
    require_issued(record)
    if record.superseded_by is not None:
        raise RuleError(
            "它已被 %(superseded_by)s 取代。", remedy="请到最新的一条上操作。", superseded_by=record.superseded_by
        )
    typed = draft_form.typed_of(record.alert)
    if deed.calls_off:
        typed |= await _words(context, record, deed)
    draft = _draft(context, actor, typed, regions, alert_id=None, replaces=record.id, deed=deed)
    raise web.HTTPSeeOther(f"/compose/{(await _begun(context, draft)).key}")


async def _words(context: Context, record: AlertRecord, deed: Deed) -> dict[str, str]:
    """The prebuilt words of an all-clear by the hazard's template, or of a correction of what went out by mistake."""
    if deed is Deed.MISFIRE:
        headline, english = _headline(record.alert, "zh-CN"), _headline(record.alert, "en")
        typed = dict(zip(draft_form.TEXTS, (text.format(headline) for text in _WRONG), strict=True))
        said = (text.format(english) if english else "" for text in _WRONG_ENGLISH)
        return {**typed, **dict(zip(draft_form.ENGLISH, said, strict=True)), "valid_hours": "24"}
    now = context.clock.now()
    ending = called_off(record, CallingOff(), identifier="", sender="", now=now)
    office = await context.office_in_force()
    proposal = propose(ending, office.issuer, office.library)
    typed = {"headline": proposal.headline, "description": proposal.description}
    return {**typed, "instruction": proposal.instruction, **dict.fromkeys(draft_form.ENGLISH, ""), "valid_hours": "24"}


def _headline(alert: Alert, language: str) -> str:
    info = alert.info(language)
    same = info is not None and info.language.casefold()[:2] == language[:2]
    return info.headline if info is not None and same else ""


def _draft(
    context: Context,
    actor: Actor,
    typed: dict[str, str],
    regions: tuple[str, ...],
    *,
    alert_id: int | None,
    replaces: int | None,
    deed: Deed,
) -> Draft:
    made = drafts.fresh(drafts.new_key(), Author(actor.account_id, actor.name), typed, context.clock.now())
    return replace(made, alert_id=alert_id, replaces=replaces, deed=deed, regions=regions)


async def _begun(context: Context, draft: Draft) -> Draft:
    async with context.database.transaction() as connection:
        return await drafts.begin(connection, draft)
