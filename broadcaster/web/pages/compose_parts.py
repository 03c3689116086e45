"""The parts of a draft's page that take a moment: who is in its area, how long it takes, how it sounds, the regions."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from audiences import region_tree, selection
from audiences.region_tree import Place
from broadcaster.alerts.alert import Alert
from broadcaster.alerts.drafts import Deed
from broadcaster.capacity.planner import Outlook
from broadcaster.capacity.words import duration
from broadcaster.catalogue import catalogue
from broadcaster.database import Connection
from broadcaster.errors import InputError, NotFoundError, RuleError
from broadcaster.issuing import selection_of
from broadcaster.ports import Medium
from broadcaster.security.permissions import Action, require_somewhere, scopes
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.drafting import Composed, composed, may_write, opened
from broadcaster.web.language import chosen
from broadcaster.web.pages.compose import KEY
from broadcaster.web.pages.frame import reader
from broadcaster.web.pages.previews import letter, recording
from broadcaster.web.pages.rendering import page

routes = web.RouteTableDef()


@routes.get(f"/compose/{KEY}/audience")
async def audience(request: web.Request) -> web.Response:
    """Households, people, duty holders, loudspeakers and vulnerable homes of the area, counted now."""
    context = request.app[CONTEXT]
    one = await _theirs(request)
    counts = None
    anywhere = one.reading.regions or one.reading.rings or one.reading.circles
    if anywhere and not one.reading.faults.get("shapes"):
        async with context.database.connection() as connection:
            counts = await count(context, connection, one.alert)
    return page(request, "console/compose/_audience.html", counts=counts, area=one.area if anywhere else "")


@routes.get(f"/compose/{KEY}/outlook")
async def outlook(request: web.Request) -> web.Response:
    """How long each channel will take, and what it costs where the price is known."""
    context = request.app[CONTEXT]
    one = await _theirs(request)
    ready = one.alert.expires is not None and (one.coverage if one.draft.replaces else one.reading.regions)
    shaped = one.reading.rings or one.reading.circles
    if not ready and not (shaped and one.alert.expires):
        return page(request, "console/compose/_outlook.html", outlook=None, why="", **shown(context, request))
    made, why = await foreseen(context, one.alert, chosen(request))
    unheard = made is None and one.draft.deed is Deed.MISFIRE
    values = {"outlook": made, "why": why, "unheard": unheard, **shown(context, request)}
    return page(request, "console/compose/_outlook.html", **values)


@routes.get(rf"/compose/{KEY}/audio/{{medium:[a-z]+}}")
async def audio(request: web.Request) -> web.FileResponse:
    """What a loudspeaker will play, or a call will say."""
    one = await _theirs(request)
    return await recording(request.app[CONTEXT], one.alert, request.match_info["medium"], None)


@routes.get(f"/compose/{KEY}/mail")
async def mail(request: web.Request) -> web.Response:
    """What a mail program will show."""
    one = await _theirs(request)
    return await letter(request.app[CONTEXT], one.alert, None, one.area)


@routes.get("/compose/regions")
async def regions(request: web.Request) -> web.Response:
    """Regions to tick: those below `under`, or those that `q` finds; ticked where the draft `key` has them."""
    actor = await reader(request)
    allowed = require_somewhere(actor, Action.CREATE)
    context = request.app[CONTEXT]
    key, under, text = (request.query.get(name, "").replace("\0", "") for name in ("key", "under", "q"))
    draft, text = await opened(context, actor, key[:40]), text.strip()[:50]
    async with context.database.connection() as connection:
        found = await _below(connection, under) if under else await _search(connection, text, allowed)
    found = [place for place in found if place.code.startswith(allowed)]
    values: dict[str, Any] = {
        "places": found,
        "typed": draft.typed,
        "key": draft.key,
        "searched": bool(text) and not under,
    }
    return page(request, "console/compose/_places.html", **values)


async def count(context: Context, connection: Connection, alert: Alert) -> selection.Counts:
    """Who is in an alert's area."""
    return await selection.count(connection, selection_of(alert, context.settings.district.code), context.clock.now())


async def foreseen(context: Context, alert: Alert, language: str) -> tuple[Outlook | None, str]:
    """The forecast, or why there is none."""
    try:
        return await context.foresee(alert, catalogue("broadcaster.capacity", language).gettext), ""
    except RuleError as error:
        return None, error.sentence


def shown(context: Context, request: web.Request) -> dict[str, Any]:
    """What the forecast's table needs besides."""
    translate = catalogue("broadcaster.capacity", chosen(request)).gettext
    return {
        "price": context.settings.messages.sms_price,
        "duration": lambda seconds: duration(seconds, translate),
        "sms": Medium.SMS,
    }


async def _theirs(request: web.Request) -> Composed:
    """The draft, where its area is the reader's own: what lies elsewhere is not counted for them."""
    actor = await reader(request)
    require_somewhere(actor, Action.CREATE if not scopes(actor, Action.CANCEL) else Action.CANCEL)
    context = request.app[CONTEXT]
    one = await composed(context, await opened(context, actor, request.match_info["key"]))
    if not may_write(actor, one):
        raise NotFoundError("这个区域超出了您的辖区。", remedy="请在自己的辖区内选择。")
    return one


async def _below(connection: Connection, under: str) -> list[Place]:
    try:
        return await region_tree.below(connection, under) if under.isascii() and under.isdigit() else []
    except ValueError as error:
        raise InputError("没有这个地区代码。", remedy="请从列表中选择。") from error


async def _search(connection: Connection, text: str, allowed: tuple[str, ...]) -> list[Place]:
    return await region_tree.search(connection, text, allowed) if text else []
