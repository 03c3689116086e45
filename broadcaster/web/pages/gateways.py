"""The gateways: how each fares, its last exchanges, pausing it, and trying it with one message."""

from __future__ import annotations

import re
import secrets
from typing import Any

from aiohttp import web

from broadcaster.dispatch import pausing, trials
from broadcaster.doorbell import WORK
from broadcaster.errors import InputError, LimitedError
from broadcaster.gateway_status import last_of_its_channel, statuses
from broadcaster.journal import exchanges
from broadcaster.ports import GatewaySettings
from broadcaster.security.permissions import Action, Actor, require
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.pages.forms import Form, fields
from broadcaster.web.pages.frame import Section, framed, watcher
from broadcaster.web.pages.rendering import page

_NAME = r"/gateways/{name:[a-z][a-z0-9_-]{0,39}}"
_KEY = re.compile(r"[\w-]{16,64}")
SECTION = Section("/gateways", "网关", Action.MANAGE_GATEWAYS)
routes = web.RouteTableDef()


@routes.get("/gateways")
async def overview(request: web.Request) -> web.Response:
    """Every gateway; keeps itself up to date where the browser runs scripts."""
    context, actor = await _manager(request)
    return framed(request, actor, "console/gateways/overview.html", **await _all(context))


@routes.get("/gateways/-/status")
async def overview_status(request: web.Request) -> web.Response:
    """The part of the list that changes."""
    context, _ = await _manager(request)
    return page(request, "console/gateways/_list.html", **await _all(context))


@routes.get(_NAME)
async def gateway(request: web.Request) -> web.Response:
    """One gateway."""
    context, actor = await _manager(request)
    return await _gateway(request, context, actor, Form())


@routes.get(_NAME + "/status")
async def status(request: web.Request) -> web.Response:
    """The part of its page that changes."""
    context, _ = await _manager(request)
    return page(request, "console/gateways/_status.html", **await _one(context, _named(request, context)))


@routes.post(_NAME + "/pause")
async def pause(request: web.Request) -> web.Response:
    """Send nothing more through it."""
    context, actor = await _manager(request)
    given, one = await fields(request), _named(request, context)
    note = given.get("note", "").strip()
    if not note:
        form = Form(given, {"note": "请写明为什么暂停，交接班时别人要看。"})
        return await _gateway(request, context, actor, form)
    await pausing.pause(context.database, actor, context.settings.district.code, one, note, context.clock.now())
    raise web.HTTPSeeOther(f"/gateways/{one.name}?said=gateway-paused")


@routes.post(_NAME + "/resume")
async def resume(request: web.Request) -> web.Response:
    """Use it again."""
    context, actor = await _manager(request)
    await fields(request)
    one = _named(request, context)
    await pausing.resume(context.database, actor, context.settings.district.code, one, context.clock.now())
    await context.bell.ring(WORK)
    raise web.HTTPSeeOther(f"/gateways/{one.name}?said=gateway-resumed")


@routes.post(_NAME + "/trial")
async def trial(request: web.Request) -> web.Response:
    """Send one message through it, to the address that was typed."""
    context, actor = await _manager(request)
    given, one = await fields(request), _named(request, context)
    form, address = Form(given), ""
    try:
        address = trials.address_of(one.channel, given.get("address", ""))
    except InputError as error:
        form.faults["address"] = error.sentence
    if not one.rehearsal and given.get("sure") != "yes":
        form.faults["sure"] = "这是用于真实发布的网关，请勾选后再发。"
    if not _KEY.fullmatch(given.get("key", "")):
        raise InputError("页面已过期。", remedy="请返回，刷新页面后重新提交。")
    if form.good:
        try:
            await trials.ask(
                context.database,
                actor,
                context.settings.district.code,
                one,
                address,
                key=given["key"],
                digest=context.tokens.digest,
                now=context.clock.now(),
            )
        except LimitedError as error:
            form.faults["address"] = error.sentence
    if not form.good:
        return await _gateway(request, context, actor, form)
    await context.bell.ring(WORK)
    raise web.HTTPSeeOther(f"/gateways/{one.name}#trials")


async def _manager(request: web.Request) -> tuple[Context, Actor]:
    actor, context = await watcher(request), request.app[CONTEXT]
    require(actor, Action.MANAGE_GATEWAYS, (context.settings.district.code,))
    return context, actor


def _named(request: web.Request, context: Context) -> GatewaySettings:
    return context.settings.gateway(request.match_info["name"])


async def _all(context: Context) -> dict[str, Any]:
    async with context.database.connection() as connection:
        found = await statuses(connection, context.settings.gateways)
    return {"gateways": found, "as_of": context.clock.now()}


async def _one(context: Context, settings: GatewaySettings) -> dict[str, Any]:
    now = context.clock.now()
    async with context.database.connection() as connection:
        found = await statuses(connection, context.settings.gateways)
        lines = await exchanges(connection, settings.name)
        tried = await trials.latest(connection, settings.name, now)
    one = next(status for status in found if status.settings.name == settings.name)
    return {
        "gateway": one,
        "window": context.abilities(settings).window,
        "lines": lines,
        "trials": tried,
        "alone": last_of_its_channel(one, found),
        "as_of": now,
    }


async def _gateway(request: web.Request, context: Context, actor: Actor, form: Form) -> web.Response:
    values = await _one(context, _named(request, context))
    key = secrets.token_urlsafe(18) if form.good else form.values.get("key") or secrets.token_urlsafe(18)
    return framed(
        request,
        actor,
        "console/gateways/gateway.html",
        status=200 if form.good else 422,
        form=form,
        key=key,
        **values,
    )
