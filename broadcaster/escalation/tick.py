"""The tick: every unit whose time has come gets the next step of its alert's policy, in one transaction per bundle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from broadcaster.alerts.policy import EscalationAction, EscalationStep
from broadcaster.database import Connection, Database
from broadcaster.dispatch import doors
from broadcaster.dispatch.fanout import LoadPlan
from broadcaster.dispatch.plan import CONTACT_MEDIUM, Plan
from broadcaster.dispatch.units import UnitDelivery, enqueue
from broadcaster.escalation.units import SQL

BUNDLE = 2000
"""Units of one transaction."""

RANKS = {EscalationAction.NOTIFY_PRIMARY: "primary", EscalationAction.NOTIFY_DEPUTY: "deputy"}


@dataclass(frozen=True, slots=True)
class DueUnit:
    """A unit that is still silent when its time has come."""

    id: int
    alert_id: int
    region: str
    role: str
    step: int


async def tick(database: Database, load_plan: LoadPlan, now: datetime) -> int:
    """Take the next step for a bundle of silent units; returns how many there were."""
    async with database.transaction() as connection:
        rows = await connection.fetch(SQL["due_units"], now, BUNDLE)
        groups: dict[tuple[int, int], list[DueUnit]] = defaultdict(list)
        for row in rows:
            groups[row["alert_id"], row["step"]].append(DueUnit(**dict(row)))
        for (alert_id, step), due in groups.items():
            await _take_step(connection, await load_plan(alert_id), step, due, now)
        return len(rows)


async def cancel_closed(database: Database) -> int:
    """Units of runs that are over wait for nothing any more; returns how many there were."""
    async with database.connection() as connection:
        return len(await connection.fetch(SQL["cancel_closed"]))


async def _take_step(connection: Connection, plan: Plan, place: int, due: Sequence[DueUnit], now: datetime) -> None:
    steps = plan.policy.units
    step = steps[place]
    asked = await _act(connection, plan, step, due, now)
    follow = now + timedelta(seconds=steps[place + 1].after) if place + 1 < len(steps) else None
    silent = [
        step.action in RANKS and place == 0 and not asked.get(unit.id) for unit in due
    ]  # nobody to ask: the next step is due at once, and the unit is flagged
    next_at = [now if follow and alone else follow for alone in silent]
    await connection.execute(SQL["step_taken"], [unit.id for unit in due], place + 1, next_at, silent)
    await connection.execute(
        SQL["log"],
        plan.alert_id,
        place,
        step.action.value,
        [unit.id for unit in due],
        [asked.get(unit.id, 0) for unit in due],
        now,
    )


async def _act(
    connection: Connection, plan: Plan, step: EscalationStep, due: Sequence[DueUnit], now: datetime
) -> dict[int, int]:
    """Do what the step says; returns how many people (or households) it concerned, by unit."""
    units = [unit.id for unit in due]
    regions = [unit.region for unit in due]
    match step.action:
        case EscalationAction.NOTIFY_PRIMARY | EscalationAction.NOTIFY_DEPUTY:
            roles = [unit.role for unit in due]
            rows = await connection.fetch(SQL["holders"], units, regions, roles, RANKS[step.action], now)
            return await _ask(connection, plan, step, due, rows, now)
        case EscalationAction.NOTIFY_SUPERIOR:
            rows = await connection.fetch(SQL["superiors"], units, regions, now)
            return await _ask(connection, plan, step, due, rows, now)
        case EscalationAction.DUTY_DESK:
            await connection.execute(SQL["notice"], plan.alert_id, units, now)
            return dict.fromkeys(units, 1)
        case EscalationAction.DOOR_TASKS:
            return {
                unit.id: await doors.open_for_region(connection, plan.alert_id, unit.region, None, now) for unit in due
            }


async def _ask(
    connection: Connection,
    plan: Plan,
    step: EscalationStep,
    due: Sequence[DueUnit],
    rows: Iterable[Any],
    now: datetime,
) -> dict[int, int]:
    region = {unit.id: unit.region for unit in due}
    people: dict[int, set[int]] = defaultdict(set)
    deliveries: dict[tuple[int, str, str], UnitDelivery] = {}
    for row in rows:
        people[row["unit_id"]].add(row["person_id"])
        for channel in step.channels:
            if row["contact_id"] is not None and CONTACT_MEDIUM.get(channel) == row["medium"]:
                deliveries.setdefault(
                    (row["unit_id"], channel.value, row["address"]),
                    UnitDelivery(
                        row["unit_id"],
                        region[row["unit_id"]],
                        channel,
                        row["contact_id"],
                        row["address"],
                        row["language"],
                    ),
                )
    pairs = [(unit, person) for unit, members in people.items() for person in sorted(members)]
    await connection.execute(SQL["asked"], [unit for unit, _ in pairs], [person for _, person in pairs], now)
    await enqueue(connection, plan.alert_id, list(deliveries.values()), now)
    return {unit: len(members) for unit, members in people.items()}
