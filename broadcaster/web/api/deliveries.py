"""Deliveries of an alert, page by page. Addresses are shown in part only."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.errors import ArchivedError, NotFoundError
from broadcaster.ports import Medium
from broadcaster.security.permissions import Action
from broadcaster.web.endpoint import Call, Nothing, Table
from broadcaster.web.sight import household_scopes
from broadcaster.web.sql import SQL

table = Table("deliveries")

Region = Annotated[str, msgspec.Meta(pattern=r"^\d{0,15}$")]
StateWord = StrEnum("StateWord", [(state.name, state.word) for state in DeliveryState])  # type: ignore[misc]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One alert to one contact or terminal by one channel. `address` is masked.

    `region` is that of the unit or of the loudspeaker, for a household its village's.
    """

    ordinal: int
    channel: str
    purpose: str
    region: str
    state: str
    attempts: int
    gateway: str
    address: str
    household_id: int | None
    unit_id: int | None
    terminal_id: int | None
    submitted_at: datetime | None
    settled_at: datetime | None
    reason: str


class DeliveryPage(msgspec.Struct, frozen=True):
    """One page; `next` is the `after` of the page behind it, null at the end."""

    deliveries: list[Delivery]
    next: int | None


class DeliveryQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`region` is a prefix of the code of the household's, unit's or loudspeaker's own region; `after` the last ordinal
    seen."""

    state: StateWord | None = None
    channel: Medium | None = None
    region: Region = ""
    after: Annotated[int, msgspec.Meta(ge=-1, lt=2**31)] = -1
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200


@table.endpoint(
    "GET",
    "/api/v1/alerts/{id}/deliveries",
    "Deliveries, page by page",
    query=DeliveryQuery,
    answers=DeliveryPage,
    action=Action.SEE_HOUSEHOLDS,
    problems=(NotFoundError, ArchivedError),
)
async def list_deliveries(call: Call[Nothing, DeliveryQuery]) -> DeliveryPage:
    """Only those to households, units and loudspeakers of regions whose households the caller may see. Of an alert that
    is archived there are none here any more: 410."""
    scopes = await household_scopes(call.context, call.actor, call.id)
    query = call.query
    async with call.context.database.connection() as connection:
        folder = await connection.fetchval("SELECT folder FROM archive WHERE alert_id = $1", call.id)
        if folder is not None:
            raise ArchivedError(
                "这条预警已归档，逐条的发送记录不再在数据库中。",
                remedy="请管理员查阅归档目录中的 %(folder)s/delivery.csv.gz。",
                folder=folder,
            )
        rows = await connection.fetch(
            SQL["deliveries"],
            call.id,
            query.after,
            DeliveryState[query.state.name].value if query.state else None,
            query.channel.value if query.channel else None,
            query.region,
            list(scopes),
            query.limit,
        )
    found = [_delivery(dict(row)) for row in rows]
    return DeliveryPage(found, found[-1].ordinal if len(found) == query.limit else None)


def masked(address: str) -> str:
    """The address with its middle hidden: enough to recognise, too little to use."""
    name, at, host = address.partition("@")
    if at:
        return f"{name[:2]}***@{host}"
    return f"{address[:3]}****{address[-4:]}" if len(address) > 7 else f"{address[:1]}***"


def _delivery(row: dict[str, object]) -> Delivery:
    state = DeliveryState(row.pop("state")).word  # type: ignore[arg-type]
    address = masked(str(row.pop("address")))
    return msgspec.convert({**row, "state": state, "address": address}, Delivery)
