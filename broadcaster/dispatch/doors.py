"""Door tasks: a household that nobody reached, on somebody's list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from broadcaster.database import Connection
from broadcaster.dispatch.ledger import lock_states

_OPEN = """
INSERT INTO door_task (alert_id, household_id, region, assignee_person_id, reason, created_at)
SELECT t.alert_id, t.household_id, t.region, coalesce($3, duty.person_id), 'escalated', $4
FROM unnest($2::text[]) AS r(code)
JOIN chunk k ON k.alert_id = $1 AND k.region <> '' AND starts_with(k.region, left(r.code, 12))
JOIN target t ON t.alert_id = $1 AND t.village = k.region AND starts_with(t.region, r.code)
LEFT JOIN LATERAL (
    SELECT u.person_id FROM duty u
    WHERE u.region_code = t.region AND u.role IN ('grid_member', 'grid_leader')
      AND u.valid_from <= $4 AND (u.valid_to IS NULL OR u.valid_to > $4)
    ORDER BY u.role DESC, u.rank DESC, u.id LIMIT 1
) duty ON true
WHERE t.state <> 1
ON CONFLICT (alert_id, household_id) DO NOTHING
RETURNING 1
"""


async def open_for_region(
    connection: Connection, alert_id: int, region_code: str, assignee_person_id: int | None, now: datetime
) -> int:
    """Every household under `region_code` that is not reached yet becomes a door task; returns how many are new.

    `assignee_person_id` None leaves the choice to the grid: its member or leader on duty.
    """
    return await open_for_regions(connection, alert_id, [region_code], assignee_person_id, now)


async def open_for_regions(
    connection: Connection,
    alert_id: int,
    region_codes: Sequence[str],
    assignee_person_id: int | None,
    now: datetime,
) -> int:
    """The same for several regions, village by village; codes may lie inside each other.

    Holds the lock on states, so that nobody is reached while their task is written.
    """
    await lock_states(connection)
    return len(await connection.fetch(_OPEN, alert_id, list(region_codes), assignee_person_id, now))
