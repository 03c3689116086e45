"""`/callbacks/{gateway}`: what providers tell us. The plugin authenticates and parses; it is stored, then answered."""

from __future__ import annotations

import asyncio

from aiohttp import web

from broadcaster.doorbell import WORK
from broadcaster.errors import InputError, LimitedError, NotFoundError
from broadcaster.intake.shelf import LedgerShelf
from broadcaster.intake.standing import standing
from broadcaster.ports import BringsFiles, CallbackResult, Inquiry, Order
from broadcaster.rosters.followers import Heard
from broadcaster.sources import Item, Receives
from broadcaster.web.context import CONTEXT, Callback, Context

LARGEST = 256 * 1024  # bytes
AT_ONCE = 2
"""Calls that bring files that are looked at at a time."""

HELD = 64 * 1024 * 1024
"""Bytes of such calls, of all gateways, that lie in memory at the most."""


class Table:
    """Where files lie that were brought, until they were looked at."""

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(AT_ONCE)
        self.held = 0

    def put(self, octets: int) -> None:
        """Make room for so many more; `LimitedError` when there is none."""
        if self.held + octets > HELD:
            raise LimitedError("同时送来的文件太多。", remedy="请稍后重试。", after=5.0)
        self.held += octets


TABLE: web.AppKey[Table] = web.AppKey("callback_table", Table)
routes = web.RouteTableDef()


@routes.post("/callbacks/{gateway}")
@routes.get("/callbacks/{gateway}")
async def callback(request: web.Request) -> web.Response:
    """Receipts and replies; header names are given to the plugin in lower case."""
    context, name = request.app[CONTEXT], request.match_info["gateway"]
    known = context.callbacks.get(name)
    if known is None and name not in context.intake.sources:
        raise NotFoundError("没有这个回调地址。", remedy="请检查网关名称。")
    if known is None:
        return await _received(request, context, name)
    result = await _parsed(request, known)
    if result.receipts:
        await known.inbox.receipts(result.receipts)
    if result.order is not None:
        result = await _ordered(context, name, result, result.order)
    if result.inquiry is not None:
        result = await _asked(context, name, result, result.inquiry)
    if result.follows or result.replies:
        result = await _heard(request.app[CONTEXT], known, result)
    return web.Response(status=result.status, body=result.body, headers={"Content-Type": result.content_type})


async def _parsed(request: web.Request, known: Callback) -> CallbackResult:
    """What the plugin makes of the call."""
    headers, query, plugin = _headers(request), dict(request.query), known.plugin
    if not isinstance(plugin, BringsFiles):
        return plugin.parse(known.gateway, headers, query, await _small(request))
    table, largest = request.app[TABLE], plugin.largest(known.gateway)
    brought = bytearray()
    try:
        async for piece in request.content.iter_any():
            table.put(len(piece))
            brought += piece
            if len(brought) > largest:
                raise _too_large(largest)
        async with table.turns:
            return await asyncio.to_thread(plugin.parse, known.gateway, headers, query, bytes(brought))
    finally:
        table.held -= len(brought)


async def _small(request: web.Request) -> bytes:
    """The body of a call that brings no files."""
    body = await request.read()
    if len(body) > LARGEST:
        raise _too_large(LARGEST)
    return body


def _headers(request: web.Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _too_large(most: int) -> InputError:
    return InputError("回调内容太大。", remedy="最多 %(size)s KiB。", size=most // 1024)


async def _received(request: web.Request, context: Context, name: str) -> web.Response:
    """A source calls: what it tells is kept, then answered."""
    _, source = context.intake.sources[name]
    if not isinstance(source, Receives):
        raise NotFoundError("没有这个回调地址。", remedy="请检查网关名称。")
    told = source.receive(_headers(request), dict(request.query), await _small(request))
    items = [Item(document) for document in told]
    await LedgerShelf(context.database, context.clock, name).keep(items)
    await context.bell.ring(WORK)
    return web.Response(text="ok")


async def _ordered(context: Context, gateway: str, result: CallbackResult, order: Order) -> CallbackResult:
    """A platform above has us broadcast: it is kept as a message of the source behind the gateway, if there is one."""
    source = context.intake.behind(gateway)
    if source is None:
        return await asyncio.to_thread(order.untaken)
    await LedgerShelf(context.database, context.clock, source).keep([Item(order.document, proven=order.proven)])
    await context.bell.ring(WORK)
    return result


async def _asked(context: Context, gateway: str, result: CallbackResult, inquiry: Inquiry) -> CallbackResult:
    """It asks how what it ordered stands."""
    source = context.intake.behind(gateway)
    if source is None:
        return result
    known = await standing(context.database, source, inquiry.id, context.clock.now())
    return result if known is None else await asyncio.to_thread(inquiry.answer, known)


async def _heard(context: Context, known: Callback, result: CallbackResult) -> CallbackResult:
    """Keep what people said, and have what followers need for their home looked after; the answer."""
    heard = Heard("", result.replies)
    if context.followers is not None:
        heard = await context.followers.hear(known.gateway, result)
    if heard.replies:
        await known.inbox.replies(heard.replies)
    await context.bell.ring(WORK)
    return result.say(heard.words) if heard.words and result.say is not None else result
