"""Closing a run: superseded by the next of its lineage, expired, or ended by its people. Nothing goes out
afterwards, and what sounds is stopped."""

from __future__ import annotations

from datetime import datetime

from broadcaster.database import Connection, Database
from broadcaster.dispatch import recalls
from broadcaster.dispatch.delivery import DeliveryState, RunState, TargetState
from broadcaster.dispatch.ledger import fold_all, withdraw


async def supersede(connection: Connection, lineage: int, successor: int, now: datetime) -> None:
    """Close every other run of a lineage (its successor's is not open yet): what has not gone out is cancelled, and its
    open door tasks with it.

    Batches that a courier is sending right now end within their lease; until then the claim of the successor waits.
    """
    await fold_all(connection, now)
    earlier = await connection.fetch(
        """
        UPDATE run SET state = $3, closed_at = $4
        WHERE lineage = $1 AND alert_id <> $2 AND state = 0 RETURNING alert_id
        """,
        lineage,
        successor,
        int(RunState.SUPERSEDED),
        now,
    )
    for record in earlier:
        await _stop(connection, record["alert_id"], DeliveryState.CANCELLED, now)


async def end(connection: Connection, alert_id: int, now: datetime) -> None:
    """Stop an alert by hand: what has not gone out is cancelled, households without evidence are unreached."""
    await fold_all(connection, now)
    await connection.execute(
        "UPDATE run SET state = $2, closed_at = $3 WHERE alert_id = $1 AND state = 0",
        alert_id,
        int(RunState.ENDED),
        now,
    )
    await _stop(connection, alert_id, DeliveryState.CANCELLED, now)
    await _settle_households(connection, alert_id)


async def close_due(database: Database, now: datetime) -> list[int]:
    """Expire the runs whose time is over and clear what couriers gave back to closed runs; returns the expired
    alerts."""
    async with database.connection() as connection:
        due = await connection.fetchval(
            """
            SELECT EXISTS (SELECT 1 FROM run WHERE state = 0 AND expires_at <= $1)
                OR EXISTS (SELECT 1 FROM batch b JOIN run r USING (alert_id) WHERE b.state = 0 AND r.state > 0)
            """,
            now,
        )
    if not due:
        return []
    async with database.transaction() as connection:
        await fold_all(connection, now)
        expired = await connection.fetch(
            "UPDATE run SET state = $2, closed_at = $1 WHERE state = 0 AND expires_at <= $1 RETURNING alert_id",
            now,
            int(RunState.EXPIRED),
        )
        for record in expired:
            await _stop(connection, record["alert_id"], DeliveryState.EXPIRED, now)
            await _settle_households(connection, record["alert_id"])
        leftovers = await connection.fetch(
            """
            SELECT DISTINCT r.alert_id, r.state FROM batch b JOIN run r USING (alert_id)
            WHERE b.state = 0 AND r.state > 0
            """
        )
        for record in leftovers:
            late = record["state"] == RunState.EXPIRED
            await withdraw(
                connection, record["alert_id"], DeliveryState.EXPIRED if late else DeliveryState.CANCELLED, now
            )
        return [record["alert_id"] for record in expired]


async def _stop(connection: Connection, alert_id: int, state: DeliveryState, now: datetime) -> None:
    await withdraw(connection, alert_id, state, now)
    if state is DeliveryState.CANCELLED:  # what has expired ends by itself, then: the gateways know when
        await recalls.ask(connection, alert_id, now)
    await connection.execute("UPDATE chunk SET state = 2 WHERE alert_id = $1", alert_id)
    await connection.execute(
        "UPDATE door_task SET state = 'cancelled', closed_at = $2 WHERE alert_id = $1 AND state = 'open'", alert_id, now
    )


async def _settle_households(connection: Connection, alert_id: int) -> None:
    await connection.execute(
        """
        WITH lost AS (
            UPDATE target SET state = $2 WHERE alert_id = $1 AND state = 0 RETURNING village
        )
        UPDATE chunk k SET unreached = k.unreached + x.n
        FROM (SELECT village, count(*)::int AS n FROM lost GROUP BY village) x
        WHERE k.alert_id = $1 AND k.region = x.village
        """,
        alert_id,
        int(TargetState.UNREACHED),
    )
