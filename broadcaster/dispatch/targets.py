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

# A household that answers as well stands on its own word from then on: a door that was marked by mistake takes nothing
# back.
_ANSWERED_TOO = """
UPDATE target t SET reached_by = 'response'
FROM unnest($1::int[], $2::bigint[]) AS n(alert_id, household_id)
WHERE t.alert_id = n.alert_id AND t.household_id = n.household_id AND t.state = $3 AND t.reached_by = 'door'
"""

# What was delivered since counts in the door's place; without anything the household is as it was before somebody
# knocked, and where that is pending, its village is looked at again.
_UNREACH = """
WITH delivered AS (
    SELECT b.channel, min(d.settled_at) AS at
    FROM target t JOIN batch b ON b.alert_id = t.alert_id AND b.region = t.village
    CROSS JOIN LATERAL (
        SELECT * FROM delivery d WHERE d.alert_id = b.alert_id AND d.ordinal BETWEEN b.first AND b.last OFFSET 0
    ) d
    WHERE t.alert_id = $1 AND t.household_id = $2 AND d.household_id = $2 AND d.state = 6
    GROUP BY b.channel ORDER BY 2 LIMIT 1
), kept AS (
    UPDATE target t SET reached_by = e.channel, reached_at = e.at FROM delivered e
    WHERE t.alert_id = $1 AND t.household_id = $2 AND t.state = $3::smallint AND t.reached_by = 'door'
), lost AS (
    UPDATE target t
    SET state = CASE WHEN t.late THEN $4::smallint ELSE $5::smallint END, late = false, reached_by = NULL,
        reached_at = NULL
    WHERE t.alert_id = $1 AND t.household_id = $2 AND t.state = $3::smallint AND t.reached_by = 'door'
      AND NOT EXISTS (SELECT 1 FROM delivered)
    RETURNING t.village, t.state
), counted AS (
    UPDATE chunk k
    SET reached = k.reached - 1, unreached = k.unreached + (l.state = $4::smallint)::int,
        next_at = CASE WHEN l.state = $4::smallint THEN k.next_at WHEN k.state = 2 THEN $6::timestamptz
                       ELSE least(k.next_at, $6::timestamptz) END,
        state = CASE WHEN l.state = $5::smallint AND k.state = 2 THEN 1 ELSE k.state END
    FROM lost l WHERE k.alert_id = $1 AND k.region = l.village
)
SELECT EXISTS (SELECT 1 FROM lost)
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
    if by == "response":
        await connection.execute(_ANSWERED_TOO, alerts, households, int(TargetState.REACHED))
    return reached


async def unreach(connection: Connection, alert_id: int, household_id: int, now: datetime) -> bool:
    """Nobody stood at the door after all: what counts now is whatever else speaks for the household. Whether it is not
    reached any more; False also where the door was not what counted."""
    await lock_states(connection)
    await connection.execute(_LOCK_VILLAGES, [alert_id], [household_id])
    states = (int(TargetState.REACHED), int(TargetState.UNREACHED), int(TargetState.PENDING))
    lost: bool = await connection.fetchval(_UNREACH, alert_id, household_id, *states, now)
    return lost
