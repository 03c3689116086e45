"""`/r/{token}`: the page behind the link in a message. Opening it never confirms; buttons do, without JavaScript.

Residents say that they have it, or that they need help. The responsible person of a unit also reports numbers, words
and photos, and has a list of doors (`doors.py`). Every form carries the name of a tap: sent twice, it is one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError

from broadcaster.alerts import authoring
from broadcaster.alerts.alert import Scope
from broadcaster.alerts.records import AlertRecord
from broadcaster.errors import InputError, NotFoundError
from broadcaster.escalation import doors, links, photos, reports
from broadcaster.escalation.posts import Post, post
from broadcaster.escalation.reports import Figures, Numbers
from broadcaster.phrase import joined
from broadcaster.responses.picture import MOST_BYTES
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.language import CHINESE, chosen
from broadcaster.web.pages.forms import Form
from broadcaster.web.pages.link import Link, answered, done, given, keep, link, tap, wants_json
from broadcaster.web.pages.rendering import page
from broadcaster.web.sql import SQL
from broadcaster.web.static_files import STATIC

_COUNTS = ("moved", "refused", "away")
_PIECE = 64 * 1024  # bytes
routes = web.RouteTableDef()


class Standing(StrEnum):
    """Where the answer stands: not given, received, help asked for; or too late to matter."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    HELP = "help"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class ReplyView:
    """What the page says. `post`: the reader answers for a village or grid, with what it reported and the number of
    its open doors. No personal data but the place."""

    record: AlertRecord
    link: Link
    place: str
    standing: Standing
    post: Post | None
    figures: Figures | None
    doors: int
    over: bool

    @property
    def public(self) -> bool:
        """Whether there is a public page of the alert."""
        return self.record.alert.scope is Scope.PUBLIC


@routes.get("/r/worker.js")
async def worker(_request: web.Request) -> web.Response:
    """The service worker, under the path that it may look after: the queue of the telephone, and what it keeps."""
    script = "".join((STATIC / name).read_text(encoding="utf-8") for name in ("field_queue.js", "field_worker.js"))
    return web.Response(text=script, content_type="text/javascript", headers={"Cache-Control": "no-cache"})


@routes.get("/r/{token}")
async def look(request: web.Request) -> web.Response:
    """What it is about. Mail scanners and link previews open links: nothing changes here."""
    return await _shown(request, link(request), Form())


@routes.post("/r/{token}")
async def answer(request: web.Request) -> web.Response:
    """`answer=confirm`, `help` or `report`; then back to the page, so that reloading sends nothing twice."""
    context, found = request.app[CONTEXT], answered(request)
    form = await given(request)
    match form.get("answer", ""):
        case "confirm":
            await _say(context, found, "confirm", "")
            return done(request, found.path)
        case "help":
            words = form.get("note", "").strip()[: reports.LONGEST_NOTE]
            await _say(context, found, "help", words, tap(form) if words else "")
            return done(request, found.path)
        case "report":
            return await _report(request, found, form)
    raise InputError("没有选择。", remedy="请返回，按“我已收到”或“我需要帮助”。")


@routes.post("/r/{token}/photo")
async def photo(request: web.Request) -> web.Response:
    """A photo of a unit: a form of several parts, `key` before `photo`."""
    context, found = request.app[CONTEXT], answered(request)
    try:
        sender = await _post(context, found)
        sender.require()
        key, data = await _picture(request)
        await photos.keep(context.database, sender, data, context.clock.now(), key=tap({"key": key}))
    except InputError as error:
        if wants_json(request):
            raise
        return await _shown(
            request,
            found,
            Form(faults={"photo": error.sentence}),
            status=422,
        )
    return done(request, found.path, "photo")


async def _report(request: web.Request, found: Link, values: dict[str, str]) -> web.Response:
    context, form = request.app[CONTEXT], Form(values)
    for name in _COUNTS:
        number = values.get(name, "").strip()
        if number and not (number.isascii() and number.isdigit() and int(number[:9]) <= reports.MOST_PEOPLE):
            form.faults[name] = "请填 0 到 999999 的整数，或不填。"
    if len(values.get("note", "")) > reports.LONGEST_NOTE:
        form.faults["note"] = "最多 500 字。"
    if form.good and not any(values.get(name, "").strip() for name in (*_COUNTS, "note")):
        form.faults["moved"] = "请至少填一个人数，或写几句说明。"
    if not form.good:
        if wants_json(request):
            raise InputError("%(faults)s", remedy="请改正后重新上报。", faults=joined("；", form.faults.values()))
        return await _shown(request, found, form, status=422)
    numbers = Numbers(*(int(text) if (text := values.get(name, "").strip()) else None for name in _COUNTS))
    sender = await _post(context, found)
    await reports.report(
        context.database, sender, numbers, values.get("note", ""), context.clock.now(), key=tap(values)
    )
    return done(request, found.path, "reported")


async def _picture(request: web.Request) -> tuple[str, bytes]:
    """The tap and the bytes of the file; never more of it in memory than a photo may have."""
    if request.content_type != "multipart/form-data":
        raise InputError("没有照片。", remedy="请从页面上选择照片。")
    key, data = "", bytearray()
    try:
        async for part in await request.multipart():
            name = getattr(part, "name", None)
            if name == "key":
                key = (await part.read_chunk(128)).decode("ascii", "replace")  # type: ignore[union-attr]
            while piece := await part.read_chunk(_PIECE):  # type: ignore[union-attr]
                if name == "photo":
                    data += piece
                if len(data) > MOST_BYTES:
                    raise InputError("照片太大。", remedy="每张不超过 5 MB。")
    except (ValueError, AttributeError, HttpProcessingError) as error:
        raise InputError("照片没有传完整。", remedy="请重新选择照片。") from error
    if not data:
        raise InputError("没有选择照片。", remedy="请先选择或拍一张照片。")
    return key, bytes(data)


async def _say(context: Context, found: Link, said: str, words: str, key: str = "") -> None:
    """Store and settle it; the same answer without words is one for each message, whoever taps how often."""
    once = "-".join(filter(None, (str(found.alert_id), str(found.ordinal), said, key)))
    meaning: Any = "help" if said == "help" else "acknowledge"
    now = context.clock.now()
    await links.answer(context.database, found.alert_id, found.ordinal, meaning, now, note=words, key=once)


async def _post(context: Context, found: Link) -> Post:
    async with context.database.connection() as connection:
        sender = await post(connection, found.alert_id, found.ordinal, context.clock.now())
    if sender is None:
        raise NotFoundError("这个链接不能上报。", remedy="请使用发给责任人的短信或微信中的链接。")
    return sender


async def _shown(request: web.Request, found: Link, form: Form, *, status: int = 200) -> web.Response:
    context = request.app[CONTEXT]
    view = await _view(context, found)
    response = page(
        request,
        "public/reply.html",
        status=status,
        view=view,
        record=view.record,
        info=view.record.alert.info("zh-CN" if chosen(request) == CHINESE else "en"),
        form=form,
        key=secrets.token_urlsafe(12),
        said=request.query.get("said", ""),
    )
    if not view.over:
        keep(request, response, view.record.expires_at)
    return response


async def _view(context: Context, found: Link) -> ReplyView:
    now = context.clock.now()
    record = await authoring.load(found.alert_id)
    async with context.database.connection() as connection:
        row = await connection.fetchrow(SQL["reply_link"], found.alert_id, found.ordinal)
        if row is None:
            raise NotFoundError("这个链接对应的消息不存在。", remedy="请使用短信或微信中的完整链接。")
        sender = await post(connection, found.alert_id, found.ordinal, now) if row["unit"] else None
        acting = sender is not None and sender.open and sender.on_duty
        told = await reports.figures(connection, sender) if sender is not None and acting else None
        left = await doors.left(connection, sender) if sender is not None and acting else 0
    answers = row["answers"] or ()
    over = not record.open or (record.expires_at is not None and record.expires_at <= now)
    standing = Standing.OVER if over else Standing.OPEN
    if any(text.partition(" ")[0] == links.WORDS["help"] for text in answers):
        standing = Standing.HELP
    elif links.WORDS["acknowledge"] in answers or row["unit_state"] == "acknowledged":
        standing = Standing.CONFIRMED
    return ReplyView(record, found, row["place"], standing, sender, told, left, over)
