"""The start page: which alerts there are, and what somebody must see to."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from broadcaster.errors import InputError
from broadcaster.security.permissions import Action, Actor, scopes
from broadcaster.web.api.alerts import AlertQuery
from broadcaster.web.api.alerts import page as alerts_page
from broadcaster.web.api.help_requests import HelpState, help_requests
from broadcaster.web.api.notices import ABOUT_UNITS, notices
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.pages.frame import framed, reader

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
    to_do = await attention(context, actor)
    return framed(request, actor, "console/alerts.html", alerts=shown.alerts, next=shown.next, **to_do)


async def attention(context: Context, actor: Actor) -> dict[str, Any]:
    """What somebody must see to, as the page lists it: open calls for help, then units to ring up."""
    seen_in = scopes(actor, Action.SEE_HOUSEHOLDS)
    closing, confirming = scopes(actor, Action.CLOSE_HELP), scopes(actor, Action.CONFIRM)
    return {
        "helps": await help_requests(context, None, seen_in, state=HelpState.OPEN, limit=_TO_DO) if seen_in else [],
        "notices": await notices(context, None, seen_in, ABOUT_UNITS, limit=_TO_DO) if seen_in else [],
        "may_close": lambda region: bool(closing) and (not region or region.startswith(closing)),
        "may_confirm": lambda region: bool(confirming) and region.startswith(confirming),
        "most": _TO_DO,
    }
