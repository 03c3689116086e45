"""`/audit`: who did what and when, with a filter; whether the trail is whole; the trail as a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from broadcaster.clock import BEIJING
from broadcaster.security.audit import Head, Verdict
from broadcaster.security.permissions import Action, Actor, require, require_somewhere
from broadcaster.security.trail import NEWEST, Wanted, account_named
from broadcaster.web.api.trail import entries, look
from broadcaster.web.context import CONTEXT
from broadcaster.web.pages.forms import Form, fields
from broadcaster.web.pages.frame import Section, framed, reader
from broadcaster.web.pages.verification import Verification
from broadcaster.web.pages.words import WORDS

_PAGE = 100
_FILTER = ("account", "action", "alert", "since", "until")
_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")
VERIFICATION = web.AppKey("verification", Verification)
SECTION = Section("/audit", "审计", Action.READ_AUDIT)
routes = web.RouteTableDef()


@routes.get("/audit")
async def look_through(request: web.Request) -> web.Response:
    """The newest entries that fit the filter; `?before=` goes back in time."""
    return await _page(request, await reader(request))


@routes.post("/audit/verify")
async def verify(request: web.Request) -> web.Response:
    """Read the whole chain; with `head`, also whether its end is still there."""
    context = request.app[CONTEXT]
    actor, given = await reader(request), await fields(request)
    require(actor, Action.READ_AUDIT, [context.settings.district.code])
    typed = given.get("head", "").strip()
    kept = _HEAD.fullmatch(typed)
    if typed and kept is None:
        form = Form(values={"head": typed}, faults={"head": WORDS["audit_fault"]["head"]})
        return await _page(request, actor, form, status=422)
    verdict = await request.app[VERIFICATION].verdict(Head(int(kept[1]), kept[2]) if kept else None)
    return await _page(request, actor, Form(values={"head": typed}), verdict=verdict, going_on=verdict is None)


async def _page(
    request: web.Request,
    actor: Actor,
    form: Form | None = None,
    *,
    verdict: Verdict | None = None,
    going_on: bool = False,
    status: int = 200,
) -> web.Response:
    context = request.app[CONTEXT]
    require_somewhere(actor, Action.READ_AUDIT)
    typed = {name: request.query.get(name, "").strip()[:64].replace("\0", "") for name in _FILTER}
    shown = Form(values={**typed, **(form.values if form else {})}, faults=dict(form.faults) if form else {})
    wanted = await _wanted(request, typed, shown)
    before = request.query.get("before", "")
    start = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else NEWEST
    values: dict[str, Any] = {"entries": [], "next": None}
    if wanted is not None:
        found = await look(context, actor, wanted, start, _PAGE)
        details = {entry.seq: entry.detail if entry.detail != "{}" else "" for entry in found.entries}
        values = {"entries": await entries(context, found), "next": found.before, "details": details}
    return framed(
        request,
        actor,
        "console/audit.html",
        status=status if shown.good or status != 200 else 422,
        form=shown,
        actions=sorted(WORDS["audit_action"]),
        filter=urlencode({name: value for name, value in typed.items() if value}),
        csv=_csv_query(typed, wanted),
        may_verify=context.settings.district.code.startswith(require_somewhere(actor, Action.READ_AUDIT)),
        verdict=verdict,
        going_on=going_on,
        **values,
    )


async def _wanted(request: web.Request, typed: Mapping[str, str], form: Form) -> Wanted | None:
    """What the filter says; None, and faults at its fields, when it cannot be read."""
    account_id = None
    if typed["account"]:
        async with request.app[CONTEXT].database.connection() as connection:
            account_id = 0 if typed["account"] == "system" else await account_named(connection, typed["account"])
        if account_id is None:
            form.faults["account"] = WORDS["audit_fault"]["account"]
    alert = typed["alert"]
    if alert and not (alert.isascii() and alert.isdigit() and len(alert) < 10):
        form.faults["alert"] = WORDS["audit_fault"]["alert"]
    days = {name: _day(typed[name]) for name in ("since", "until")}
    for name, day in days.items():
        if typed[name] and day is None:
            form.faults[name] = WORDS["audit_fault"]["day"]
    if any(name in form.faults for name in _FILTER):
        return None
    since, until = days["since"], days["until"]
    end = until + timedelta(days=1) if until is not None else None
    return Wanted(account_id, typed["action"] or None, int(alert) if alert else None, since, end)


def _day(text: str) -> datetime | None:
    """The beginning of a day in Beijing."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=BEIJING)
    except ValueError:
        return None


def _csv_query(typed: Mapping[str, str], wanted: Wanted | None) -> str:
    """The same filter as the machine interface takes it."""
    if wanted is None:
        return ""
    moments = {"since": wanted.since, "until": wanted.until}
    asked = {name: typed[name] for name in ("account", "action", "alert") if typed[name]}
    return urlencode(asked | {name: moment.isoformat() for name, moment in moments.items() if moment is not None})
