"""Households that are not reached: the list for knocking on doors, as JSON pages or one CSV file."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from aiohttp import web

from broadcaster.errors import InputError, NotFoundError
from broadcaster.report.unreached import START, Asked, UnreachedHousehold, Why, unreached
from broadcaster.security import audit
from broadcaster.security.permissions import Action
from broadcaster.web.context import Context
from broadcaster.web.csv import line
from broadcaster.web.endpoint import Call, Nothing, Table
from broadcaster.web.sight import household_scopes
from broadcaster.web.workbook import XLSX, Sheet

table = Table("unreached")

_CURSOR = re.compile(r"(\d{0,12})-(\d{1,18})")
_ROWS = 1000  # of one statement
_PIECE = 256 * 1024  # bytes
_BOM = "\ufeff"  # without it Excel takes the file for GBK
TITLES = (
    "村（社区）代码",
    "村（社区）",
    "网格代码",
    "网格",
    "户编号",
    "户名",
    "地址",
    "电话",
    "标签",
    "风险",
    "状态",
    "入户任务",
    "原因",
    "负责人",
)
_CHINESE = {
    "pending": "等待中",
    "unreached": "未送达",
    "open": "待入户",
    "done": "已入户",
    "cancelled": "已取消",
    "": "",
}


class UnreachedPage(msgspec.Struct, frozen=True):
    """One page; `next` is the `after` of the page behind it, null at the end."""

    households: list[UnreachedHousehold]
    next: str | None


class UnreachedQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`region` is a code prefix; `pending` adds the households that are still being tried."""

    region: Annotated[str, msgspec.Meta(pattern=r"^\d{0,15}$")] = ""
    pending: bool = False
    after: Annotated[str, msgspec.Meta(max_length=40)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200


class UnreachedCsvQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`region` is a code prefix; `pending` adds the households that are still being tried; `why`: only those whose door
    task has this reason."""

    region: Annotated[str, msgspec.Meta(pattern=r"^\d{0,15}$")] = ""
    pending: bool = False
    why: Why | None = None


@table.endpoint(
    "GET",
    "/api/v1/alerts/{id}/unreached",
    "Households that are not reached",
    query=UnreachedQuery,
    answers=UnreachedPage,
    action=Action.SEE_HOUSEHOLDS,
    problems=(NotFoundError,),
)
async def list_unreached(call: Call[Nothing, UnreachedQuery]) -> UnreachedPage:
    """Only in regions whose households the caller may see, village by village."""
    query = call.query
    scopes = await household_scopes(call.context, call.actor, call.id)
    asked = Asked(alert_id=call.id, scopes=scopes, region=query.region, pending=query.pending)
    async with call.context.database.connection() as connection:
        found = await unreached(connection, asked, cursor(query.after), query.limit)
    return UnreachedPage(found, mark(found[-1]) if len(found) == query.limit else None)


@table.endpoint(
    "GET",
    "/api/v1/alerts/{id}/unreached.csv",
    "Households that are not reached, as a file for a spreadsheet",
    query=UnreachedCsvQuery,
    answers=None,
    action=Action.SEE_HOUSEHOLDS,
    problems=(NotFoundError,),
    media="text/csv",
)
async def download_unreached(call: Call[Nothing, UnreachedCsvQuery]) -> web.StreamResponse:
    """Streamed, so its size does not matter; that it was taken out of the house goes into the audit trail."""
    context = call.context
    asked = await _taken_out(call)
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="unreached-{call.id}.csv"',
        }
    )
    await response.prepare(call.request)
    async for piece in _csv(context, asked):
        await response.write(piece.encode())
    return response


@table.endpoint(
    "GET",
    "/api/v1/alerts/{id}/unreached.xlsx",
    "Households that are not reached, as a workbook",
    query=UnreachedCsvQuery,
    answers=None,
    action=Action.SEE_HOUSEHOLDS,
    problems=(NotFoundError,),
    media=XLSX,
)
async def download_workbook(call: Call[Nothing, UnreachedCsvQuery]) -> web.StreamResponse:
    """Every cell is text, so nothing in it is a formula; written into a file beside memory, then sent."""
    asked = await _taken_out(call)
    with Sheet("unreached", TITLES) as sheet:
        async for found in _pages(call.context, asked):
            await asyncio.to_thread(sheet.write, [cells(household) for household in found])
        path = await asyncio.to_thread(sheet.finish)
        response = web.StreamResponse(
            headers={
                "Content-Type": XLSX,
                "Content-Disposition": f'attachment; filename="unreached-{call.id}.xlsx"',
                "Content-Length": str(path.stat().st_size),
            }
        )
        await response.prepare(call.request)
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                await response.write(piece)
    return response


async def _taken_out(call: Call[Nothing, UnreachedCsvQuery]) -> Asked:
    """What the caller may have; that it leaves the house goes into the audit trail."""
    context, query = call.context, call.query
    scopes = await household_scopes(context, call.actor, call.id)
    async with context.database.transaction() as connection:
        await audit.append(
            connection, call.actor.account_id, "households.export", context.clock.now(), alert_id=call.id
        )
    return Asked(alert_id=call.id, scopes=scopes, region=query.region, pending=query.pending, why=query.why)


async def _csv(context: Context, asked: Asked) -> AsyncIterator[str]:
    yield _BOM + line(TITLES)
    async for found in _pages(context, asked):
        yield "".join(line(cells(household)) for household in found)


async def _pages(context: Context, asked: Asked) -> AsyncIterator[list[UnreachedHousehold]]:
    after = START
    while True:
        async with context.database.connection() as connection:
            found = await unreached(connection, asked, after, _ROWS)
        yield found
        if len(found) < _ROWS:
            return
        after = found[-1].key


def cells(household: UnreachedHousehold) -> tuple[str, ...]:
    """The household as a line under `TITLES`."""
    return (
        household.village,
        household.village_name,
        household.region,
        household.region_name,
        str(household.household_id),
        household.name,
        household.address,
        " ".join(household.phones),
        " ".join(household.tags),
        str(household.risk),
        _CHINESE[household.state],
        _CHINESE.get(household.door_task, household.door_task),
        household.reason,
        household.assignee,
    )


def mark(household: UnreachedHousehold) -> str:
    """Where the page behind this household begins, as text for an address."""
    return f"{household.village}-{household.household_id}"


def cursor(text: str) -> tuple[str, int]:
    """The key that `mark` wrote down; `InputError` for any other text."""
    if not text:
        return START
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise InputError("after 不是上一页给出的值。", remedy="请原样使用 next 的值。")
    return match[1], int(match[2])
