"""Households under an alert, and what else than a delivery counts as reaching one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from broadcaster.database import Connection
from broadcaster.dispatch.delivery import TargetState
from broadcaster.dispatch.ledger import lock_states

Evidence = Literal["response", "door"]

# The villages first, as the fan-out does, so that neither waits for the other in a ring.
_LOCK_VILLAGES = """
SELECT 1 FROM chunk k
WHERE (k.alert_id, k.region) IN (
    SELECT t.alert_id, t.village
    FROM unnest($1::int[], $2::bigint[]) AS n(alert_id, household_id)
    JOIN target t ON t.alert_id = n.alert_id AND t.household_id = n.household_id)
ORDER BY k.alert_id, k.region
FOR UPDATE
"""

_REACH = """
WITH arrived AS (
    UPDATE target t SET state = $3, late = (t.state = $4), reached_by = $5, reached_at = $6
    FROM unnest($1::int[], $2::bigint[]) AS n(alert_id, household_id)
    WHERE t.alert_id = n.alert_id AND t.household_id = n.household_id AND t.state <> $3
    RETURNING t.alert_id, t.household_id, t.village, t.late
), counted AS (
    UPDATE chunk k SET reached = k.reached + v.reached, unreached = k.unreached - v.regained
    FROM (
        SELECT alert_id, village, count(*)::int AS reached, (count(*) FILTER (WHERE late))::int AS regained
        FROM arrived GROUP BY alert_id, village
    ) v
    WHERE k.alert_id = v.alert_id AND k.region = v.village
), done AS (
    UPDATE door_task d SET state = 'done', closed_at = $6
    FROM arrived a WHERE d.alert_id = a.alert_id AND d.household_id = a.household_id AND d.state = 'open'
)
SELECT count(*)::int FROM arrived
"""


async def reach(connection: Connection, alert_id: int, household_id: int, by: Evidence, at: datetime) -> bool:
    """A member answered, or somebody stood at the door: it is reached. False when it was before, or is no target."""
    return await reach_many(connection, [(alert_id, household_id)], by, at) > 0


async def reach_many(connection: Connection, pairs: Sequence[tuple[int, int]], by: Evidence, at: datetime) -> int:
    """The same for pairs of (alert id, household id); returns how many are newly reached."""
    if not pairs:
        return 0
    await lock_states(connection)
    alerts = [alert_id for alert_id, _ in pairs]
    households = [household_id for _, household_id in pairs]
    await connection.execute(_LOCK_VILLAGES, alerts, households)
    reached: int = await connection.fetchval(
        _REACH, alerts, households, int(TargetState.REACHED), int(TargetState.UNREACHED), by, at
    )
    return reached
