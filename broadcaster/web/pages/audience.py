"""Browsing audiences: the tree of regions with what lives in each, its homes and loudspeakers, and the search."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from aiohttp import web

from audiences import browse, masking
from audiences import search as finding
from audiences.browse import After
from audiences.records import Level
from broadcaster.database import Connection
from broadcaster.errors import InputError, NotFoundError
from broadcaster.security.permissions import Action, Actor, may, require_somewhere, scopes
from broadcaster.web.context import CONTEXT
from broadcaster.web.documents import posters
from broadcaster.web.pages.frame import Section, framed, reader

_CODE = re.compile(r"\d{6}(?:\d{3}){0,3}|")
_AFTER = re.compile(r"(\d{0,15})-(\d{1,18})")
_LISTED_FROM = 12  # digits of a code: homes are listed for villages and grids
SECTION = Section("/audience", "受众", Action.SEE_AUDIENCE)
routes = web.RouteTableDef()


@routes.get("/audience")
async def regions(request: web.Request) -> web.Response:
    """One region: the way to it, what is in it, the regions below; for a village or a grid its homes too."""
    actor = await reader(request)
    context = request.app[CONTEXT]
    code = region_asked(request, actor)
    after = after_asked(request)
    async with context.database.connection() as connection:
        path = await known_path(connection, code)
        places = await browse.below(connection, code, context.clock.now())
        homes = await browse.households(connection, code, after) if len(code) >= _LISTED_FROM else []
    return framed(
        request,
        actor,
        "console/audience/regions.html",
        code=code,
        steps=[step for step in path if may(actor, Action.SEE_AUDIENCE, [step[0]])],
        name=path[-1][1] if path else "",
        places=places,
        whole=browse.total(places),
        homes=homes,
        next=_next(homes),
        first=not after.region_code,
        swapped="HX-Request" in request.headers,
        query="",
        mask=masking.name,
        posters=context.invite is not None and _postered(code),
        **rights(actor),
    )


@routes.get("/audience/posters.pdf")
async def printed(request: web.Request) -> web.Response:
    """The posters with the QR codes of a town's villages, or of one village."""
    actor = await reader(request)
    code, context = region_asked(request, actor), request.app[CONTEXT]
    if context.invite is None:
        raise NotFoundError("没有公众号网关。", remedy="请先在设置里添加公众号网关（wechat.official）。")
    if not _postered(code):
        raise InputError("请选一个镇街或村社。", remedy="全区县的二维码用命令生成：daohu wechat qr。")
    found = await context.invite(code)
    content = await asyncio.to_thread(posters.write, found, context.office.issuer.name)
    named = {"Content-Disposition": f'attachment; filename="wechat-{code}.pdf"'}
    return web.Response(body=content, content_type="application/pdf", headers=named)


def _postered(code: str) -> bool:
    """Whether the codes below a region are few enough to be made while somebody waits: of a town or a village."""
    return Level.TOWN.code_length <= len(code) <= Level.VILLAGE.code_length


@routes.get("/audience/terminals")
async def terminals(request: web.Request) -> web.Response:
    """The loudspeakers of a region, page by page."""
    actor = await reader(request)
    code = region_asked(request, actor)
    async with request.app[CONTEXT].database.connection() as connection:
        path = await known_path(connection, code)
        found = await browse.terminals(connection, code, after_asked(request))
    return framed(
        request,
        actor,
        "console/audience/terminals.html",
        code=code,
        name=path[-1][1] if path else "",
        terminals=found,
        next=_next(found),
    )


@routes.get("/audience/search")
async def search(request: web.Request) -> web.Response:
    """What fits the words: by names and numbers of people only where their homes may be seen."""
    actor = await reader(request)
    seen = require_somewhere(actor, Action.SEE_AUDIENCE)
    named = scopes(actor, Action.SEE_HOUSEHOLDS)
    written = request.query.get("q", "").replace("\0", "")[: finding.LONGEST]
    async with request.app[CONTEXT].database.connection() as connection:
        found = await finding.search(connection, written, seen, named)
    return framed(
        request,
        actor,
        "console/audience/search.html",
        query=written,
        found=found,
        most=finding.MOST,
        by_people=bool(named),
        mask=masking.name,
        **rights(actor),
    )


def region_asked(request: web.Request, actor: Actor) -> str:
    """The code in `?region=`, by default where the actor's own region begins ("": everywhere).

    `NotFoundError` outside of what the actor may see.
    """
    allowed = require_somewhere(actor, Action.SEE_AUDIENCE)
    code = request.query.get("region", allowed[0])
    if not (code.isascii() and _CODE.fullmatch(code)) or not code.startswith(allowed):
        raise NotFoundError("没有这个地区。", remedy="请从受众页面逐级选择。")
    return code


async def known_path(connection: Connection, code: str) -> list[tuple[str, str]]:
    """The names from the county down; `NotFoundError` for a code that is no region ("" is everywhere)."""
    path = await browse.path(connection, code)
    if code and not path:
        raise NotFoundError("没有这个地区。", remedy="请从受众页面逐级选择。")
    return path


def after_asked(request: web.Request) -> After:
    """Where the page begins, as the link of the page before says it."""
    written = request.query.get("after", "")
    if not written:
        return After()
    match = _AFTER.fullmatch(written)
    if match is None or not written.isascii():
        raise InputError("页码不对。", remedy="请从第一页开始。")
    return After(match[1], int(match[2]))


def rights(actor: Actor) -> dict[str, Any]:
    """Which buttons make sense for the reader."""
    return {
        "scopes": scopes(actor, Action.SEE_AUDIENCE),
        "may_import": bool(scopes(actor, Action.IMPORT)),
        "may_correct": bool(scopes(actor, Action.CORRECT_CONTACTS)),
    }


def _next(rows: list[Any]) -> str:
    """The `after` of the page behind a full one; "" at the end."""
    return f"{rows[-1].region_code}-{rows[-1].id}" if len(rows) == browse.PAGE else ""
