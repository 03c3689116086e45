"""The sources: how each fares, what was odd at the last visit, and having one visited at once."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from broadcaster.intake import listing
from broadcaster.intake.sql import SQL
from broadcaster.security.permissions import Action, Actor, require
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.pages.forms import fields, token
from broadcaster.web.pages.frame import Section, framed, watcher
from broadcaster.web.pages.rendering import page

SECTION = Section("/sources", "来源", Action.MANAGE_GATEWAYS)
routes = web.RouteTableDef()


@routes.get("/sources")
async def overview(request: web.Request) -> web.Response:
    """Every source; keeps itself up to date where the browser runs scripts."""
    context, actor = await _manager(request)
    return framed(request, actor, "console/sources/overview.html", **await _all(context))


@routes.get("/sources/-/status")
async def status(request: web.Request) -> web.Response:
    """The part of the list that changes."""
    context, _ = await _manager(request)
    return page(request, "console/sources/_list.html", form_token=token(request), **await _all(context))


@routes.post(r"/sources/{name:[a-z][a-z0-9_-]{0,39}}/visit")
async def visit(request: web.Request) -> web.Response:
    """Have it visited now, whatever it is waiting for."""
    context, _ = await _manager(request)
    await fields(request)
    settings = context.settings.source_named(request.match_info["name"])
    async with context.database.connection() as connection:
        await connection.execute(SQL["soon"], settings.name, context.clock.now())
    raise web.HTTPSeeOther("/sources?said=source_soon")


async def _manager(request: web.Request) -> tuple[Context, Actor]:
    actor, context = await watcher(request), request.app[CONTEXT]
    require(actor, Action.MANAGE_GATEWAYS, (context.settings.district.code,))
    return context, actor


async def _all(context: Context) -> dict[str, Any]:
    now = context.clock.now()
    async with context.database.connection() as connection:
        found = await listing.statuses(connection, context.settings.sources, now)
    return {"sources": found, "as_of": now}
