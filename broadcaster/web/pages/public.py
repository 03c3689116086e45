"""`/a` and `/a/{identifier}`: what is in force, and one alert with its area and history, for everybody.

Only what CAP calls Public is here; an exercise or a test says so in every place. The language stands in the address,
never in a cookie, so that caches on the way may keep the pages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from broadcaster.alerts.alert import Alert, MsgType, Scope, Status
from broadcaster.alerts.outline import outline, places
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.state import State
from broadcaster.errors import NotFoundError
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.language import CHINESE, ENGLISH
from broadcaster.web.pages.rendering import environment
from broadcaster.web.shelf import Document, Shelf

SHELF = web.AppKey("shelf", Shelf)
_SHOWN = (Status.ACTUAL.value, Status.EXERCISE.value, Status.TEST.value)
_LISTED = (Status.ACTUAL.value, Status.EXERCISE.value)
_LONGEST_LIST = 100
_LONGEST_HISTORY = 50
_LONGEST_NAME = 200
routes = web.RouteTableDef()


@routes.get("/a")
async def in_force(request: web.Request) -> web.Response:
    """The public alerts that are in force now, the latest first; exercises apart from what is real."""
    context, language = request.app[CONTEXT], _language(request)

    async def make(former: Document | None) -> Document:
        now = context.clock.now()
        found = AlertRecord.filter(state=State.ISSUED, superseded_by=None, status__in=_LISTED, expires_at__gt=now)
        records = await found.order_by("-issued_at", "-id").limit(_LONGEST_LIST)
        stamp = tuple((record.id, record.version) for record in records)
        if former is not None and former.stamp == stamp:
            return former
        shown = [(record, alert) for record in records if (alert := record.alert).scope is Scope.PUBLIC]
        async with context.database.connection() as connection:
            named = await places(connection, [alert for _, alert in shown])
        return _document(context, "public/alerts.html", "/a", language, stamp, shown=shown, places=named)

    return (await request.app[SHELF].take(("list", language), context.clock.now(), make)).answer(request)


@routes.get("/a/{identifier:.+}")
async def alert(request: web.Request) -> web.Response:
    """One alert: what it is, for where, until when, what came before and after it."""
    context, language, name = request.app[CONTEXT], _language(request), _name(request)

    async def make(former: Document | None) -> Document:
        record, shown = await _public(name)
        now = context.clock.now()
        history = await _history(record)
        stamp = (_over(record, now), tuple((one.id, one.version) for one in history))
        if former is not None and former.stamp == stamp:
            return former
        async with context.database.connection() as connection:
            named = await places(connection, [shown])
        return _document(
            context,
            "public/alert.html",
            f"/a/{name}",
            language,
            stamp,
            record=record,
            info=shown.info("zh-CN" if language == CHINESE else "en"),
            alert=shown,
            places=named,
            over=_over(record, now),
            cancel=record.msg_type == MsgType.CANCEL,
            history=history,
            newer=next((one for one in history if one.identifier == record.superseded_by), None),
        )

    return await _taken(request, ("alert", name, language), make)


@routes.get("/feeds/area/{identifier:.+}.json")
async def area(request: web.Request) -> web.Response:
    """The alert's area as GeoJSON, for the map of its page."""
    context, name = request.app[CONTEXT], _name(request)

    async def make(former: Document | None) -> Document:
        record, shown = await _public(name)
        if former is not None and former.stamp == record.version:
            return former
        async with context.database.connection() as connection:
            drawn = await outline(connection, shown, context.settings.district.code)
        text = await asyncio.to_thread(msgspec.json.encode, drawn)
        return Document.of(record.version, "application/geo+json", text.decode())

    return await _taken(request, ("area", name), make)


async def _taken(
    request: web.Request, key: Hashable, make: Callable[[Document | None], Awaitable[Document]]
) -> web.Response:
    document = await request.app[SHELF].take(key, request.app[CONTEXT].clock.now(), make)
    return document.answer(request)


async def _public(name: str) -> tuple[AlertRecord, Alert]:
    record = await AlertRecord.filter(identifier=name, status__in=_SHOWN, issued_at__isnull=False).first()
    if record is None or (shown := record.alert).scope is not Scope.PUBLIC:
        raise NotFoundError("没有这条公开预警。")
    return record, shown


async def _history(record: AlertRecord) -> list[AlertRecord]:
    """Its lineage as far as it is public, the latest first."""
    found = AlertRecord.filter(lineage=record.lineage, status=record.status, issued_at__isnull=False)
    records = await found.order_by("-issued_at", "-id").limit(_LONGEST_HISTORY)
    return [one for one in records if one.id == record.id or one.alert.scope is Scope.PUBLIC]


def _over(record: AlertRecord, now: datetime) -> bool:
    return not record.open or (record.expires_at is not None and record.expires_at <= now)


def _name(request: web.Request) -> str:
    name = request.match_info["identifier"].replace("\0", "")
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise NotFoundError("没有这条公开预警。", remedy="请从“正在生效的预警”中选择。")
    return name


def _language(request: web.Request) -> str:
    return ENGLISH if request.query.get("lang") == ENGLISH else CHINESE


def _document(context: Context, template: str, path: str, language: str, stamp: Hashable, **values: Any) -> Document:
    text = (
        environment(language)
        .get_template(template)
        .render(
            language=language,
            html_language="zh-Hans" if language == CHINESE else "en",
            district=context.settings.district.name,
            path=path,
            suffix="" if language == CHINESE else "?lang=en",
            **values,
        )
    )
    return Document.of(stamp, "text/html", text)
