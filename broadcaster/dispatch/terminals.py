"""The loudspeakers of an alert: planned before the homes, and watched, because a home that hears nothing from its
loudspeaker should not wait for the evidence of something slow."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from audiences import selection as audience
from broadcaster.database import Connection
from broadcaster.dispatch.delivery import BATCH_ROWS
from broadcaster.dispatch.plan import Plan
from broadcaster.sql import statements

log = structlog.get_logger()

SQL = statements("broadcaster.dispatch", "terminals.sql")

REGION = ""
"""The chunk that stands for the loudspeakers of the whole area."""

MOST = 50
"""Silent loudspeakers of one visit: their homes are looked up while the fold waits."""

SOON = timedelta(seconds=1)
"""Until the next look, where villages are still to be planned."""


async def first_visit(connection: Connection, plan: Plan, now: datetime) -> int:
    """The first visit: a delivery for each; how many. A colour that uses none still says on each what becomes of the
    warning that it played."""
    condition, values = audience.where(plan.selection, first_parameter=7) if plan.policy.loudspeakers else ("FALSE", [])
    added: int = await connection.fetchval(
        SQL["plan"].format(where=condition),
        plan.alert_id,
        plan.lineage,
        plan.rehearsal,
        plan.urgency,
        now,
        BATCH_ROWS,
        *values,
    )
    again = _deadline(plan, now) if added and len(plan.policy.households) > 1 else None
    await connection.execute(SQL["watched"], plan.alert_id, again)
    return added


async def later_visit(connection: Connection, plan: Plan, now: datetime) -> None:
    """A later visit, under the lock on states: the homes of those that failed, and after the policy's time of those
    that nothing was heard of, take their next step now."""
    deadline: datetime = await connection.fetchval(
        "SELECT opened_at + make_interval(secs => $2) FROM run WHERE alert_id = $1",
        plan.alert_id,
        plan.policy.loudspeaker_wait,
    )
    waits = [step.wait for step in plan.policy.households]
    late = now >= deadline
    found = await connection.fetchrow(SQL["silent"], plan.alert_id, now, late, MOST, waits)
    if found["terminals"]:
        log.warning(
            "loudspeakers.silent", alert=plan.alert_id, terminals=found["terminals"], households=found["households"]
        )
    left = await connection.fetchrow(SQL["open"], plan.alert_id)
    again: datetime | None = None
    if found["terminals"] == MOST:
        again = now
    elif left["failed"] or (late and left["awaited"] and await _unplanned(connection, plan.alert_id)):
        again = now + SOON
    elif left["awaited"] and not late:
        again = deadline
    await connection.execute(SQL["watched"], plan.alert_id, again)


def _deadline(plan: Plan, now: datetime) -> datetime:
    return now + timedelta(seconds=plan.policy.loudspeaker_wait)


async def _unplanned(connection: Connection, alert_id: int) -> bool:
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT 1 FROM chunk WHERE alert_id = $1 AND state = 0)", alert_id
    )
    return found
