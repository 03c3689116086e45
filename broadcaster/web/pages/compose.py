"""Writing an alert: one page of numbered parts, kept as it is typed, put forward by one button.

The page works without scripts; with them every change is kept at once and the parts that follow from it come back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NoReturn

from aiohttp import web

from audiences import region_tree
from broadcaster.alerts import differences, draft_form, drafts
from broadcaster.alerts.alert import Status
from broadcaster.alerts.drafts import Author, Draft, OverwritingError
from broadcaster.errors import ConflictError, ForbiddenError, RuleError
from broadcaster.phrase import phrase
from broadcaster.security.coverage import coverage
from broadcaster.security.permissions import Action, Actor, require_somewhere, scopes
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.drafting import composed, editable, filled, opened, put_forward
from broadcaster.web.language import chosen
from broadcaster.web.pages.compose_view import changing, drill_of, sending, typed_from, values
from broadcaster.web.pages.forms import Form, fields
from broadcaster.web.pages.frame import Section, framed, reader
from broadcaster.web.pages.rendering import page
from broadcaster.web.sight import call_by_name
from broadcaster.web.unhurried import unhurried

KEY = r"{key:[A-Za-z0-9_-]{16,40}}"
_PAGE = "console/compose/page.html"
SECTION = Section("/compose", "起草预警", Action.CREATE)
routes = web.RouteTableDef()


@routes.get("/compose")
async def begin(request: web.Request) -> web.Response:
    """A new draft, real unless `?status=Exercise` or `Test` says otherwise, and the drafts that lie open."""
    actor = await reader(request)
    require_somewhere(actor, Action.CREATE)
    context = request.app[CONTEXT]
    status = request.query.get("status", "")
    author = Author(actor.account_id, actor.name)
    typed = {**draft_form.EMPTY, "status": status if status in _DRILLS else Status.ACTUAL.value}
    draft = drafts.fresh(drafts.new_key(), author, typed, context.clock.now())
    async with context.database.connection() as connection:
        waiting = await drafts.open_drafts(connection, actor.account_id, scopes(actor, Action.EDIT))
    shown = await values(context, actor, draft, chosen(request))
    return framed(request, actor, _PAGE, waiting=waiting, **shown)


@routes.get(f"/compose/{KEY}")
async def look(request: web.Request) -> web.Response:
    """The draft as it was last kept."""
    actor = await reader(request)
    context = request.app[CONTEXT]
    draft = await opened(context, actor, request.match_info["key"])
    if draft.version == 0:
        require_somewhere(actor, Action.CREATE)
        draft = drafts.fresh(
            draft.key,
            Author(actor.account_id, actor.name),
            {**draft.typed, "status": Status.ACTUAL.value},
            draft.changed_at,
        )
    if not await editable(draft):
        raise web.HTTPSeeOther(f"/alerts/{draft.alert_id}")
    return framed(request, actor, _PAGE, waiting=[], **await values(context, actor, draft, chosen(request)))


@routes.post(f"/compose/{KEY}/save")
async def save(request: web.Request) -> web.Response:
    """Keep what is typed; the answer is the parts of the page that follow from it."""
    actor = await reader(request)
    context, key = request.app[CONTEXT], request.match_info["key"]
    given = await fields(request)
    try:
        before, draft = await _keep(context, actor, key, given)
    except OverwritingError as error:
        mine = typed_from(given, error.now)
        return page(request, "console/compose/_conflict.html", oob=True, **_conflict(error.now, mine))
    shown = await changing(context, actor, await composed(context, draft), chosen(request))
    response = page(
        request,
        "console/compose/_saved.html",
        form=Form({**draft.typed, **_beside(given)}, {}),
        filled=_filled(draft, given),
        changed=before.typed != draft.typed,
        decided=given.get("decision", ""),
        **shown,
    )
    response.headers["HX-Replace-Url"] = f"/compose/{key}"
    if _area(before.typed) != _area(draft.typed):
        response.headers["HX-Trigger-After-Settle"] = "area-kept"
    elif before.typed != draft.typed:
        response.headers["HX-Trigger-After-Settle"] = "words-kept"
    return response


@routes.post(f"/compose/{KEY}")
@unhurried
async def act(request: web.Request) -> web.Response:
    """What the pressed button (`do`) says, after keeping what is typed."""
    actor = await reader(request)
    context, key = request.app[CONTEXT], request.match_info["key"]
    given = await fields(request)
    deed, _, detail = given.get("do", "save").partition("-")
    if deed == "copy":
        await _copy(context, actor, key, given)
    if deed == "discard":
        await _discard(context, actor, key)
    if deed == "mine":
        given["version"] = given.get("current", "0")
    try:
        _, draft = await _keep(context, actor, key, given, anew=deed == "fill", status=detail)
    except _PutForwardError as error:
        raise web.HTTPSeeOther(f"/alerts/{error.alert_id}") from error
    except OverwritingError as error:
        return await _overwritten(request, actor, error.now, given)
    if deed in ("submit", "issue"):
        unseen = bool(_filled(draft, given))
        return await _send(request, actor, draft, given, issue=deed == "issue", unseen=unseen)
    if deed == "search":
        return await _search(request, actor, draft, given)
    raise web.HTTPSeeOther(f"/compose/{key}?said=kept")


class _PutForwardError(ConflictError):
    """The draft has become an alert that is no draft any more."""

    def __init__(self, alert_id: int | None) -> None:
        super().__init__("这份草稿已经提交。", remedy="请到预警的页面上查看。")
        self.alert_id = alert_id


_DRILLS = (Status.EXERCISE.value, Status.TEST.value)


async def _keep(
    context: Context, actor: Actor, key: str, given: dict[str, str], *, anew: bool = False, status: str = ""
) -> tuple[Draft, Draft]:
    """The draft before and after. Raises `OverwritingError`; `_PutForwardError` when it has gone its way meanwhile."""
    author = Author(actor.account_id, actor.name, given.get("window", "")[:40])
    before = await opened(context, actor, key)
    require_somewhere(actor, Action.CREATE if before.deed is drafts.Deed.NEW else Action.CANCEL)
    typed = await filled(
        context, typed_from(given, before), before.typed if before.version else {}, before.deed, anew=anew
    )
    now = context.clock.now()
    version = _number(given.get("version", "")) if before.version else 1
    async with context.database.transaction() as connection:
        if before.version == 0:
            before = await drafts.begin(connection, drafts.fresh(key, author, {}, now))
        before = await drafts.lock(connection, key)
        if not await editable(before):
            raise _PutForwardError(before.alert_id)
        typed = typed if not status else {**typed, "status": drill_of(replace(before, typed=typed), status)["status"]}
        regions = before.regions
        if _area(typed) != _area(before.typed):
            reading = draft_form.read(typed)
            anywhere = reading.regions or reading.rings or reading.circles
            alert = (await composed(context, replace(before, typed=typed))).alert
            regions = await coverage(connection, alert, context.settings.district.code) if anywhere else ()
        draft = await drafts.save(connection, before, typed, regions, author, now, version=version)
    return before, draft


async def _send(
    request: web.Request, actor: Actor, draft: Draft, given: dict[str, str], *, issue: bool, unseen: bool
) -> web.Response:
    """To review or out, once: whoever presses again finds the alert where it is. `unseen`: the template has filled in
    words at this very moment that nobody has read yet."""
    context = request.app[CONTEXT]
    faults: dict[str, str] = {"send": "文字刚按模板填好，请看过以后再按一次。"} if unseen else {}
    try:
        async with context.database.transaction() as connection:
            draft = await drafts.lock(connection, draft.key)
            if not await editable(draft):
                raise web.HTTPSeeOther(f"/alerts/{draft.alert_id}")
            one = await composed(context, draft)
            how = sending(context, actor, one)
            if issue and how.reasoned and not given.get("reason", "").strip():
                faults["reason"] = "未经批准先行发布，请写明原因"
            if issue and how.typed and given.get("confirm", "").strip() != one.area:
                faults["confirm"] = phrase("与区域名称“%(area)s”不一致，没有发布", area=one.area)
            if not (faults or one.reading.faults):
                reason = given.get("reason", "").strip()[:500] if issue and how.reasoned else ""
                record = await put_forward(context, actor, one, issue=issue, reason=reason)
    except (RuleError, ForbiddenError, ConflictError) as error:
        faults.setdefault("send", await call_by_name(context, error))
    if faults or one.reading.faults:
        shown = await values(context, actor, draft, chosen(request), faults=faults, given=_beside(given))
        return framed(request, actor, _PAGE, status=422, waiting=[], **shown)
    if issue:
        await context.announce(record.id)
    raise web.HTTPSeeOther(f"/alerts/{record.id}?said={'issued' if issue else 'submitted'}")


async def _search(request: web.Request, actor: Actor, draft: Draft, given: dict[str, str]) -> web.Response:
    context = request.app[CONTEXT]
    async with context.database.connection() as connection:
        found = await region_tree.search(connection, given.get("q", "").strip()[:50], scopes(actor, Action.CREATE))
    shown = await values(context, actor, draft, chosen(request), given=_beside(given), found=found)
    return framed(request, actor, _PAGE, waiting=[], **shown)


async def _overwritten(request: web.Request, actor: Actor, now: Draft, given: dict[str, str]) -> web.Response:
    """The page with one's own texts, and what somebody else has written meanwhile."""
    context = request.app[CONTEXT]
    mine = typed_from(given, now)
    shown = await values(
        context, actor, replace(now, typed=mine), chosen(request), window=given.get("window", ""), given=_beside(given)
    )
    conflict = _conflict(now, mine)
    return framed(request, actor, _PAGE, status=409, waiting=[], **{**shown, **conflict, "theirs": now})


async def _copy(context: Context, actor: Actor, key: str, given: dict[str, str]) -> NoReturn:
    """One's own texts as a draft of their own, beside the one that somebody else is writing."""
    original = await opened(context, actor, key)
    author = Author(actor.account_id, actor.name)
    fresh = drafts.fresh(drafts.new_key(), author, typed_from(given, original), context.clock.now())
    async with context.database.transaction() as connection:
        await drafts.begin(connection, fresh)
    raise web.HTTPSeeOther(f"/compose/{fresh.key}?said=copied")


async def _discard(context: Context, actor: Actor, key: str) -> NoReturn:
    draft = await opened(context, actor, key)
    async with context.database.connection() as connection:
        await drafts.discard(connection, draft.key)
    raise web.HTTPSeeOther("/compose?said=discarded")


def _conflict(now: Draft, mine: dict[str, str]) -> dict[str, Any]:
    shown = [name for name in draft_form.NAMES if name in now.typed or name in mine]
    before = {name: now.typed.get(name, "") for name in shown}
    before["regions"] = " ".join(draft_form.regions_of(now.typed))
    after = {**{name: mine.get(name, "") for name in shown}, "regions": " ".join(draft_form.regions_of(mine))}
    return {"theirs": now, "changes": differences.changes(before, after)}


def _area(typed: draft_form.Typed) -> tuple[Any, ...]:
    return draft_form.regions_of(typed), typed.get("shapes", "")


def _filled(draft: Draft, given: dict[str, str]) -> list[str]:
    """The texts that the template has put in the place of what came."""
    came = draft_form.kept(given)
    return [name for name in draft_form.TEXTS if draft.typed.get(name, "") != came.get(name, "")]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _beside(given: dict[str, str]) -> dict[str, str]:
    """What stands in the form beside the draft."""
    return {name: given[name] for name in ("reason", "confirm", "q") if name in given}
