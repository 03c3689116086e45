"""Households under an alert, and what else than a delivery counts as reaching one."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from broadcaster.database import Connection
from broadcaster.dispatch.delivery import TargetState


async def reach(
    connection: Connection, alert_id: int, household_id: int, by: Literal["response", "door"], at: datetime
) -> bool:
    """A member answered, or somebody stood at the door: the household is reached. False when it was before, or is no
    target."""
    was = await connection.fetchrow(
        """
        UPDATE target t SET state = $3, reached_by = $4, reached_at = $5
        FROM target old
        WHERE old.alert_id = $1 AND old.household_id = $2 AND t.alert_id = $1 AND t.household_id = $2 AND t.state <> $3
        RETURNING old.state, t.village
        """,
        alert_id,
        household_id,
        int(TargetState.REACHED),
        by,
        at,
    )
    if was is None:
        return False
    await connection.execute(
        "UPDATE chunk SET reached = reached + 1, unreached = unreached - $3 WHERE alert_id = $1 AND region = $2",
        alert_id,
        was["village"],
        int(was["state"] == TargetState.UNREACHED),
    )
    await connection.execute(
        """
        UPDATE door_task SET state = 'done', closed_at = $3
        WHERE alert_id = $1 AND household_id = $2 AND state = 'open'
        """,
        alert_id,
        household_id,
        at,
    )
    return True
