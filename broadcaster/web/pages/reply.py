"""`/r/{token}`: the page behind the link in a message. Opening it never confirms; one button does, without JavaScript.

The token in the address is the whole permission, so there is no cookie that another site could make use of.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from aiohttp import web

from broadcaster.alerts import authoring
from broadcaster.alerts.records import AlertRecord
from broadcaster.errors import InputError, NotFoundError, UnauthenticatedError
from broadcaster.escalation import links
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.language import CHINESE, chosen
from broadcaster.web.pages.rendering import page
from broadcaster.web.sql import SQL

_ANSWERS: dict[str, Literal["acknowledge", "help"]] = {"confirm": "acknowledge", "help": "help"}
routes = web.RouteTableDef()


class Standing(StrEnum):
    """Where the answer stands: not given, received, help asked for; or too late to matter."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    HELP = "help"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class ReplyView:
    """What the page says. `unit`: the reader answers for a village or grid. No personal data but the place."""

    record: AlertRecord
    place: str
    unit: bool
    standing: Standing


@routes.get("/r/{token}")
async def look(request: web.Request) -> web.Response:
    """What it is about. Mail scanners and link previews open links: nothing changes here."""
    context = request.app[CONTEXT]
    view = await _view(context, *_place(context, request))
    info = view.record.alert.info("zh-CN" if chosen(request) == CHINESE else "en")
    return page(request, "public/reply.html", view=view, record=view.record, info=info)


@routes.post("/r/{token}")
async def answer(request: web.Request) -> web.Response:
    """`answer=confirm` or `answer=help`; then back to the page, so that reloading sends nothing twice."""
    context = request.app[CONTEXT]
    alert_id, ordinal = _place(context, request)
    try:
        given = str((await request.post()).get("answer"))
    except (ValueError, LookupError) as error:  # an encoding that does not exist, bytes that are no text
        raise InputError("表单内容无法读取。", remedy="请返回后重新按按钮。") from error
    if given not in _ANSWERS:
        raise InputError("没有选择。", remedy="请返回，按“我已收到”或“我需要帮助”。")
    meaning, once = _ANSWERS[given], f"{alert_id}-{ordinal}-{given}"
    await links.answer(context.database, alert_id, ordinal, meaning, context.clock.now(), key=once)
    raise web.HTTPSeeOther(request.path)


async def _view(context: Context, alert_id: int, ordinal: int) -> ReplyView:
    record = await authoring.load(alert_id)
    async with context.database.connection() as connection:
        row = await connection.fetchrow(SQL["reply_link"], alert_id, ordinal)
    if row is None:
        raise NotFoundError("这个链接对应的消息不存在。", remedy="请使用短信或微信中的完整链接。")
    answers = set(row["answers"] or ())
    over = not record.open or (record.expires_at is not None and record.expires_at <= context.clock.now())
    standing = Standing.OVER if over else Standing.OPEN
    if links.WORDS["help"] in answers:
        standing = Standing.HELP
    elif links.WORDS["acknowledge"] in answers or row["unit_state"] == "acknowledged":
        standing = Standing.CONFIRMED
    return ReplyView(record, row["place"], row["unit"], standing)


def _place(context: Context, request: web.Request) -> tuple[int, int]:
    """(alert, ordinal) of the link's token; `NotFoundError` for any other text."""
    try:
        alert_id, ordinal = context.tokens.read(request.match_info["token"], context.clock.now())
    except (UnauthenticatedError, UnicodeEncodeError) as error:
        raise NotFoundError("链接不完整或已失效。", remedy="请重新点开短信中的链接，或直接回复“1”。") from error
    if max(alert_id, ordinal) >= 2**31:
        raise NotFoundError("链接不完整或已失效。", remedy="请重新点开短信中的链接，或直接回复“1”。")
    return alert_id, ordinal
