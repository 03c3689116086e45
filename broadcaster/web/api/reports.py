"""What responsible people reported from outside, for machines."""

from __future__ import annotations

from typing import Annotated

import msgspec

from broadcaster.errors import NotFoundError
from broadcaster.escalation import reports
from broadcaster.escalation.reports import UnitReport
from broadcaster.security.permissions import Action
from broadcaster.web.endpoint import Call, Nothing, Table
from broadcaster.web.sight import household_scopes

table = Table("reports")


class UnitReports(msgspec.Struct, frozen=True):
    """Who reported last comes first."""

    reports: list[UnitReport]


class ReportQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


@table.endpoint(
    "GET",
    "/api/v1/alerts/{id}/reports",
    "What units reported from outside: people moved, refusing, away; words and photos",
    query=ReportQuery,
    answers=UnitReports,
    action=Action.SEE_HOUSEHOLDS,
    problems=(NotFoundError,),
)
async def list_reports(call: Call[Nothing, ReportQuery]) -> UnitReports:
    """Only of units in regions whose people the caller may see."""
    scopes = await household_scopes(call.context, call.actor, call.id)
    async with call.context.database.connection() as connection:
        found = await reports.reports(connection, call.id, scopes, call.query.limit)
    return UnitReports(found)
