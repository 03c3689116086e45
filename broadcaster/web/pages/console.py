"""The status pages: which alerts there are, and how far each has come."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from broadcaster.alerts.records import AlertRecord
from broadcaster.errors import InputError
from broadcaster.escalation.reports import reports
from broadcaster.progress import Progress, RegionProgress
from broadcaster.security.permissions import Action, Actor, scopes
from broadcaster.web.api.alerts import AlertQuery
from broadcaster.web.api.alerts import page as alerts_page
from broadcaster.web.api.help_requests import HelpState, help_requests
from broadcaster.web.api.notices import ABOUT_UNITS, notices
from broadcaster.web.api.progress import current
from broadcaster.web.api.units import UnitQuery, units
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.pages.actions import offered
from broadcaster.web.pages.forms import token
from broadcaster.web.pages.frame import framed, reader
from broadcaster.web.pages.rendering import page
from broadcaster.web.sight import seen
from broadcaster.web.sql import SQL

STATES = ("delivered", "failed", "submitted", "queued", "unknown", "expired", "cancelled")  # what matters most first
_VILLAGES = 50
_UNITS = 200
_TO_DO = 50  # on the start page
routes = web.RouteTableDef()


@routes.get("/alerts")
async def alerts(request: web.Request) -> web.Response:
    """The alerts that the reader may see, newest first."""
    actor = await reader(request)
    try:
        query = msgspec.convert({k: v for k, v in request.query.items() if k == "before"}, AlertQuery, strict=False)
    except msgspec.ValidationError as error:
        raise InputError("页码不对。", remedy="请从列表第一页开始。") from error
    context = request.app[CONTEXT]
    shown = await alerts_page(context, actor, query)
    to_do = await attention(context, actor, None, most=_TO_DO)
    return framed(request, actor, "console/alerts.html", alerts=shown.alerts, next=shown.next, **to_do)


@routes.get(r"/alerts/{id:\d{1,9}}")
async def alert(request: web.Request) -> web.Response:
    """How far one alert has come; keeps itself up to date where the browser runs our script."""
    actor = await reader(request)
    record, values = await _status(request, actor)
    offers = await offered(request.app[CONTEXT], actor, record)
    return framed(request, actor, "console/alert.html", record=record, alert=record.alert, **values, **offers)


@routes.get(r"/alerts/{id:\d{1,9}}/status")
async def status(request: web.Request) -> web.Response:
    """The part of the page that changes."""
    record, values = await _status(request, await reader(request))
    return page(request, "console/_status.html", record=record, form_token=token(request), **values)


async def attention(context: Context, actor: Actor, alert_id: int | None, *, most: int) -> dict[str, Any]:
    """What somebody must see to, as the pages list it: calls for help, then units to ring up, `most` of each.

    Of one alert also the calls for help that are closed; of all (None) only open ones.
    """
    seen_in = scopes(actor, Action.SEE_HOUSEHOLDS)
    state = HelpState.OPEN if alert_id is None else None
    closing, confirming = scopes(actor, Action.CLOSE_HELP), scopes(actor, Action.CONFIRM)
    return {
        "helps": await help_requests(context, alert_id, seen_in, state=state, limit=most) if seen_in else [],
        "notices": await notices(context, alert_id, seen_in, ABOUT_UNITS, limit=most) if seen_in else [],
        "may_close": lambda region: bool(closing) and (not region or region.startswith(closing)),
        "may_confirm": lambda region: bool(confirming) and region.startswith(confirming),
        "most": most,
    }


async def _status(request: web.Request, actor: Actor) -> tuple[AlertRecord, dict[str, Any]]:
    context = request.app[CONTEXT]
    alert_id = int(request.match_info["id"])
    record = await seen(context, actor, alert_id)
    now = await current(context, alert_id)
    allowed = scopes(actor, Action.SEE_HOUSEHOLDS)
    async with context.database.connection() as connection:
        listed = await units(connection, alert_id, allowed, UnitQuery(limit=_UNITS)) if allowed else []
        steps = await connection.fetch(SQL["escalations"], alert_id)
        reported = await reports(connection, alert_id, allowed, _UNITS) if allowed else []
    return record, {
        "progress": now,
        "states": STATES,
        "villages": _silent(now),
        "villages_total": sum(region.households.reached < region.households.total for region in now.regions),
        "units": listed,
        "escalations": steps,
        "reports": reported,
        **await attention(context, actor, alert_id, most=_UNITS),
        "may_see_households": bool(allowed),
        "as_of": context.clock.now(),
    }


def _silent(now: Progress) -> list[RegionProgress]:
    """The villages with the most households that nobody has reached."""

    def missing(region: RegionProgress) -> tuple[int, int]:
        return -region.households.unreached, -region.households.pending

    open_ = [region for region in now.regions if region.households.reached < region.households.total]
    return sorted(open_, key=missing)[:_VILLAGES]
