"""What other systems may take from us: an Atom feed of public CAP messages, and the messages themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from aiohttp import web
from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from broadcaster.alerts.alert import Scope, Status
from broadcaster.alerts.records import AlertRecord
from broadcaster.errors import InputError, NotFoundError, UnavailableError
from broadcaster.web.conditional import conditional
from broadcaster.web.context import CONTEXT, AlertFormat, Context

ATOM = "http://www.w3.org/2005/Atom"
CAP_TYPE = "application/cap+xml"
_LONGEST = 100  # messages on a page of the feed
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)  # when a feed without entries was changed last
_CACHE = {"Cache-Control": "public, max-age=15"}
_WRITTEN = str.maketrans({chr(code): "" for code in range(32) if chr(code) not in "\t\n\r"})
register_namespace("", ATOM)
routes = web.RouteTableDef()


@routes.get("/feeds/cap.atom")
async def feed(request: web.Request) -> web.Response:
    """The latest issued Actual Public messages: alerts, updates and cancels; `?before=` the number of one: those that
    were issued before it."""
    context = request.app[CONTEXT]
    _writer(context)
    records = await (await _page(request)).order_by("-issued_at", "-id").limit(_LONGEST)
    shown = [record for record in records if record.alert.scope is Scope.PUBLIC]
    further = records[-1].id if len(records) == _LONGEST else None
    body = _atom(context, shown, request.query.get("before", ""), further)
    # By its tag alone: of two messages of one second, or one that is committed late, a date of change tells nothing.
    return conditional(request, body, "application/atom+xml", None, _CACHE)


@routes.get("/feeds/cap/{identifier:.+}.xml")
async def message(request: web.Request) -> web.Response:
    """One message, as CAP 1.2."""
    context = request.app[CONTEXT]
    record = await _public().filter(identifier=request.match_info["identifier"].replace("\0", "")).first()
    if record is None or record.alert.scope is not Scope.PUBLIC:
        raise NotFoundError("没有这条公开预警。", remedy="请从 /feeds/cap.atom 中选择。")
    issued = _issued(record)
    mark = f"{record.identifier} {issued.isoformat()} {record.version}"  # not the text: a signature differs each time
    return conditional(request, _writer(context).write(record.alert), CAP_TYPE, issued, _CACHE, mark=mark)


async def _page(request: web.Request) -> QuerySet[AlertRecord]:
    """The messages of the page that is asked for, unordered."""
    before = request.query.get("before", "")
    if not before:
        return _public()
    if not (before.isascii() and before.isdigit() and len(before) < 10):
        raise InputError("页码不对。", remedy="请从第一页开始。")
    last = await _public().filter(id=int(before)).first()
    if last is None:
        raise NotFoundError("没有这条公开预警。", remedy="请从 /feeds/cap.atom 中选择。")
    return _public().filter(Q(issued_at__lt=last.issued_at) | Q(issued_at=last.issued_at, id__lt=last.id))


def _public() -> QuerySet[AlertRecord]:
    return AlertRecord.filter(status=Status.ACTUAL.value, issued_at__isnull=False)


def _writer(context: Context) -> AlertFormat:
    if context.cap is None:
        raise UnavailableError("没有安装 CAP 适配器。", remedy="请安装 CAP 适配器。")
    return context.cap


def _atom(context: Context, records: list[AlertRecord], before: str, further: int | None) -> bytes:
    """One page of the feed; `before` as it was asked for, `further` leads to the next (RFC 5005, 3)."""
    base = context.settings.web.public_url
    address = f"{base}/feeds/cap.atom"
    root = Element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": "zh-CN"})
    _text(root, "id", address)
    _text(root, "title", f"{context.settings.district.name}预警")
    _text(root, "updated", _moment(max((_issued(record) for record in records), default=_NEVER)))
    _link(root, "self", f"{address}?before={before}" if before else address)
    _link(root, "first", address)
    if further is not None:
        _link(root, "next", f"{address}?before={further}")
    SubElement(root, f"{{{ATOM}}}link", {"rel": "alternate", "type": "text/html", "href": f"{base}/a"})
    _text(SubElement(root, f"{{{ATOM}}}author"), "name", context.settings.district.name)
    for record in records:
        _entry(root, record, base)
    written: bytes = tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + written


def _link(root: Element, rel: str, href: str) -> None:
    SubElement(root, f"{{{ATOM}}}link", {"rel": rel, "type": "application/atom+xml", "href": href})


def _entry(root: Element, record: AlertRecord, base: str) -> None:
    entry = SubElement(root, f"{{{ATOM}}}entry")
    name = quote(record.identifier, safe="")
    address = f"{base}/feeds/cap/{name}.xml"
    info = record.alert.info("zh-CN")
    _text(entry, "id", address)
    _text(entry, "title", record.headline or record.identifier)
    _text(entry, "updated", _moment(_issued(record)))
    SubElement(entry, f"{{{ATOM}}}link", {"rel": "alternate", "type": CAP_TYPE, "href": address})
    page = {"rel": "alternate", "type": "text/html", "href": f"{base}/a/{name}"}
    SubElement(entry, f"{{{ATOM}}}link", page)
    SubElement(entry, f"{{{ATOM}}}category", {"term": record.msg_type})
    _text(entry, "summary", info.description if info else "")


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, f"{{{ATOM}}}{name}").text = text.translate(_WRITTEN)


def _issued(record: AlertRecord) -> datetime:
    return cast("datetime", record.issued_at)  # the query leaves the others out


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
