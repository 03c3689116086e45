"""The start page: which alerts there are, and what somebody must see to, which keeps itself up to date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from aiohttp import web

from audiences import region_tree
from broadcaster.errors import InputError
from broadcaster.intake.listing import waiting
from broadcaster.security.permissions import Action, Actor, scopes
from broadcaster.triggers import listing, rules
from broadcaster.web.api.alerts import AlertQuery
from broadcaster.web.api.alerts import page as alerts_page
from broadcaster.web.api.help_requests import HelpState, help_requests
from broadcaster.web.api.notices import ABOUT_UNITS, notices
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.pages.forms import Form, token
from broadcaster.web.pages.frame import Section, framed, reader
from broadcaster.web.pages.rendering import page

_TO_DO = 50  # on the start page
SECTION = Section("/alerts", "预警信息", Action.SEE)
routes = web.RouteTableDef()


@routes.get("/alerts")
async def alerts(request: web.Request) -> web.Response:
    """The alerts that the reader may see, newest first."""
    return await start_page(request, await reader(request))


async def start_page(request: web.Request, actor: Actor, form: Form | None = None) -> web.Response:
    """The start page. `form` is one of its forms in which something was wrong: that of the unit `unit`."""
    try:
        query = msgspec.convert({k: v for k, v in request.query.items() if k == "before"}, AlertQuery, strict=False)
    except msgspec.ValidationError as error:
        raise InputError("页码不对。", remedy="请从列表第一页开始。") from error
    context = request.app[CONTEXT]
    shown = await alerts_page(context, actor, query)
    to_do = await _to_do(context, actor)
    if form:
        to_do["form"] = form
    status = 422 if form else 200
    return framed(request, actor, "console/alerts.html", status=status, alerts=shown.alerts, next=shown.next, **to_do)


@routes.get("/alerts/-/desk")
async def desk(request: web.Request) -> web.Response:
    """The part of the start page that changes while nobody touches it."""
    actor, context = await reader(request), request.app[CONTEXT]
    return page(request, "console/_desk.html", form_token=token(request), **await _to_do(context, actor))


async def _to_do(context: Context, actor: Actor) -> dict[str, Any]:
    """What somebody must see to. `cries` grows with each call for help and each alert that is about to go out."""
    found = {**await attention(context, actor), **await measured(context, actor)}
    cries = sum(one.times for one in found["helps"]) + max(
        (one.id for one in found["rule_events"] if one.state == "held"), default=0
    )
    return {**found, "told": await _told(context, actor), "cries": cries}


async def _told(context: Context, actor: Actor) -> int:
    """How many messages of other machines wait for somebody who may write."""
    if not scopes(actor, Action.CREATE):
        return 0
    async with context.database.connection() as connection:
        return await waiting(connection)


async def measured(context: Context, actor: Actor) -> dict[str, Any]:
    """What rules and stations have to tell somebody: alerts that wait for a veto first, then what is silent."""
    seen_in = scopes(actor, Action.SEE_STATIONS)
    if not seen_in:
        return {**by_rule(context, actor, [], []), "silent": []}
    async with context.database.connection() as connection:
        events = await rules.open_events(connection, seen_in)
        silent = await listing.silent(connection, seen_in)
        ahead = await listing.ahead(connection, silent, context.clock.now())
        named = await region_tree.named(connection, {region for one in events for region in one.regions})
    return {**by_rule(context, actor, events, named), "silent": silent, "ahead": ahead}


async def decided(context: Context, actor: Actor, alert_id: int) -> dict[str, Any]:
    """What rules have to tell somebody about one alert: above all that it goes out unless it is vetoed, or that it has
    been."""
    found = await measured(context, actor)
    async with context.database.connection() as connection:
        called_off = await rules.called_off(connection, alert_id)
    about = [one for one in found["rule_events"] if one.alert_id == alert_id]
    return {**found, "rule_events": about, "called_off": called_off}


def by_rule(
    context: Context, actor: Actor, events: Sequence[rules.Event], named: Sequence[region_tree.Place]
) -> dict[str, Any]:
    """What the part of a page needs that lists `events`; `named` are the regions it has names for."""
    return {
        "rule_events": events,
        "place_names": {place.code: place.name for place in named},
        "may_veto": vetoing(actor),
        "may_write": bool(scopes(actor, Action.CREATE)),
        "now": context.clock.now(),
    }


def vetoing(actor: Actor) -> Callable[[Sequence[str]], bool]:
    """Whether the actor may veto what concerns all of some regions."""
    within = scopes(actor, Action.VETO_RULES)
    return lambda regions: bool(within) and all(region.startswith(within) for region in regions)


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
