"""Those who subscribe to our alerts: how they fare, their secrets, and what could not be brought to them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from aiohttp import web

from broadcaster.errors import ConflictError, InputError
from broadcaster.outlets import Manner, OutletKind
from broadcaster.security.permissions import Action, Actor, require
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.pages.forms import Form, fields
from broadcaster.web.pages.frame import Section, framed, reader
from broadcaster.webhooks import subscribers
from broadcaster.webhooks.subscribers import Wanted

_ONE = r"/subscribers/{id:\d{1,9}}"
SECTION = Section("/subscribers", "订阅者", Action.MANAGE_GATEWAYS)
routes = web.RouteTableDef()


@routes.get("/subscribers")
async def overview(request: web.Request) -> web.Response:
    """Every subscriber, the form for a new one, and the messages that were given up."""
    context, actor = await _manager(request)
    return await _page(request, context, actor, Form())


@routes.post("/subscribers")
async def add(request: web.Request) -> web.Response:
    """A new one; the page shows its secret, this once."""
    context, actor = await _manager(request)
    given = await fields(request)
    wanted = _wanted(given)
    form = Form(given, subscribers.faults(wanted))
    if form.good:
        district, now = context.settings.district.code, context.clock.now()
        try:
            number = await subscribers.add(context.database, actor, district, wanted, context.secrets, now)
        except ConflictError as error:
            form.faults["name"] = error.sentence
        else:
            if wanted.kind is not OutletKind.WEBHOOK:
                raise web.HTTPSeeOther("/subscribers?said=subscriber_added")
            return await _page(request, context, actor, Form(), context.secrets.shown(number, 1))
    return await _page(request, context, actor, form)


@routes.post(_ONE + "/secret")
async def secret(request: web.Request) -> web.Response:
    """A new secret, shown this once; the old one is void."""
    context, actor = await _manager(request)
    await fields(request)
    number = int(request.match_info["id"])
    district, now = context.settings.district.code, context.clock.now()
    version = await subscribers.renew(context.database, actor, district, number, now)
    return await _page(request, context, actor, Form(), context.secrets.shown(number, version))


@routes.post(_ONE + "/password")
async def password(request: web.Request) -> web.Response:
    """Another password that it gave us."""
    context, actor = await _manager(request)
    given, number = await fields(request), int(request.match_info["id"])
    district, now, new = context.settings.district.code, context.clock.now(), given.get("password", "")
    await subscribers.set_password(context.database, actor, district, number, new, context.secrets, now)
    raise web.HTTPSeeOther("/subscribers?said=subscriber_password")


@routes.post(_ONE + "/off")
async def switch_off(request: web.Request) -> web.Response:
    """Tell it no more."""
    return await _switch(request, active=False)


@routes.post(_ONE + "/on")
async def switch_on(request: web.Request) -> web.Response:
    """Tell it again."""
    return await _switch(request, active=True)


@routes.post(r"/subscribers/webhooks/{id:\d{1,9}}/resend")
async def resend(request: web.Request) -> web.Response:
    """Try a message again that was given up."""
    context, actor = await _manager(request)
    await fields(request)
    district, now = context.settings.district.code, context.clock.now()
    await subscribers.resend(context.database, actor, district, int(request.match_info["id"]), now)
    raise web.HTTPSeeOther("/subscribers?said=webhook_again")


def _wanted(given: Mapping[str, str]) -> Wanted:
    """What the form says; what it says wrong is found by `faults`."""
    kind, auth = given.get("kind", ""), given.get("auth", "")
    said = {
        "auth": auth,
        "login": given.get("login", "").strip() if auth in ("basic", "header") else "",
        "topic": given.get("topic", "").strip(),
        "retain": given.get("retain") == "yes",
        "version": given.get("version") or "5",
        "authority": given.get("authority", "").strip(),
    }
    try:
        manner = msgspec.convert(said, Manner)
    except msgspec.ValidationError as error:
        raise InputError("没有这种认证方式或协议版本。", remedy="请从页面上选择。") from error
    return Wanted(
        given.get("name", "").strip(),
        given.get("url", "").strip(),
        given.get("side") == "drill",
        given.get("private") == "yes",
        OutletKind(kind) if kind in list(OutletKind) else OutletKind.WEBHOOK,
        manner,
        given.get("password", ""),
    )


async def _switch(request: web.Request, *, active: bool) -> web.Response:
    context, actor = await _manager(request)
    await fields(request)
    district, now, number = context.settings.district.code, context.clock.now(), int(request.match_info["id"])
    await subscribers.switch(context.database, actor, district, number, now, active=active)
    raise web.HTTPSeeOther(f"/subscribers?said=subscriber_{'on' if active else 'off'}")


async def _manager(request: web.Request) -> tuple[Context, Actor]:
    actor, context = await reader(request), request.app[CONTEXT]
    require(actor, Action.MANAGE_GATEWAYS, (context.settings.district.code,))
    return context, actor


async def _page(request: web.Request, context: Context, actor: Actor, form: Form, shown: str = "") -> web.Response:
    async with context.database.connection() as connection:
        found, dead = await subscribers.subscribers(connection), await subscribers.dead(connection)
    return framed(
        request,
        actor,
        "console/subscribers/overview.html",
        status=200 if form.good else 422,
        form=form,
        subscribers=found,
        dead=dead,
        secret=shown,
    )
