"""The status pages: which alerts there are, and how far each has come."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from broadcaster.alerts.records import AlertRecord
from broadcaster.errors import InputError
from broadcaster.progress import Progress, RegionProgress
from broadcaster.security.credentials import form_token
from broadcaster.security.permissions import Action, Actor, scopes
from broadcaster.web.api.alerts import AlertQuery
from broadcaster.web.api.alerts import page as alerts_page
from broadcaster.web.api.progress import current
from broadcaster.web.api.units import UnitQuery, units
from broadcaster.web.authentication import SESSION_COOKIE, session
from broadcaster.web.context import CONTEXT
from broadcaster.web.pages.rendering import page
from broadcaster.web.sight import seen
from broadcaster.web.sql import SQL

STATES = ("delivered", "failed", "submitted", "queued", "unknown", "expired", "cancelled")  # what matters most first
_VILLAGES = 50
_UNITS = 200
routes = web.RouteTableDef()


@routes.get("/alerts")
async def alerts(request: web.Request) -> web.Response:
    """The alerts that the reader may see, newest first."""
    actor = await _reader(request)
    try:
        query = msgspec.convert({k: v for k, v in request.query.items() if k == "before"}, AlertQuery, strict=False)
    except msgspec.ValidationError as error:
        raise InputError("页码不对。", remedy="请从列表第一页开始。") from error
    shown = await alerts_page(request.app[CONTEXT], actor, query)
    return page(request, "console/alerts.html", alerts=shown.alerts, next=shown.next, **_frame(request, actor))


@routes.get(r"/alerts/{id:\d{1,9}}")
async def alert(request: web.Request) -> web.Response:
    """How far one alert has come; keeps itself up to date where the browser runs our script."""
    actor = await _reader(request)
    record, values = await _status(request, actor)
    return page(request, "console/alert.html", record=record, alert=record.alert, **values, **_frame(request, actor))


@routes.get(r"/alerts/{id:\d{1,9}}/status")
async def status(request: web.Request) -> web.Response:
    """The part of the page that changes."""
    record, values = await _status(request, await _reader(request))
    return page(request, "console/_status.html", record=record, **values)


async def _status(request: web.Request, actor: Actor) -> tuple[AlertRecord, dict[str, Any]]:
    context = request.app[CONTEXT]
    alert_id = int(request.match_info["id"])
    record = await seen(context, actor, alert_id)
    now = await current(context, alert_id)
    allowed = scopes(actor, Action.SEE_HOUSEHOLDS)
    async with context.database.connection() as connection:
        listed = await units(connection, alert_id, allowed, UnitQuery(limit=_UNITS)) if allowed else []
        steps = await connection.fetch(SQL["escalations"], alert_id)
        helps = await connection.fetch(SQL["helps"], alert_id, list(allowed)) if allowed else []
    return record, {
        "progress": now,
        "states": STATES,
        "villages": _silent(now),
        "villages_total": sum(region.households.reached < region.households.total for region in now.regions),
        "units": listed,
        "escalations": steps,
        "helps": helps,
        "may_see_households": bool(allowed),
        "as_of": context.clock.now(),
    }


def _silent(now: Progress) -> list[RegionProgress]:
    """The villages with the most households that nobody has reached."""

    def missing(region: RegionProgress) -> tuple[int, int]:
        return -region.households.unreached, -region.households.pending

    open_ = [region for region in now.regions if region.households.reached < region.households.total]
    return sorted(open_, key=missing)[:_VILLAGES]


async def _reader(request: web.Request) -> Actor:
    proof = await session(request)
    if proof is None:
        raise web.HTTPFound("/")
    return proof.actor


def _frame(request: web.Request, actor: Actor) -> dict[str, Any]:
    return {"account": actor.name, "form_token": form_token(request.cookies[SESSION_COOKIE])}
