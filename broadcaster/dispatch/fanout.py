"""The fan-out: from an audience to deliveries, village by village, step by step of the policy.

Every visit to a village is one transaction that can be repeated: a killed worker leaves the village as it was. The same
visit plans the first step, the next channel for whoever the last one failed, and the door task when nothing is left.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from audiences import selection as audience
from broadcaster.database import Connection, Database
from broadcaster.dispatch.delivery import BATCH_ROWS, VULNERABLE_RISK, RunState
from broadcaster.dispatch.ledger import lock_states
from broadcaster.dispatch.plan import CONTACT_MEDIUM, Plan
from broadcaster.ports import Medium
from broadcaster.sql import statements

SQL = statements("broadcaster.dispatch", "fanout.sql")

LOUDSPEAKERS = ""
"""The chunk that stands for the loudspeakers of the whole area."""

LoadPlan = Callable[[int], Awaitable[Plan]]


async def open_run(connection: Connection, plan: Plan, now: datetime) -> None:
    """Start an alert's dispatch: its run, and a chunk to be planned for every village; nothing is sent before the
    commit."""
    await connection.execute(
        """
        INSERT INTO run (alert_id, lineage, rehearsal, urgency, state, opened_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        plan.alert_id,
        plan.lineage,
        plan.rehearsal,
        plan.urgency,
        int(RunState.OPEN),
        now,
        plan.expires_at,
    )
    await connection.execute("INSERT INTO run_ordinal (alert_id) VALUES ($1)", plan.alert_id)
    heard = {
        record["region"] for record in await connection.fetch(SQL["lineage_villages"], plan.lineage, plan.alert_id)
    }
    regions: list[str] = []
    if plan.policy.loudspeakers or LOUDSPEAKERS in heard:
        regions.append(LOUDSPEAKERS)
    if plan.policy.households:
        regions += [village for village, _ in await audience.villages(connection, plan.selection)]
        regions += sorted(heard - {LOUDSPEAKERS, *regions})
    await connection.execute(SQL["open_chunks"], plan.alert_id, regions, list(range(len(regions))), now)


async def advance(database: Database, load_plan: LoadPlan, now: datetime) -> int | None:
    """Visit the village that is most due; returns the deliveries it added, None when no village is due."""
    added = await _plan_new(database, load_plan, now)
    return added if added is not None else await _look_again(database, load_plan, now)


async def _plan_new(database: Database, load_plan: LoadPlan, now: datetime) -> int | None:
    async with database.transaction() as connection:
        chunk = await connection.fetchrow(SQL["new_chunk"], now)
        if chunk is None:
            return None
        plan = await load_plan(chunk["alert_id"])
        if chunk["region"] == LOUDSPEAKERS:
            return await _plan_terminals(connection, plan, now)
        await _choose_targets(connection, plan, chunk["region"])
        return await _visit(connection, plan, chunk["region"], chunk["rank"], now)


async def _look_again(database: Database, load_plan: LoadPlan, now: datetime) -> int | None:
    """A village that has been planned shares its rows with the fold: the lock on states comes before the rows."""
    async with database.connection() as connection:
        if not await connection.fetchval(SQL["due_chunk_exists"], now):
            return None
    async with database.transaction() as connection:
        await lock_states(connection)
        chunk = await connection.fetchrow(SQL["due_chunk"], now)
        if chunk is None:
            return None
        plan = await load_plan(chunk["alert_id"])
        return await _visit(connection, plan, chunk["region"], chunk["rank"], now)


async def _plan_terminals(connection: Connection, plan: Plan, now: datetime) -> int:
    """A colour that uses none still says on each what becomes of the warning that it played."""
    condition, values = audience.where(plan.selection, first_parameter=7) if plan.policy.loudspeakers else ("FALSE", [])
    added: int = await connection.fetchval(
        SQL["plan_terminals"].format(where=condition),
        plan.alert_id,
        plan.lineage,
        plan.rehearsal,
        plan.urgency,
        now,
        BATCH_ROWS,
        *values,
    )
    await connection.execute(
        "UPDATE chunk SET state = 2 WHERE alert_id = $1 AND region = $2", plan.alert_id, LOUDSPEAKERS
    )
    return added


async def _choose_targets(connection: Connection, plan: Plan, village: str) -> None:
    condition, values = audience.where(plan.selection, first_parameter=3)
    await connection.execute(SQL["targets"].format(where=condition), plan.alert_id, village, *values)
    if plan.lineage != plan.alert_id:
        await connection.execute(SQL["lineage_targets"], plan.alert_id, plan.lineage, village)
    await connection.execute(SQL["count_targets"], plan.alert_id, village)


async def _visit(connection: Connection, plan: Plan, village: str, rank: int, now: datetime) -> int:
    # a plan made without the village's values takes the whole contact table for each of them
    await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    steps = plan.policy.households
    waits = [step.wait for step in steps]
    added = 0
    for place, step in enumerate(steps):
        wait = waits[place - 1] if place else 0.0
        added += await _plan_step(connection, plan, village, rank, place, wait, step.channels, now)
    if steps:
        await connection.execute(SQL["give_up"], plan.alert_id, village, now, len(steps), waits[-1])
    await connection.execute(SQL["next_visit"], plan.alert_id, village, now, waits)
    return added


async def _plan_step(
    connection: Connection,
    plan: Plan,
    village: str,
    rank: int,
    place: int,
    wait: float,
    channels: Sequence[Medium],
    now: datetime,
) -> int:
    record = await connection.fetchrow(
        SQL["plan_step"],
        plan.alert_id,
        village,
        now,
        place,
        wait,
        [channel.value for channel in channels],
        [CONTACT_MEDIUM[channel] for channel in channels],
        plan.lineage,
        plan.rehearsal,
        plan.urgency,
        VULNERABLE_RISK,
        BATCH_ROWS,
        rank,
    )
    deliveries: int = record["deliveries"]
    return deliveries
