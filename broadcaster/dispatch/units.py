"""Deliveries to duty holders: written by escalation, sent ahead of everything else of their alert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from broadcaster.database import Connection
from broadcaster.dispatch.fanout import SQL as FANOUT
from broadcaster.dispatch.ledger import SQL as LEDGER
from broadcaster.dispatch.ledger import lock_states
from broadcaster.dispatch.networks import TELLING
from broadcaster.ports import Medium

BATCH_ROWS = 50
"""Most deliveries of one batch to people on duty: all connections of a gateway send at once to those who come first."""


@dataclass(frozen=True, slots=True)
class UnitDelivery:
    """One message to one contact of a person whom a unit asks."""

    unit_id: int
    region_code: str
    channel: Medium
    contact_id: int
    address: str
    language: str = "zh-CN"


async def enqueue(connection: Connection, alert_id: int, items: Sequence[UnitDelivery], now: datetime) -> int:
    """Add deliveries for an open run; returns how many."""
    if not items:
        return 0
    added: int = await connection.fetchval(
        FANOUT["enqueue_units"].format(**TELLING),
        alert_id,
        [item.unit_id for item in items],
        [item.channel.value for item in items],
        [item.contact_id for item in items],
        [item.address for item in items],
        [item.language for item in items],
        now,
        BATCH_ROWS,
    )
    return added


async def withdraw(connection: Connection, alert_id: int, unit_ids: Sequence[int], now: datetime) -> None:
    """The units have answered: what no gateway has taken yet is cancelled, in the transaction that settles them."""
    await lock_states(connection)
    await connection.execute(LEDGER["withdraw_units"], alert_id, list(unit_ids), now)
