"""Units: region × role that must confirm an alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from audiences import selection as audience
from broadcaster.database import Connection, Database
from broadcaster.dispatch.plan import Plan
from broadcaster.sql import statements

SQL = statements("broadcaster.escalation", "units.sql")

LEVELS = {"town_leader": 2, "village_head": 3, "grid_leader": 4, "grid_member": 4, "responder": 2, "duty_desk": 1}
"""At which level of regions (1 county … 4 grid) each role has its units."""


async def open_units(connection: Connection, plan: Plan, now: datetime) -> None:
    """Create the units of an alert, due at once; done again it changes nothing. Runs in the transaction that issues it."""
    if not plan.policy.units:
        return
    due = now + timedelta(seconds=plan.policy.units[0].after)
    condition, values = audience.where(plan.selection, first_parameter=5)
    for role in plan.policy.unit_roles:
        await connection.execute(
            SQL["open_units"].format(where=condition), plan.alert_id, role, due, LEVELS[role], *values
        )


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
    """The place and the role word of units, for the messages to their duty holders."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[int, tuple[str, str]] = {}

    async def __call__(self, unit_ids: Sequence[int]) -> Mapping[int, tuple[str, str]]:
        missing = [unit_id for unit_id in unit_ids if unit_id not in self._known]
        if missing:
            async with self._database.connection() as connection:
                rows = await connection.fetch(SQL["places"], missing)
            self._known.update({row["id"]: (row["name"], ROLE_WORDS.get(row["role"], "")) for row in rows})
        return self._known
