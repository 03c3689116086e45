"""The machine interface, one file per noun. `TABLES` is all of it: the router and the OpenAPI document read it."""

from __future__ import annotations

from broadcaster.web.api import (
    alerts,
    audit,
    confirmations,
    deliveries,
    doors,
    help_requests,
    incoming,
    notices,
    plan,
    progress,
    readings,
    regions,
    replies,
    reports,
    steps,
    successors,
    trail,
    units,
    unreached,
)
from broadcaster.web.endpoint import Table

TABLES: tuple[Table, ...] = (
    alerts.table,
    steps.table,
    successors.table,
    plan.table,
    progress.table,
    deliveries.table,
    doors.table,
    unreached.table,
    units.table,
    confirmations.table,
    notices.table,
    help_requests.table,
    incoming.table,
    replies.table,
    readings.table,
    regions.table,
    reports.table,
    audit.table,
    trail.table,
)
