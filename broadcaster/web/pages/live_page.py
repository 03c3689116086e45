"""The live page of an alert: its parts, pushed as they change over one line of server-sent events, and its map."""

from __future__ import annotations

import contextlib
import re
import time

import msgspec
from aiohttp import web

from broadcaster.alerts import authoring
from broadcaster.alerts.records import AlertRecord
from broadcaster.errors import InputError
from broadcaster.report import geography
from broadcaster.report.geography import collection
from broadcaster.security.permissions import Action, scopes
from broadcaster.web.context import CONTEXT
from broadcaster.web.envelope import streaming
from broadcaster.web.language import chosen
from broadcaster.web.live import LIVE
from broadcaster.web.metrics import METRICS
from broadcaster.web.pages.actions import offered
from broadcaster.web.pages.console import decided
from broadcaster.web.pages.forms import token
from broadcaster.web.pages.frame import framed, reader
from broadcaster.web.pages.live_parts import NAMES, SHARES, LiveParts, Parts, Sight
from broadcaster.web.sight import seen

PARTS = web.AppKey("live_parts", LiveParts)
SLOW = frozenset({SHARES, "villages"})
PAUSE = 3.0
"""Seconds between two sendings of the map's colours and the list of villages at the least: they are the largest parts,
and nobody reads them by the second."""

_VILLAGE = re.compile(r"\d{12}")
routes = web.RouteTableDef()


def prepare(app: web.Application) -> None:
    """What the pages here share, put into the application."""
    app[PARTS] = LiveParts(app[CONTEXT])


@routes.get(r"/alerts/{id:\d{1,9}}")
async def alert(request: web.Request) -> web.Response:
    """How far one alert has come; keeps itself up to date where the browser runs our script. `?view=wall` is for a
    large screen."""
    actor = await reader(request)
    context, alert_id = request.app[CONTEXT], int(request.match_info["id"])
    await seen(context, actor, alert_id)
    wall = request.query.get("view") == "wall"
    parts = await request.app[PARTS].now(alert_id, Sight.of(actor, chosen(request), wall=wall))
    record = await authoring.load(alert_id)  # after its mark among the parts, or the page would be older than that
    return framed(
        request,
        actor,
        "console/live/wall.html" if wall else "console/alert.html",
        record=record,
        alert=record.alert,
        newer=await AlertRecord.get_or_none(identifier=record.superseded_by) if record.superseded_by else None,
        parts=_signed(request, parts),
        names=NAMES,
        may_see_households=bool(scopes(actor, Action.SEE_HOUSEHOLDS)),
        **({"rule_events": [], "called_off": None} if record.issued_at else await decided(context, actor, alert_id)),
        **await offered(context, actor, record),
    )


@routes.get(r"/alerts/{id:\d{1,9}}/status")
async def status(request: web.Request) -> web.Response:
    """The parts that change, as one piece of HTML."""
    actor = await reader(request)
    context, alert_id = request.app[CONTEXT], int(request.match_info["id"])
    await seen(context, actor, alert_id)
    parts = _signed(request, await request.app[PARTS].now(alert_id, Sight.of(actor, chosen(request))))
    response = web.Response(text="".join(parts[name] for name in NAMES), content_type="text/html")
    response.headers["Vary"] = "Cookie"
    return response


@routes.get(r"/alerts/{id:\d{1,9}}/live")
@streaming
async def live(request: web.Request) -> web.StreamResponse:
    """Server-sent events: `parts`, first every part, then those that have changed, by name. The first is not spared
    where the page is new: what happened while it was made would be missed."""
    actor = await reader(request)
    context, alert_id = request.app[CONTEXT], int(request.match_info["id"])
    await seen(context, actor, alert_id)
    line = request.app[LIVE]
    line.admit()
    sight = Sight.of(actor, chosen(request), wall=request.query.get("view") == "wall")
    watcher = _Watcher(request.app[PARTS], alert_id, sight, token(request))
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    await response.prepare(request)
    await response.write(b": open\n\n")
    async with contextlib.aclosing(line.watch(alert_id)) as snapshots:
        async for found in snapshots:
            began = time.perf_counter()
            said = await watcher.news(found.id) if found is not None else watcher.rest()
            await response.write(said)
            METRICS.refresh(time.perf_counter() - began)
    return response


@routes.get(r"/alerts/{id:\d{1,9}}/map.json")
async def outlines(request: web.Request) -> web.Response:
    """Villages as GeoJSON; with `?village=` the grids of one, with their households."""
    actor = await reader(request)
    context, alert_id = request.app[CONTEXT], int(request.match_info["id"])
    await seen(context, actor, alert_id)
    village = request.query.get("village")
    if village is not None and not _VILLAGE.fullmatch(village):
        raise InputError("村（社区）代码不对。", remedy="请在地图上选择。")
    async with context.database.connection() as connection:
        if village is None:
            places = await geography.villages(connection, alert_id)
        else:
            places = await geography.grids(connection, alert_id, village)
    response = web.Response(body=collection(places), content_type="application/geo+json")
    response.enable_compression()
    return response


class _Watcher:
    """What one reader has been told."""

    def __init__(self, parts: LiveParts, alert_id: int, sight: Sight, form_token: str) -> None:
        self._parts = parts
        self._alert_id = alert_id
        self._sight = sight
        self._token = form_token
        self._told: dict[str, str] = {}
        self._slow = 0.0
        self._now: Parts = {}

    async def news(self, state: str) -> bytes:
        """The event that brings this reader into `state`; a sign of life where nothing of theirs has changed."""
        self._now = await self._parts.at(self._alert_id, state, self._sight)
        return self._event(state)

    def rest(self) -> bytes:
        """On a quiet line: what was held back."""
        return self._event("") if self._now else b": alive\n\n"

    def _event(self, state: str) -> bytes:
        changed = {name: part for name, part in self._now.items() if self._told.get(name) != part.mark}
        if SLOW & changed.keys():
            if time.monotonic() - self._slow < PAUSE:
                changed = {name: part for name, part in changed.items() if name not in SLOW}
            else:
                self._slow = time.monotonic()
        if not changed:
            return b": alive\n\n"
        self._told |= {name: part.mark for name, part in changed.items()}
        data = msgspec.json.encode({name: part.signed(self._token) for name, part in changed.items()})
        name = b"id: " + state.encode() + b"\n" if state else b""
        return name + b"event: parts\ndata: " + data + b"\n\n"


def _signed(request: web.Request, parts: Parts) -> dict[str, str]:
    given = token(request)
    return {name: part.signed(given) for name, part in parts.items()}
