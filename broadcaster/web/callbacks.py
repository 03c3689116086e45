"""`/callbacks/{gateway}`: what providers tell us. The plugin authenticates and parses; it is stored, then answered."""

from __future__ import annotations

from aiohttp import web

from broadcaster.doorbell import WORK
from broadcaster.errors import InputError, NotFoundError
from broadcaster.web.context import CONTEXT

LARGEST = 256 * 1024  # bytes
routes = web.RouteTableDef()


@routes.post("/callbacks/{gateway}")
@routes.get("/callbacks/{gateway}")
async def callback(request: web.Request) -> web.Response:
    """Receipts and replies; header names are given to the plugin in lower case."""
    known = request.app[CONTEXT].callbacks.get(request.match_info["gateway"])
    if known is None:
        raise NotFoundError("没有这个回调地址。", remedy="请检查网关名称。")
    body = await request.read()
    if len(body) > LARGEST:
        raise InputError("回调内容太大。", remedy=f"最多 {LARGEST // 1024} KiB。")
    headers = {name.lower(): value for name, value in request.headers.items()}
    result = known.plugin.parse(known.gateway, headers, dict(request.query), body)
    if result.receipts:
        await known.inbox.receipts(result.receipts)
    if result.replies:
        await known.inbox.replies(result.replies)
        await request.app[CONTEXT].bell.ring(WORK)
    return web.Response(status=result.status, body=result.body, headers={"Content-Type": result.content_type})
