"""Progress: what the pages and the API read of an alert, from counts that the fold keeps, never from the deliveries."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from broadcaster.database import Connection
from broadcaster.dispatch.delivery import DeliveryState

STATES = tuple(state.word for state in DeliveryState)


@dataclass(frozen=True, slots=True)
class Households:
    """Households of an audience (or of one region of it): total = reached + pending + unreached."""

    total: int
    reached: int
    pending: int
    unreached: int


@dataclass(frozen=True, slots=True)
class RegionProgress:
    """One village of the audience."""

    region: str
    name: str
    households: Households


@dataclass(frozen=True, slots=True)
class Units:
    """Units by state; `escalated` counts those that went beyond their first notification, whatever became of them."""

    total: int
    waiting: int
    acknowledged: int
    exhausted: int
    cancelled: int
    escalated: int


@dataclass(frozen=True, slots=True)
class DoorTasks:
    """Door tasks by state."""

    open: int
    done: int
    cancelled: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one alert has come. `deliveries` and each of `channels` count by state word; `planned` is False while
    villages are still to be planned, so totals still grow. `archived_at`: since then its deliveries, the reached
    households and its log lie in the archive; all counts, and who was not reached, are still here."""

    alert_id: int
    planned: bool
    deliveries: dict[str, int]
    channels: dict[str, dict[str, int]]
    households: Households
    regions: tuple[RegionProgress, ...]
    units: Units
    door_tasks: DoorTasks
    duplicates: int
    archived_at: datetime | None = None


async def progress(connection: Connection, alert_id: int) -> Progress:
    """The progress of an alert; all zero for one that was never issued."""
    channels = await _channels(connection, alert_id)
    regions = await _regions(connection, alert_id)
    run = await connection.fetchrow(
        """
        SELECT NOT EXISTS (SELECT 1 FROM chunk k WHERE k.alert_id = r.alert_id AND k.state = 0) AS planned,
               CASE WHEN a.alert_id IS NULL
                    THEN (SELECT coalesce(sum(duplicates), 0)::int FROM tally y WHERE y.alert_id = r.alert_id)
                    ELSE (SELECT coalesce(sum(duplicates), 0)::int FROM archived_count c WHERE c.alert_id = r.alert_id)
               END AS duplicates, a.sealed_at
        FROM run r LEFT JOIN archive a ON a.alert_id = r.alert_id WHERE r.alert_id = $1
        """,
        alert_id,
    )
    return Progress(
        alert_id=alert_id,
        planned=bool(run and run["planned"]),
        deliveries={state: sum(counts[state] for counts in channels.values()) for state in STATES},
        channels=channels,
        households=_total([region.households for region in regions]),
        regions=tuple(regions),
        units=await _units(connection, alert_id),
        door_tasks=await _door_tasks(connection, alert_id),
        duplicates=run["duplicates"] if run else 0,
        archived_at=run["sealed_at"] if run else None,
    )


async def _channels(connection: Connection, alert_id: int) -> dict[str, dict[str, int]]:
    sums = ", ".join(f"sum({state})::int AS {state}" for state in STATES)
    records = await connection.fetch(
        f"""
        SELECT b.channel, {sums}
        FROM batch b CROSS JOIN LATERAL (
            SELECT * FROM tally y WHERE y.alert_id = b.alert_id AND y.first = b.first OFFSET 0 -- new to the statistics
        ) y
        WHERE b.alert_id = $1 AND NOT EXISTS (SELECT 1 FROM archive WHERE alert_id = $1) GROUP BY b.channel
        UNION ALL
        SELECT channel, {", ".join(STATES)} FROM archived_count WHERE alert_id = $1
        ORDER BY channel
        """,
        alert_id,
    )
    return {record["channel"]: {state: record[state] for state in STATES} for record in records}


async def _regions(connection: Connection, alert_id: int) -> list[RegionProgress]:
    records = await connection.fetch(
        """
        SELECT k.region, coalesce(r.name, '') AS name, k.households, k.reached, k.unreached
        FROM chunk k LEFT JOIN region r ON r.code = k.region
        WHERE k.alert_id = $1 AND k.region <> '' ORDER BY k.region
        """,
        alert_id,
    )
    return [
        RegionProgress(
            record["region"],
            record["name"],
            Households(
                total=record["households"],
                reached=record["reached"],
                pending=record["households"] - record["reached"] - record["unreached"],
                unreached=record["unreached"],
            ),
        )
        for record in records
    ]


def _total(parts: list[Households]) -> Households:
    return Households(
        total=sum(part.total for part in parts),
        reached=sum(part.reached for part in parts),
        pending=sum(part.pending for part in parts),
        unreached=sum(part.unreached for part in parts),
    )


async def _units(connection: Connection, alert_id: int) -> Units:
    records = await connection.fetch(
        """
        SELECT state, count(*)::int AS n, (count(*) FILTER (WHERE step > 1))::int AS escalated
        FROM unit WHERE alert_id = $1 GROUP BY state
        """,
        alert_id,
    )
    counts: dict[str, int] = defaultdict(int, {record["state"]: record["n"] for record in records})
    return Units(
        total=sum(counts.values()),
        waiting=counts["waiting"],
        acknowledged=counts["acknowledged"],
        exhausted=counts["exhausted"],
        cancelled=counts["cancelled"],
        escalated=sum(record["escalated"] for record in records),
    )


async def _door_tasks(connection: Connection, alert_id: int) -> DoorTasks:
    records = await connection.fetch(
        "SELECT state, count(*)::int AS n FROM door_task WHERE alert_id = $1 GROUP BY state", alert_id
    )
    counts: dict[str, int] = defaultdict(int, {record["state"]: record["n"] for record in records})
    return DoorTasks(open=counts["open"], done=counts["done"], cancelled=counts["cancelled"])
