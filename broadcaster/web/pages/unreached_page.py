"""The list of households that are not reached, and the button that tries them again once the cause is mended.

Who may not see the households of a region sees its lines masked; who may, is noted in the audit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from aiohttp import web

from audiences import masking
from broadcaster.dispatch.resending import require_open
from broadcaster.doorbell import WORK
from broadcaster.errands import errand
from broadcaster.errands.errand import Kind
from broadcaster.errors import ForbiddenError, InputError
from broadcaster.progress import progress
from broadcaster.report.unreached import Asked, UnreachedHousehold, Why, unreached
from broadcaster.security import audit
from broadcaster.security.permissions import Action, Actor, require_somewhere, scopes
from broadcaster.web.api.unreached import cursor, mark
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.pages.forms import fields
from broadcaster.web.pages.frame import framed, reader
from broadcaster.web.pages.places import region_of, towns_and_villages
from broadcaster.web.pages.rendering import page
from broadcaster.web.sight import seen

_ROWS = 100
SEEN = "households.see"
routes = web.RouteTableDef()


@routes.get(r"/alerts/{id:\d{1,9}}/unreached")
async def households(request: web.Request) -> web.Response:
    """One page of them, by region and reason."""
    actor = await reader(request)
    context, alert_id = request.app[CONTEXT], int(request.match_info["id"])
    record = await seen(context, actor, alert_id)
    region = region_of(request.query.get("region", ""))
    why = _why(request.query.get("why", ""))
    asked = Asked(
        alert_id=alert_id,
        scopes=scopes(actor, Action.SEE),
        region=region,
        pending=request.query.get("pending") == "1",
        why=why,
    )
    after = cursor(request.query.get("after", "")[:40])
    async with context.database.connection() as connection:
        found = await unreached(connection, asked, after, _ROWS)
        state = await progress(connection, alert_id)
        places = await towns_and_villages(connection, state.regions)
        asked_for = await errand.errands(connection, alert_id, actor.account_id)
    shown = await _shown(context, actor, alert_id, found)
    return framed(
        request,
        actor,
        "console/live/unreached.html",
        record=record,
        households=shown,
        progress=state,
        places=places,
        region=region,
        why=request.query.get("why", ""),
        pending=asked.pending,
        reasons=[one for one in Why if one],
        next=mark(found[-1]) if len(found) == _ROWS else "",
        may_export=bool(scopes(actor, Action.SEE_HOUSEHOLDS)),
        may_resend=bool(scopes(actor, Action.RESEND)) and record.open,
        errands=asked_for,
    )


@routes.post(r"/alerts/{id:\d{1,9}}/resend")
async def send_again(request: web.Request) -> NoReturn:
    """Have a worker try the households again that were given up in the region that was chosen, as far as the reader
    may; twice is as once."""
    actor = await reader(request)
    allowed = require_somewhere(actor, Action.RESEND)
    context, alert_id, now = request.app[CONTEXT], int(request.match_info["id"]), request.app[CONTEXT].clock.now()
    await seen(context, actor, alert_id)
    region = region_of((await fields(request)).get("region", ""))
    regions = [max(region, scope, key=len) for scope in allowed if scope.startswith(region) or region.startswith(scope)]
    if not regions:
        raise ForbiddenError("您不能在该地区重发。", remedy="请选择自己辖区内的地区。")
    async with context.database.transaction() as connection:
        await require_open(connection, alert_id, now)
        await errand.ask(connection, alert_id, actor.account_id, Kind.RESEND, regions, now)
    await context.bell.ring(WORK)
    raise web.HTTPSeeOther(f"/alerts/{alert_id}/unreached?region={region}#errands")


@routes.get(r"/alerts/{id:\d{1,9}}/errands/{errand:\d{1,18}}")
async def one_errand(request: web.Request) -> web.Response:
    """The part of the page that changes while a worker is at it; afterwards the browser is told to load the page."""
    actor = await reader(request)
    context, alert_id = request.app[CONTEXT], int(request.match_info["id"])
    await seen(context, actor, alert_id)
    async with context.database.connection() as connection:
        found = await errand.one(connection, alert_id, actor.account_id, int(request.match_info["errand"]))
    response = page(request, "console/live/_errand.html", errand=found)
    if not found.working:
        response.headers["HX-Refresh"] = "true"
    return response


async def _shown(
    context: Context, actor: Actor, alert_id: int, found: list[UnreachedHousehold]
) -> list[UnreachedHousehold]:
    """The households as the reader may see them; that they were seen is noted."""
    open_in = scopes(actor, Action.SEE_HOUSEHOLDS)
    plain = [one for one in found if open_in and one.region.startswith(open_in)]
    if plain:
        async with context.database.transaction() as connection:
            detail = {"households": len(plain)}
            subject = f"region:{plain[0].village}"
            now = context.clock.now()
            await audit.append(
                connection, actor.account_id, SEEN, now, alert_id=alert_id, subject=subject, detail=detail
            )
    clear = {one.household_id for one in plain}
    return [one if one.household_id in clear else _masked(one) for one in found]


def _masked(household: UnreachedHousehold) -> UnreachedHousehold:
    return replace(
        household,
        name=masking.name(household.name),
        address=masking.name(household.address),
        phones=tuple(masking.address("phone", phone) for phone in household.phones),
        tags=(),
        assignee=masking.name(household.assignee),
    )


def _why(text: str) -> Why | None:
    try:
        return Why(text) if text else None
    except ValueError as error:
        raise InputError("没有这个原因。", remedy="请从列表中选择。") from error
