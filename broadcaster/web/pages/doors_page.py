"""Door tasks: whose they are, giving them to somebody on duty, the sheets to take along, what was found at doors."""

from __future__ import annotations

import secrets
from itertools import groupby
from typing import NoReturn

from aiohttp import web

from audiences import masking
from broadcaster.alerts.records import AlertRecord
from broadcaster.dispatch import doors
from broadcaster.errors import ForbiddenError, InputError
from broadcaster.escalation import corrections
from broadcaster.escalation.doors import Result
from broadcaster.report.unreached import START, Asked, UnreachedHousehold, unreached
from broadcaster.security import audit
from broadcaster.security.permissions import Action, Actor, may, require, require_somewhere, scopes
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.pages.doors import corrected
from broadcaster.web.pages.forms import fields
from broadcaster.web.pages.frame import framed, reader
from broadcaster.web.pages.link import tap
from broadcaster.web.pages.places import region_of
from broadcaster.web.sight import household_scopes, seen

_GRIDS = 100
_VISITS = 50
_SHEET = 2000
"""Households of one print: about eighty pages."""

PRINTED = "households.print"
routes = web.RouteTableDef()


@routes.get(r"/alerts/{id:\d{1,9}}/doors")
async def grids(request: web.Request) -> web.Response:
    """The grids with door tasks; the one that was chosen (`?region=`) with everybody who may be given its doors."""
    actor = await reader(request)
    context, alert_id = request.app[CONTEXT], int(request.match_info["id"])
    record, allowed = await _opened(context, actor, alert_id)
    region, after = region_of(request.query.get("region", "")), _after(request.query.get("after", ""))
    async with context.database.connection() as connection:
        visits = await corrections.visits_in(connection, alert_id, region, allowed, actor.name, _VISITS)
        found = await doors.by_grid(connection, alert_id, region, allowed, after=after, limit=_GRIDS)
        choice = len(region) >= 9 and may(actor, Action.ASSIGN_DOORS, [region])
        people = await doors.candidates(connection, region, context.clock.now()) if choice else []
    return framed(
        request,
        actor,
        "console/live/doors.html",
        record=record,
        grids=found,
        region=region,
        people=people,
        chosen=choice,
        visits=visits,
        masked=masking.name,
        most_visits=_VISITS,
        results=[result.value for result in Result],
        may_correct=bool(scopes(actor, Action.CONFIRM)) and record.open,
        key=secrets.token_urlsafe(12),
        may_assign=bool(scopes(actor, Action.ASSIGN_DOORS)),
        next=f"{found[-1].key[0]:d}-{found[-1].region}" if len(found) == _GRIDS else "",
    )


@routes.post(r"/alerts/{id:\d{1,9}}/doors/visits/{visit:\d{1,18}}")
async def correct(request: web.Request) -> NoReturn:
    """Put right, or take back, what the reader's own account wrote down of a door; sent twice it is once."""
    actor = await reader(request)
    allowed = require_somewhere(actor, Action.CONFIRM)
    context, alert_id = request.app[CONTEXT], int(request.match_info["id"])
    await seen(context, actor, alert_id)
    given = await fields(request)
    result = corrected(given.get("result", ""))
    async with context.database.transaction() as connection:
        await corrections.correct_written(
            connection,
            alert_id,
            int(request.match_info["visit"]),
            result,
            allowed,
            context.clock.now(),
            key=f"{actor.account_id}-{tap(given)}",
            account=actor,
            note=given.get("note", ""),
        )
    said = "door_corrected" if result else "door_withdrawn"
    raise web.HTTPSeeOther(f"/alerts/{alert_id}/doors?region={region_of(given.get('region', ''))}&said={said}")


@routes.post(r"/alerts/{id:\d{1,9}}/doors/assign")
async def assign(request: web.Request) -> NoReturn:
    """Give the open tasks of a region to one person; done twice it changes nothing."""
    actor = await reader(request)
    require_somewhere(actor, Action.ASSIGN_DOORS)
    context, alert_id = request.app[CONTEXT], int(request.match_info["id"])
    await seen(context, actor, alert_id)
    given = await fields(request)
    region, person = region_of(given.get("region", "")), given.get("person", "")
    if not person.isascii() or not person.isdigit() or len(person) > 12 or len(region) < 9:
        raise InputError("没有选择地区和负责人。", remedy="请返回，选择网格和负责人。")
    require(actor, Action.ASSIGN_DOORS, [region])
    now = context.clock.now()
    async with context.database.transaction() as connection:
        changed = await doors.assign(connection, alert_id, region, int(person), now)
        if changed:
            await audit.append(
                connection,
                actor.account_id,
                Action.ASSIGN_DOORS.value,
                now,
                alert_id=alert_id,
                subject=f"region:{region}",
                detail={"person": int(person), "doors": changed},
            )
    raise web.HTTPSeeOther(f"/alerts/{alert_id}/doors?region={region[:12]}&said=doors_assigned")


@routes.get(r"/alerts/{id:\d{1,9}}/doors/print")
async def sheets(request: web.Request) -> web.Response:
    """One sheet per grid for `?region=`, to be printed and ticked; that it was taken is noted in the audit."""
    actor = await reader(request)
    context, alert_id = request.app[CONTEXT], int(request.match_info["id"])
    record, allowed = await _opened(context, actor, alert_id)
    region = region_of(request.query.get("region", ""))
    inside = [scope for scope in allowed if scope.startswith(region) or region.startswith(scope)]
    if not inside:
        raise ForbiddenError("您不能查看该地区的住户。", remedy="请选择自己辖区内的地区。")
    asked = Asked(alert_id=alert_id, scopes=inside, region=region, pending=request.query.get("pending") == "1")
    now = context.clock.now()
    async with context.database.transaction() as connection:
        found = await unreached(connection, asked, START, _SHEET + 1)
        detail = {"households": len(found)}
        subject = f"region:{region}"
        if found:
            await audit.append(
                connection, actor.account_id, PRINTED, now, alert_id=alert_id, subject=subject, detail=detail
            )
    return framed(
        request,
        actor,
        "console/live/doors_print.html",
        record=record,
        sheets=_by_grid(found[:_SHEET]),
        cut=len(found) > _SHEET,
        most=_SHEET,
        region=region,
        as_of=now,
    )


async def _opened(context: Context, actor: Actor, alert_id: int) -> tuple[AlertRecord, tuple[str, ...]]:
    """The alert, and the regions whose households the reader may see."""
    allowed = await household_scopes(context, actor, alert_id)
    return await seen(context, actor, alert_id), allowed


def _after(text: str) -> tuple[bool, str]:
    """Where the list goes on; `InputError` for what no page has given."""
    done, _, region = text.partition("-")
    if text and (done not in ("0", "1") or not region):
        raise InputError("页码不对。", remedy="请从名单第一页开始。")
    return (done == "1", region_of(region)) if text else doors.FIRST


def _by_grid(found: list[UnreachedHousehold]) -> list[list[UnreachedHousehold]]:
    """The doors to knock on first, the most at risk first, each in the order of its address."""

    def place(one: UnreachedHousehold) -> tuple[str, bool, int, str, int]:
        return one.region, one.door_task != "open", one.risk, one.address, one.household_id

    ordered = sorted(found, key=place)
    return [list(group) for _, group in groupby(ordered, key=lambda one: one.region)]
