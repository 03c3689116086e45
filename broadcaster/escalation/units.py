"""Units: region × role that must confirm an alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from audiences import selection as audience
from broadcaster.database import Connection, Database
from broadcaster.dispatch.plan import Plan
from broadcaster.dispatch.units import UnitDelivery, enqueue
from broadcaster.ports import Medium
from broadcaster.recent import Recent
from broadcaster.sql import statements

SQL = statements("broadcaster.escalation", "escalation.sql")

CODE_LENGTHS = {
    "town_leader": 9,
    "village_head": 12,
    "grid_leader": 15,
    "grid_member": 15,
    "responder": 9,
    "duty_desk": 6,
}
"""How long the codes of the regions are in which each role has its units."""


async def open_units(connection: Connection, plan: Plan, now: datetime) -> None:
    """Create the units of an alert, due at once; done again it changes nothing. Runs in the transaction that issues it.

    An alert that replaces another retires that one's silent units, and everybody who was asked before is told: the town
    leader whom the last step asked must not go on by what no longer holds.
    """
    if plan.lineage != plan.alert_id:
        await connection.execute(SQL["retire_lineage"], plan.lineage, plan.alert_id, now)
    if plan.policy.units:
        await _create(connection, plan, now)
    if plan.lineage != plan.alert_id:
        await _tell_those_asked_before(connection, plan, now)


async def _create(connection: Connection, plan: Plan, now: datetime) -> None:
    due = now + timedelta(seconds=plan.policy.units[0].after)
    statement, values = _unit_regions(plan)
    for role in plan.policy.unit_roles:
        await connection.execute(
            SQL["open_units"].format(regions=statement),
            plan.alert_id,
            role,
            due,
            CODE_LENGTHS[role],
            plan.lineage,
            *values,
        )


async def unit_places(connection: Connection, plan: Plan, now: datetime) -> list[tuple[str, str]]:
    """The units (region, role) that issuing the plan at `now` would create; none without a policy for them."""
    if not plan.policy.units:
        return []
    statement, values = _unit_regions(plan)
    found: list[tuple[str, str]] = []
    for role in plan.policy.unit_roles:
        rows = await connection.fetch(statement, plan.alert_id, role, now, CODE_LENGTHS[role], plan.lineage, *values)
        found += [(row["region"], role) for row in rows]
    return sorted(found)


def _unit_regions(plan: Plan) -> tuple[str, list[Any]]:
    condition, values = audience.where(plan.selection, first_parameter=6)
    return SQL["unit_regions"].format(where=condition), values


async def _tell_those_asked_before(connection: Connection, plan: Plan, now: datetime) -> None:
    records = await connection.fetch(SQL["told_before"], plan.lineage, plan.alert_id, now)
    items = [
        UnitDelivery(
            unit_id=record["unit_id"],
            region_code="",
            channel=Medium(record["channel"]),
            contact_id=record["contact_id"],
            address=record["address"],
            language=record["language"],
        )
        for record in records
    ]
    await enqueue(connection, plan.alert_id, items, now)


ROLE_WORDS = {
    "town_leader": "镇街负责人",
    "village_head": "村（社区）书记",
    "grid_leader": "网格长",
    "grid_member": "网格员",
    "responder": "应急队员",
    "duty_desk": "值班员",
}
"""How a message addresses the holder of a duty."""


class UnitNames:
    """The place and the role word of units, for the messages to their duty holders. Remembers a few alerts' worth."""

    MOST = 50_000

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: Recent[int, tuple[str, str]] = Recent(self.MOST)

    async def __call__(self, unit_ids: Sequence[int]) -> Mapping[int, tuple[str, str]]:
        missing = [unit_id for unit_id in unit_ids if unit_id not in self._known]
        if missing:
            async with self._database.connection() as connection:
                rows = await connection.fetch(SQL["places"], missing)
            self._known.update({row["id"]: (row["name"], ROLE_WORDS.get(row["role"], "")) for row in rows})
        return self._known
