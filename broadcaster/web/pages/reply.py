"""`/r/{token}`: the page behind the link in a message. Opening it never confirms; one button does, without JavaScript.

The token in the address is the whole permission, so there is no cookie that another site could make use of.
"""

from __future__ import annotations

import re

from aiohttp import web

from broadcaster.errors import InputError, NotFoundError
from broadcaster.web.context import CONTEXT, ReplyView
from broadcaster.web.language import CHINESE, chosen
from broadcaster.web.pages.rendering import page

_TOKEN = re.compile(r"[A-Za-z0-9_.~-]{4,200}")
routes = web.RouteTableDef()


@routes.get("/r/{token}")
async def look(request: web.Request) -> web.Response:
    """What it is about. Mail scanners and link previews open links: nothing changes here."""
    return _show(request, await request.app[CONTEXT].reply_links.look(_token(request)))


@routes.post("/r/{token}")
async def answer(request: web.Request) -> web.Response:
    """`answer=confirm` or `answer=help`; then back to the page, so that reloading sends nothing twice."""
    token = _token(request)
    try:
        given = (await request.post()).get("answer")
    except (ValueError, LookupError) as error:
        raise InputError("表单内容无法读取。", remedy="请返回后重新按按钮。") from error
    links = request.app[CONTEXT].reply_links
    if given == "confirm":
        await links.confirm(token)
    elif given == "help":
        await links.ask_help(token)
    else:
        raise InputError("没有选择。", remedy="请返回，按“我已收到”或“我需要帮助”。")
    await request.app[CONTEXT].bell.ring("replies")
    raise web.HTTPSeeOther(request.path)


def _show(request: web.Request, view: ReplyView) -> web.Response:
    info = view.alert.info("zh-CN" if chosen(request) == CHINESE else "en")
    return page(request, "public/reply.html", view=view, alert=view.alert, info=info)


def _token(request: web.Request) -> str:
    token = request.match_info["token"]
    if not _TOKEN.fullmatch(token):
        raise NotFoundError("链接不完整或已失效。", remedy="请重新点开短信中的链接，或直接回复“1”。")
    return token
