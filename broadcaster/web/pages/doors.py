"""`/r/{token}/doors`: the doors of a village or grid, to call and to knock on; each is marked with one tap more,
and what one has marked is put right in the same way."""

from __future__ import annotations

import re
import secrets

from aiohttp import web

from broadcaster.errors import InputError, NotFoundError, RuleError
from broadcaster.escalation import corrections, doors
from broadcaster.escalation.doors import FIRST, Result
from broadcaster.escalation.posts import Post, post
from broadcaster.web.context import CONTEXT
from broadcaster.web.pages.link import answered, done, given, keep, link, tap
from broadcaster.web.pages.rendering import page

_PAGE = 100  # doors
_OWN = 30  # of what the reader marked last
_AFTER = re.compile(r"(\d{1,4})-(\d{1,18})")
routes = web.RouteTableDef()


@routes.get("/r/{token}/doors")
async def listed(request: web.Request) -> web.Response:
    """The open ones, the most at risk first. Only while the alert lasts and the reader is on duty."""
    context, found = request.app[CONTEXT], link(request)
    async with context.database.connection() as connection:
        reader = _responsible(await post(connection, found.alert_id, found.ordinal, context.clock.now()))
        if not reader.open:
            raise RuleError("这条消息已经结束或已有更新，入户名单已经关闭。", remedy="请以最新收到的消息为准。")
        shown = await doors.doors_of(connection, reader, _after(request), _PAGE)
        own = await corrections.visits_of(connection, reader, _OWN)
    response = page(
        request,
        "public/doors.html",
        link=found,
        post=reader,
        shown=shown,
        own=own,
        results=[result.value for result in Result],
        key=secrets.token_urlsafe(12),
        said=request.query.get("said", ""),
    )
    keep(request, response, reader.expires_at)
    return response


@routes.post("/r/{token}/doors")
async def mark(request: web.Request) -> web.Response:
    """`household` and `result`; then back to the list."""
    context, found = request.app[CONTEXT], answered(request)
    form = await given(request)
    try:
        result = Result(form.get("result", ""))
    except ValueError as error:
        raise InputError("没有选择结果。", remedy="请返回，选择一种结果。") from error
    number, now = form.get("household", ""), context.clock.now()
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        raise NotFoundError("名单里没有这一户。", remedy="请刷新名单。")
    async with context.database.connection() as connection:
        visitor = _responsible(await post(connection, found.alert_id, found.ordinal, now))
    await doors.visit(context.database, visitor, int(number), result, now, key=tap(form), note=form.get("note", ""))
    return done(request, f"{found.path}/doors", f"door_{result.value}")


@routes.post(r"/r/{token}/doors/visits/{visit:\d{1,18}}")
async def correct(request: web.Request) -> web.Response:
    """`result`, or `withdrawn`, in place of what the reader marked; then back to the list."""
    context, found = request.app[CONTEXT], answered(request)
    form = await given(request)
    result, now = corrected(form.get("result", "")), context.clock.now()
    async with context.database.connection() as connection:
        visitor = _responsible(await post(connection, found.alert_id, found.ordinal, now))
    await corrections.correct(
        context.database,
        visitor,
        int(request.match_info["visit"]),
        result,
        now,
        key=tap(form),
        note=form.get("note", ""),
    )
    return done(request, f"{found.path}/doors", "door_corrected" if result else "door_withdrawn")


def corrected(text: str) -> Result | None:
    """What a form says in place of a visit's result; None takes it back."""
    try:
        return None if text == corrections.WITHDRAWN else Result(text)
    except ValueError as error:
        raise InputError("没有选择结果。", remedy="请返回，选择一种结果。") from error


def _responsible(found: Post | None) -> Post:
    if found is None:
        raise NotFoundError("这个链接没有入户名单。", remedy="请使用发给责任人的短信或微信中的链接。")
    return found


def _after(request: web.Request) -> tuple[int, int]:
    text = request.query.get("after", "")
    if not text:
        return FIRST
    match = _AFTER.fullmatch(text)
    if match is None:
        raise InputError("页码不对。", remedy="请从名单第一页开始。")
    return int(match[1]), int(match[2])
