"""Units of an alert: region × role that must confirm, and who did."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from broadcaster.database import Connection
from broadcaster.errors import NotFoundError
from broadcaster.security.permissions import Action
from broadcaster.web.endpoint import Call, Nothing, Table
from broadcaster.web.sight import household_scopes
from broadcaster.web.sql import SQL

table = Table("units")


class UnitState(StrEnum):
    """Where a unit stands."""

    WAITING = "waiting"
    ACKNOWLEDGED = "acknowledged"
    EXHAUSTED = "exhausted"
    CANCELLED = "cancelled"


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """`step`: escalation steps taken; `via`: how the confirmation came; `moved`: people moved, as reported."""

    id: int
    region: str
    region_name: str
    role: str
    state: UnitState
    step: int
    next_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    via: str
    moved: int | None
    holderless: bool


class UnitList(msgspec.Struct, frozen=True):
    """The silent ones first."""

    units: list[Unit]


class UnitQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`region` is a code prefix."""

    state: UnitState | None = None
    region: Annotated[str, msgspec.Meta(pattern=r"^\d{0,15}$")] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 10_000


@table.endpoint(
    "GET",
    "/api/v1/alerts/{id}/units",
    "Who must confirm, who did and when",
    query=UnitQuery,
    answers=UnitList,
    action=Action.SEE_HOUSEHOLDS,
    problems=(NotFoundError,),
)
async def list_units(call: Call[Nothing, UnitQuery]) -> UnitList:
    """Only in regions whose people the caller may see."""
    scopes = await household_scopes(call.context, call.actor, call.id)
    async with call.context.database.connection() as connection:
        return UnitList(await units(connection, call.id, scopes, call.query))


async def units(
    connection: Connection, alert_id: int, scopes: tuple[str, ...], query: UnitQuery, unit_id: int | None = None
) -> list[Unit]:
    """The units inside `scopes` (of those only `unit_id`, where it is given), the silent ones first."""
    state = query.state.value if query.state else None
    rows = await connection.fetch(SQL["units"], alert_id, state, query.region, list(scopes), query.limit, unit_id)
    return msgspec.convert([dict(row) for row in rows], list[Unit])
