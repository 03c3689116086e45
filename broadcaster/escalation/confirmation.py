"""Confirmation: the one way in which units are settled, whoever says so and by whichever medium."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from broadcaster.database import Connection
from broadcaster.dispatch import units
from broadcaster.escalation.units import SQL


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What settles one unit. `via` is a channel, link or desk; `moved` are people moved to safety, as reported.

    A reply has a `response_id`; what the duty desk wrote down has instead the account that did, `written_by`.
    """

    unit_id: int
    via: str
    person_id: int | None = None
    moved: int | None = None
    response_id: int | None = None
    written_by: str | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The units that are settled now, and in which state each of those asked about had been."""

    unit_ids: frozenset[int]
    before: Mapping[int, str]


async def confirm(connection: Connection, said: Sequence[Confirmation], now: datetime) -> Confirmed:
    """Settle units, one confirmation for each: escalation ends, what waits to be sent is withdrawn, the duty desk's
    notices are closed. A unit that is settled or cancelled already stays as it is. Needs `lock_states` before.
    """
    asked = sorted(one.unit_id for one in said)
    before = {record["id"]: record["state"] for record in await connection.fetch(SQL["lock_units"], asked)}
    records = await connection.fetch(
        SQL["confirm"],
        now,
        [one.unit_id for one in said],
        [one.person_id for one in said],
        [one.via for one in said],
        [one.moved for one in said],
        [one.response_id for one in said],
        [one.written_by for one in said],
    )
    by_alert: dict[int, list[int]] = defaultdict(list)
    for record in records:
        by_alert[record["alert_id"]].append(record["id"])
    for alert_id, unit_ids in sorted(by_alert.items()):
        await units.withdraw(connection, alert_id, unit_ids, now)
    return Confirmed(frozenset(record["id"] for record in records), before)
