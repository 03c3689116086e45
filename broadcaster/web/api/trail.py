"""The audit trail as a whole: looked through, and taken along as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

import msgspec
from aiohttp import web

from broadcaster.clock import BEIJING
from broadcaster.errors import InputError
from broadcaster.security import audit, directory
from broadcaster.security.permissions import Action, Actor
from broadcaster.security.trail import NEWEST, Page, Wanted, account_named, look_through
from broadcaster.web.context import Context
from broadcaster.web.csv import line
from broadcaster.web.endpoint import Call, Nothing, Table

_BOM = "\ufeff"
_TITLES = ("序号", "时间", "账户编号", "账户", "操作", "预警编号", "对象", "细节")
_CSV_ROWS = 500
table = Table("audit")

Id = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


class TrailQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`account` is a name, "system" the system itself; `since` is inclusive, `until` is not; `before`: only smaller
    numbers."""

    account: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    action: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    alert: Id | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: Annotated[int, msgspec.Meta(ge=1, le=2**62)] = NEWEST
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100


class TrailEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done; account 0 is the system itself."""

    seq: int
    at: datetime
    account_id: int
    account: str
    action: str
    alert_id: int | None
    subject: str
    detail: msgspec.Raw


class TrailPage(msgspec.Struct, frozen=True):
    """One page, newest first; it may be short and still have a next one: `next` is its `before`, null at the end."""

    entries: list[TrailEntry]
    next: int | None


@table.endpoint(
    "GET",
    "/api/v1/audit",
    "Look through the audit trail, newest first",
    query=TrailQuery,
    answers=TrailPage,
    action=Action.READ_AUDIT,
)
async def read_trail(call: Call[Nothing, TrailQuery]) -> TrailPage:
    """What was done to alerts and accounts of the caller's regions."""
    query = call.query
    found = await look(call.context, call.actor, await wanted(call.context, query), query.before, query.limit)
    return TrailPage(await entries(call.context, found), found.before)


@table.endpoint(
    "GET",
    "/api/v1/audit.csv",
    "The audit trail, as a file for a spreadsheet",
    query=TrailQuery,
    answers=None,
    action=Action.READ_AUDIT,
    media="text/csv",
)
async def download_trail(call: Call[Nothing, TrailQuery]) -> web.StreamResponse:
    """Streamed, so its size does not matter; that it was taken out of the house is an entry of its own."""
    context, asked = call.context, await wanted(call.context, call.query)
    async with context.database.transaction() as connection:
        await audit.append(connection, call.actor.account_id, "audit.export", context.clock.now())
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": 'attachment; filename="audit.csv"',
        }
    )
    await response.prepare(call.request)
    async for piece in _csv(context, call.actor, asked, call.query.before):
        await response.write(piece.encode())
    return response


async def wanted(context: Context, query: TrailQuery) -> Wanted:
    """What is asked for; `InputError` for an account that there is not, or a time without a zone."""
    if any(moment is not None and moment.tzinfo is None for moment in (query.since, query.until)):
        raise InputError("时间没有写时区。", remedy="例如 2026-08-09T03:00:00+08:00。")
    account_id = None
    if query.account is not None:
        async with context.database.connection() as connection:
            account_id = 0 if query.account == "system" else await account_named(connection, query.account)
        if account_id is None:
            raise InputError("没有名为 %(account)s 的账户。", remedy="请检查账户名。", account=query.account)
    return Wanted(account_id, query.action, query.alert, query.since, query.until)


async def look(context: Context, actor: Actor, asked: Wanted, before: int, limit: int) -> Page:
    """One page of the trail as the actor sees it."""
    async with context.database.connection() as connection:
        district = context.settings.district.code
        return await look_through(connection, actor, district, asked, before=before, limit=limit)


async def entries(context: Context, found: Page) -> list[TrailEntry]:
    """The entries with the names of who did it."""
    async with context.database.connection() as connection:
        names = await directory.names(connection, [entry.account_id for entry in found.entries])
    return [
        TrailEntry(
            seq=entry.seq,
            at=entry.at,
            account_id=entry.account_id,
            account=names.get(entry.account_id, "system" if entry.account_id == 0 else ""),
            action=entry.action,
            alert_id=entry.alert_id,
            subject=entry.subject,
            detail=msgspec.Raw(entry.detail.encode()),
        )
        for entry in found.entries
    ]


async def _csv(context: Context, actor: Actor, asked: Wanted, start: int) -> AsyncIterator[str]:
    yield _BOM + line(_TITLES)
    before: int | None = start
    while before is not None:
        found = await look(context, actor, asked, before, _CSV_ROWS)
        yield "".join(_row(entry) for entry in await entries(context, found))
        before = found.before


def _row(entry: TrailEntry) -> str:
    return line(
        (
            str(entry.seq),
            entry.at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S"),
            str(entry.account_id),
            entry.account,
            entry.action,
            "" if entry.alert_id is None else str(entry.alert_id),
            entry.subject,
            bytes(entry.detail).decode(),
        )
    )
