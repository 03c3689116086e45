"""Households that are not reached: the list for knocking on doors, as JSON pages or one CSV file."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from aiohttp import web

from broadcaster.dispatch.delivery import TargetState
from broadcaster.errors import InputError, NotFoundError
from broadcaster.security import audit
from broadcaster.security.permissions import Action
from broadcaster.web.context import Context
from broadcaster.web.csv import line
from broadcaster.web.endpoint import Call, Nothing, Table
from broadcaster.web.sight import household_scopes
from broadcaster.web.sql import SQL

table = Table("unreached")

_CURSOR = re.compile(r"(\d{0,12})-(\d{1,18})")
_CSV_ROWS = 1000  # of one statement
_BOM = "\ufeff"  # without it Excel takes the file for GBK
_TITLES = (
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
_STATES = {TargetState.PENDING: "pending", TargetState.UNREACHED: "unreached"}
_CHINESE = {
    "pending": "等待中",
    "unreached": "未送达",
    "open": "待入户",
    "done": "已入户",
    "cancelled": "已取消",
    "": "",
}


class UnreachedHousehold(msgspec.Struct, frozen=True, kw_only=True):
    """A household without any evidence that it knows. `door_task` is "" or open | done | cancelled."""

    household_id: int
    village: str
    village_name: str
    region: str
    region_name: str
    name: str
    address: str
    phones: list[str]
    tags: list[str]
    risk: int
    state: str
    door_task: str
    reason: str
    assignee: str


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
    """`region` is a code prefix; `pending` adds the households that are still being tried."""

    region: Annotated[str, msgspec.Meta(pattern=r"^\d{0,15}$")] = ""
    pending: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which households of which alert, for whom."""

    alert_id: int
    region: str
    pending: bool
    scopes: Sequence[str]


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
    asked = _Asked(call.id, query.region, query.pending, scopes)
    found = await _read(call.context, asked, _cursor(query.after), query.limit)
    return UnreachedPage(found, _after(found[-1]) if len(found) == query.limit else None)


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
    context, query = call.context, call.query
    scopes = await household_scopes(context, call.actor, call.id)
    async with context.database.transaction() as connection:
        await audit.append(
            connection, call.actor.account_id, "households.export", context.clock.now(), alert_id=call.id
        )
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="unreached-{call.id}.csv"',
        }
    )
    await response.prepare(call.request)
    async for piece in _csv(context, _Asked(call.id, query.region, query.pending, scopes)):
        await response.write(piece.encode())
    return response


async def _csv(context: Context, asked: _Asked) -> AsyncIterator[str]:
    yield _BOM + line(_TITLES)
    after = ("", 0)
    while True:
        found = await _read(context, asked, after, _CSV_ROWS)
        yield "".join(_row(household) for household in found)
        if len(found) < _CSV_ROWS:
            return
        after = (found[-1].village, found[-1].household_id)


async def _read(context: Context, asked: _Asked, after: tuple[str, int], limit: int) -> list[UnreachedHousehold]:
    states = [TargetState.UNREACHED, *([TargetState.PENDING] if asked.pending else [])]
    async with context.database.connection() as connection:
        rows = await connection.fetch(
            SQL["unreached"],
            asked.alert_id,
            *after,
            [int(state) for state in states],
            asked.region,
            list(asked.scopes),
            limit,
        )
    return [_household(dict(row)) for row in rows]


def _household(row: dict[str, Any]) -> UnreachedHousehold:
    return UnreachedHousehold(
        **{
            **row,
            "state": _STATES[TargetState(row["state"])],
            "name": row["name"] or "",
            "address": row["address"] or "",
            "tags": row["tags"] or [],
        }
    )


def _row(household: UnreachedHousehold) -> str:
    return line(
        (
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
    )


def _after(household: UnreachedHousehold) -> str:
    return f"{household.village}-{household.household_id}"


def _cursor(text: str) -> tuple[str, int]:
    if not text:
        return "", 0
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise InputError("after 不是上一页给出的值。", remedy="请原样使用 next 的值。")
    return match[1], int(match[2])
