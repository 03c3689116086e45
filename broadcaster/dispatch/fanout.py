"""The fan-out: from an audience to deliveries, village by village, step by step of the policy.

Every visit to a few villages is one transaction that can be repeated: a killed worker leaves them as they were. The
first visit plans everybody's first step, later ones the next channel for whoever the last one failed, and the door task
when nothing is left.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

import asyncpg

from audiences import selection as audience
from broadcaster.database import Connection, Database
from broadcaster.dispatch import terminals
from broadcaster.dispatch.delivery import BATCH_ROWS, VULNERABLE_RISK, RunState
from broadcaster.dispatch.ledger import lock_states
from broadcaster.dispatch.networks import TELLING
from broadcaster.dispatch.plan import CONTACT_MEDIUM, Plan
from broadcaster.ports import Medium
from broadcaster.sql import statements

SQL = statements("broadcaster.dispatch", "fanout.sql")
PIECES = {**TELLING, "numbered": SQL["numbered"]}
"""For statements that write deliveries to households: see `TELLING`, and `numbered` in the file."""

VISIT = 5_000
"""Households of one visit, about: large enough for its statements, small enough to be done again."""

KNOWN = "ON CONFLICT DO NOTHING"
"""A household that is a target already is passed over. To say so costs a seventh of planning, so it is said only where
one was met."""

MOST_VILLAGES = 200
"""Most villages of one visit."""

LoadPlan = Callable[[int], Awaitable[Plan]]


class ChunkState(IntEnum):
    """How far a village is."""

    NEW = 0
    PLANNED = 1
    DONE = 2


class Villages(NamedTuple):
    """The villages of one visit, with their ranks."""

    codes: tuple[str, ...]
    ranks: tuple[int, ...]


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
    heard = dict(await connection.fetch(SQL["lineage_villages"], plan.lineage, plan.alert_id))
    regions: dict[str, int] = {}
    if plan.policy.loudspeakers or terminals.REGION in heard:
        regions[terminals.REGION] = heard.pop(terminals.REGION, 0)
    if plan.policy.households:
        regions |= dict(await audience.villages(connection, plan.selection))
        regions |= {village: households for village, households in heard.items() if village not in regions}
    others = await connection.fetchval(SQL["rank_of_others"], plan.urgency, plan.rehearsal)
    await connection.execute(SQL["open_chunks"], plan.alert_id, list(regions), list(regions.values()), now, others)


async def advance(database: Database, load_plan: LoadPlan, now: datetime) -> int | None:
    """Visit the villages that are most due, together about `VISIT` households; returns the deliveries added, None when
    no village is due."""
    added = await _plan_new(database, load_plan, now)
    return added if added is not None else await _look_again(database, load_plan, now)


async def _plan_new(database: Database, load_plan: LoadPlan, now: datetime) -> int | None:
    try:
        return await _plan_villages(database, load_plan, now, known="")
    except asyncpg.UniqueViolationError:  # a household has moved from one village of the audience to another meanwhile
        return await _plan_villages(database, load_plan, now, known=KNOWN)


async def _plan_villages(database: Database, load_plan: LoadPlan, now: datetime, *, known: str) -> int | None:
    async with database.transaction() as connection:
        chunk = await connection.fetchrow(SQL["new_chunk"], now)
        if chunk is None:
            return None
        plan = await load_plan(chunk["alert_id"])
        if chunk["region"] == terminals.REGION:
            return await terminals.first_visit(connection, plan, now)
        villages = await _beside(connection, chunk, ChunkState.NEW, now)
        return await _first_visit(connection, plan, villages, now, known)


async def _look_again(database: Database, load_plan: LoadPlan, now: datetime) -> int | None:
    """Villages that have been planned share their rows with the fold: the lock on states comes before the rows."""
    async with database.connection() as connection:
        if not await connection.fetchval(SQL["due_chunk_exists"], now):
            return None
    async with database.transaction() as connection:
        await lock_states(connection)
        chunk = await connection.fetchrow(SQL["due_chunk"], now)
        if chunk is None:
            return None
        plan = await load_plan(chunk["alert_id"])
        if chunk["region"] == terminals.REGION:
            await terminals.later_visit(connection, plan, now)
            return 0
        return await _visit(connection, plan, await _beside(connection, chunk, ChunkState.PLANNED, now), now)


async def _beside(connection: Connection, chunk: asyncpg.Record, state: ChunkState, now: datetime) -> Villages:
    """The village that was found, with others that are as due, so that a visit is worth its statements."""
    most = max(1, min(VISIT // max(1, chunk["expected"]), MOST_VILLAGES))
    if most == 1:
        rank = await connection.fetchval(
            "SELECT rank FROM chunk WHERE alert_id = $1 AND region = $2", chunk["alert_id"], chunk["region"]
        )
        return Villages((chunk["region"],), (rank,))
    found = await connection.fetch(SQL["beside"], now, chunk["alert_id"], int(state), most)
    return Villages(tuple(record["region"] for record in found), tuple(record["rank"] for record in found))


async def _first_visit(connection: Connection, plan: Plan, villages: Villages, now: datetime, known: str) -> int:
    # a plan made without the villages' values takes the whole roster for each of them
    await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    condition, values = audience.where(plan.selection, first_parameter=14)
    chosen = SQL["audience"].format(where=condition)
    if plan.lineage != plan.alert_id:
        chosen = SQL["audience_of_lineage"].format(audience=chosen, where=condition)
    steps = plan.policy.households
    offers = [(place, channel) for place, step in enumerate(steps) for channel in step.channels]
    record = await connection.fetchrow(
        SQL["plan_new"].format(audience=chosen, known=known, **PIECES),
        plan.alert_id,
        villages.codes,
        plan.lineage,
        villages.ranks,
        now,
        plan.rehearsal,
        [place for place, _ in offers],
        [channel.value for _, channel in offers],
        [CONTACT_MEDIUM[channel] for _, channel in offers],
        [step.wait for step in steps],
        VULNERABLE_RISK,
        BATCH_ROWS,
        plan.urgency,
        *values,
    )
    if record["late"]:
        await connection.execute(SQL["steps_taken"], plan.alert_id, record["late"], record["steps"])
        if len(steps) in record["steps"]:
            await connection.execute(SQL["give_up"], plan.alert_id, villages.codes, now, len(steps), steps[-1].wait)
    deliveries: int = record["deliveries"]
    return deliveries


async def _visit(connection: Connection, plan: Plan, villages: Villages, now: datetime) -> int:
    """Later steps for whoever the one before has failed, and door tasks for whoever the last has."""
    await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    steps = plan.policy.households
    waits = [step.wait for step in steps]
    added = 0
    for place, step in enumerate(steps):
        if place:
            added += await _plan_step(connection, plan, villages, place, waits[place - 1], step.channels, now)
    await connection.execute(SQL["give_up"], plan.alert_id, villages.codes, now, len(steps), waits[-1])
    await connection.execute(SQL["next_visit"], plan.alert_id, villages.codes, now, waits)
    return added


async def _plan_step(
    connection: Connection,
    plan: Plan,
    villages: Villages,
    place: int,
    wait: float,
    channels: Sequence[Medium],
    now: datetime,
) -> int:
    record = await connection.fetchrow(
        SQL["plan_step"].format(**PIECES),
        plan.alert_id,
        villages.codes,
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
        villages.ranks,
    )
    deliveries: int = record["deliveries"]
    return deliveries
