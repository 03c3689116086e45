"""Stations: the list with what each said last, one of them with the course of a day, and who listens for them."""

from __future__ import annotations

from datetime import datetime, timedelta

from aiohttp import web

from broadcaster.errors import InputError
from broadcaster.security.permissions import Action, require_somewhere, scopes
from broadcaster.triggers import listing
from broadcaster.triggers.elements import unit
from broadcaster.triggers.listing import Point
from broadcaster.triggers.quality import USABLE
from broadcaster.triggers.station import NO_LIMITS, Limits
from broadcaster.web.context import CONTEXT
from broadcaster.web.pages.charting import charts
from broadcaster.web.pages.frame import Section, framed, reader

PAGE = 100
_LONGEST = 200  # characters of what is looked for
_SPANS = {"1": 1, "7": 7, "30": 30}
"""Days that a course may show."""

SECTION = Section("/stations", "测站", Action.SEE_STATIONS)
routes = web.RouteTableDef()


@routes.get("/stations")
async def overview(request: web.Request) -> web.Response:
    """The stations of the reader's regions."""
    actor, context = await reader(request), request.app[CONTEXT]
    seen = require_somewhere(actor, Action.SEE_STATIONS)
    words, after = request.query.get("q", "")[:_LONGEST], request.query.get("after", "")[:_LONGEST]
    if "\0" in words + after:
        raise InputError("查找的内容无法使用。", remedy="请输入站码或站名的一部分。")
    manages = bool(scopes(actor, Action.MANAGE_STATIONS)) and context.settings.district.code.startswith(
        scopes(actor, Action.MANAGE_STATIONS)
    )
    async with context.database.connection() as connection:
        found = await listing.stations(connection, seen, words=words, after=after, most=PAGE)
        latest = await listing.latest(connection, [one.id for one in found])
        ahead = await listing.ahead(connection, found, context.clock.now())
        strangers = await listing.strangers(connection) if manages else []
        names = [one.name for one in context.settings.sensors] if manages else []
        listeners = await listing.listeners(connection, names)
    return framed(
        request,
        actor,
        "console/stations/overview.html",
        stations=found,
        latest=latest,
        ahead=ahead,
        strangers=strangers,
        listeners=listeners,
        unit=unit,
        words=words,
        next=found[-1].code if len(found) == PAGE else "",
    )


@routes.get(r"/stations/{id:\d{1,9}}")
async def station(request: web.Request) -> web.Response:
    """One station: what is registered, and the course of each element."""
    actor, context = await reader(request), request.app[CONTEXT]
    seen = require_somewhere(actor, Action.SEE_STATIONS)
    days = _SPANS.get(request.query.get("days", "1"), 1)
    end = context.clock.now()
    start = end - timedelta(days=days)
    async with context.database.connection() as connection:
        one = await listing.station(connection, int(request.match_info["id"]), seen)
        latest = (await listing.latest(connection, [one.id])).get(one.id, [])
        ahead = await listing.ahead(connection, [one], end)
        courses = [await listing.course(connection, series.series, start, end) for series in latest]
    shown = [
        (series, points, charts(_points(points), start, end, limits=_limits(one.limits.get(series.element, NO_LIMITS))))
        for series, points in zip(latest, courses, strict=True)
    ]
    return framed(
        request,
        actor,
        "console/stations/station.html",
        station=one,
        ahead=ahead,
        shown=shown,
        doubtful={series.element: _doubtful(points) for series, points, _ in shown},
        unit=unit,
        days=days,
        spans=list(_SPANS.values()),
    )


def _points(points: list[Point]) -> list[tuple[datetime, float, bool]]:
    return [(one.at, one.value, one.verdict <= USABLE) for one in points]


def _limits(limits: Limits) -> list[tuple[float, str, str]]:
    named = ((limits.warning, "警戒", "warning"), (limits.guarantee, "保证", "guarantee"))
    return [(value, words, kind) for value, words, kind in named if value is not None]


def _doubtful(points: list[Point]) -> list[Point]:
    """The latest readings that rules do not use."""
    return [one for one in reversed(points) if one.verdict > USABLE][:20]
