"""The report of dead numbers: what failed again and again, to look through, to take along, and to switch off."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from aiohttp import web

from audiences import masking
from broadcaster.errors import InputError
from broadcaster.rosters import dead as numbers
from broadcaster.rosters.dead import DeadContact
from broadcaster.security import audit
from broadcaster.security.permissions import Action, may, require_somewhere, scopes
from broadcaster.web.context import CONTEXT
from broadcaster.web.csv import line
from broadcaster.web.pages.forms import fields
from broadcaster.web.pages.frame import framed, reader

PAGE = 50
MOST = 50_000  # rows of the file
_BOM = "\ufeff"  # without it Excel takes the file for GBK
_TITLES = ("地区代码", "地区", "户号", "姓名", "种类", "号码或地址", "连续失败", "最近一次", "原因")
routes = web.RouteTableDef()


@routes.get("/audience/dead")
async def dead(request: web.Request) -> web.Response:
    """One page of them, masked."""
    actor = await reader(request)
    seen = require_somewhere(actor, Action.SEE_AUDIENCE)
    after = request.query.get("after", "0")
    if not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise InputError("页码不对。", remedy="请从第一页开始。")
    context = request.app[CONTEXT]
    async with context.database.connection() as connection:
        found = await numbers.dead(connection, seen, context.clock.now(), after=int(after), most=PAGE)
    return framed(
        request,
        actor,
        "console/audience/dead.html",
        dead=found,
        next=found[-1].id if len(found) == PAGE else 0,
        alerts=numbers.ALERTS,
        failures=numbers.FAILURES,
        name=masking.name,
        address=masking.address,
        may_bury=[one.id for one in found if may(actor, Action.CORRECT_CONTACTS, [one.region])],
    )


@routes.get("/audience/dead.csv")
async def download(request: web.Request) -> web.Response:
    """All of them as a file; names and numbers are whole where the reader may see them, and that is recorded."""
    actor = await reader(request)
    seen = require_somewhere(actor, Action.SEE_AUDIENCE)
    whole = scopes(actor, Action.SEE_HOUSEHOLDS)
    context = request.app[CONTEXT]
    async with context.database.transaction() as connection:
        found = await numbers.dead(connection, seen, context.clock.now(), most=MOST)
        detail = {"rows": len(found)}
        await audit.append(connection, actor.account_id, "contacts.export", context.clock.now(), detail=detail)
    rows = (_row(one, shown=bool(whole) and one.region.startswith(whole)) for one in found)
    return web.Response(
        text=_BOM + line(_TITLES) + "".join(rows),
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": 'attachment; filename="dead-numbers.csv"'},
    )


@routes.post("/audience/dead/off")
async def off(request: web.Request) -> NoReturn:
    """Switch off one of them, or all of a page."""
    actor = await reader(request)
    require_somewhere(actor, Action.CORRECT_CONTACTS)
    written = (await fields(request)).get("contacts", "").split(",")
    if not all(one.isascii() and one.isdigit() and len(one) <= 18 for one in written):
        raise InputError("没有选择号码。", remedy="请返回失效号码页面重新选择。")
    context = request.app[CONTEXT]
    gone = await numbers.bury(context.database, actor, [int(one) for one in written], context.clock.now())
    raise web.HTTPSeeOther(f"/audience/dead?said={'dead_off' if gone else 'dead_none'}")


def _row(one: DeadContact, *, shown: bool) -> str:
    name: Callable[[str], str] = str if shown else masking.name
    return line(
        (
            one.region,
            one.region_name,
            one.household,
            name(one.name),
            one.medium,
            one.address if shown else masking.address(one.medium, one.address),
            str(one.failures),
            one.last_at.isoformat() if one.last_at else "",
            one.reason if shown else "",
        )
    )
