"""The tick: every unit whose time has come gets the next step of its alert's policy, in one transaction per bundle.

Two ticks at once never take the same unit. A tick that dies leaves everything as it was, and the next one finds it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog

from broadcaster.database import Connection, Database
from broadcaster.dispatch import doors
from broadcaster.dispatch.fanout import LoadPlan
from broadcaster.dispatch.ledger import lock_states
from broadcaster.dispatch.units import enqueue
from broadcaster.escalation.ladder import Climb, DueUnit, climb
from broadcaster.escalation.messages import ByRung, Called, messages
from broadcaster.escalation.roster import roster
from broadcaster.escalation.units import SQL
from broadcaster.ports import Medium

log = structlog.get_logger()

BUNDLE = 1000
"""Units of one transaction."""

LONGEST_CALL = timedelta(minutes=4)
"""After this a call of which nothing was heard rings no more."""


async def tick(database: Database, load_plan: LoadPlan, now: datetime, *, bundle: int = BUNDLE) -> int:
    """Take the next step for a bundle of silent units; returns how many there were.

    Who is only to be told does not wait for the lock on states, which a fold may hold for seconds while a large alert
    is on its way. Whoever confirms meanwhile waits for their unit's row, and withdraws what was written here.
    """
    async with database.connection() as connection:
        if not await connection.fetchval(SQL["any_due"], now):
            return 0
    async with database.transaction() as connection:
        climbs = await _climbs(connection, load_plan, now, bundle)
        told = [one for one in climbs if not one.doors]
        await _write(connection, told, now)
    if len(told) < len(climbs):
        async with database.transaction() as connection:
            await lock_states(connection)  # before units and villages, as settling does: whoever answers gets no task
            climbs = await _climbs(connection, load_plan, now, bundle)
            await _write(connection, climbs, now)
            told += climbs
    if told:
        log.info("escalation.ticked", alerts=sorted({one.unit.alert_id for one in told}), units=len(told))
    return len(told)


async def _climbs(connection: Connection, load_plan: LoadPlan, now: datetime, bundle: int) -> list[Climb]:
    """What is to be done for the units that are due; nobody else takes them until the transaction ends."""
    due = [DueUnit(**record) for record in await connection.fetch(SQL["due_units"], now, bundle)]
    policies = {alert_id: (await load_plan(alert_id)).policy for alert_id in sorted({one.alert_id for one in due})}
    people = await roster(connection, [(one.region, one.role) for one in due], now)
    return [climb(one, policies[one.alert_id], people, now) for one in due]


async def cancel_closed(database: Database, now: datetime | None = None) -> int:
    """Units of runs that are over wait for nothing any more; returns how many there were."""
    async with database.connection() as connection:
        cancelled: int = await connection.fetchval(SQL["cancel_closed"], now or datetime.now(UTC))
        return cancelled


async def _write(connection: Connection, climbs: Sequence[Climb], now: datetime) -> None:
    """Deliveries before door tasks: the fan-out takes its ordinals first as well, so that neither waits in a ring."""
    if not climbs:
        return
    await connection.execute(
        SQL["climbed"],
        [one.unit.id for one in climbs],
        [one.step for one in climbs],
        [one.next_at for one in climbs],
        [one.holderless for one in climbs],
    )
    await _write_asked(connection, climbs, now)
    await _write_notices(connection, climbs, now)
    items = messages(climbs, await _called(connection, climbs, now))
    await _write_log(connection, climbs, items, now)
    for alert_id in sorted({one.unit.alert_id for one in climbs}):
        batch = [
            item for one in climbs if one.unit.alert_id == alert_id for item in items.get(one.unit.id, {}).values()
        ]
        await enqueue(connection, alert_id, [item for per_rung in batch for item in per_rung], now)
    for alert_id, regions in sorted(_doors(climbs).items()):
        await doors.open_for_regions(connection, alert_id, regions, None, now)


async def _called(connection: Connection, climbs: Sequence[Climb], now: datetime) -> set[Called]:
    """Whom a repetition need not call: their phone still rings, or they have heard it."""
    alerts = {one.unit.alert_id for one in climbs for rung in one.rungs if rung.again and Medium.VOICE in rung.channels}
    if not alerts:
        return set()
    rows = await connection.fetch(SQL["called"], sorted(alerts), now - LONGEST_CALL)
    return {(row["alert_id"], row["contact_id"]) for row in rows}


def _doors(climbs: Sequence[Climb]) -> dict[int, list[str]]:
    regions: dict[int, list[str]] = defaultdict(list)
    for one in climbs:
        if one.doors:
            regions[one.unit.alert_id].append(one.unit.region)
    return regions


async def _write_asked(connection: Connection, climbs: Sequence[Climb], now: datetime) -> None:
    asked = [(one.unit, rung.number, holder) for one in climbs for rung in one.rungs for holder in rung.asked]
    await connection.execute(
        SQL["asked"],
        now,
        [unit.id for unit, _, _ in asked],
        [holder.person_id for _, _, holder in asked],
        [holder.duty_id for _, _, holder in asked],
        [unit.alert_id for unit, _, _ in asked],
        [number for _, number, _ in asked],
    )


async def _write_notices(connection: Connection, climbs: Sequence[Climb], now: datetime) -> None:
    notices = [(one.unit, kind) for one in climbs for kind in one.notices]
    if notices:
        await connection.execute(
            SQL["notices"],
            now,
            [unit.alert_id for unit, _ in notices],
            [unit.id for unit, _ in notices],
            [unit.region for unit, _ in notices],
            [kind for _, kind in notices],
        )


async def _write_log(connection: Connection, climbs: Sequence[Climb], items: ByRung, now: datetime) -> None:
    rows = [
        (
            one.unit.alert_id,
            one.unit.id,
            rung.number,
            rung.action.value,
            len({holder.person_id for holder in rung.asked}),
            len(items.get(one.unit.id, {}).get(rung.number, ())),
        )
        for one in climbs
        for rung in one.rungs
    ]
    rows += [(one.unit.alert_id, one.unit.id, one.step, "exhausted", 0, 0) for one in climbs if one.next_at is None]
    columns = list(zip(*rows, strict=True))
    await connection.execute(SQL["log"], now, *map(list, columns))
