"""The accounting: what the ledger says became of an alert, held against what the carriers really took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from broadcaster.conservation import breaches
from broadcaster.database import Connection
from broadcaster.progress import Progress
from broadcaster.rehearsal.oracle import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounting:
    """One alert, accounted for. Deliveries are counted by state; `lost` are accepted by the ledger's word but unknown
    to the carriers, or planned and without an end; `overtakings` are recipients who got messages out of order."""

    households: int
    contacts: int
    deliveries: int
    states: Mapping[str, int]
    submitted: int
    delivered: int
    failed: int
    reached_households: int
    unreached_households: int
    pending_households: int
    units: int
    acknowledged_units: int
    escalated_units: int
    exhausted_units: int
    door_tasks: int
    help_requests: int
    duplicates: int
    lost: int
    seconds: float
    conserved: bool


async def account(connection: Connection, now: Progress, report: Report, seconds: float) -> Accounting:
    """Settle the accounts of an alert when nothing more is under way."""
    contacts = await connection.fetchval("SELECT count(*)::int FROM contact WHERE household_id IS NOT NULL AND active")
    helps = await connection.fetchval("SELECT count(*)::int FROM help_request WHERE alert_id = $1", now.alert_id)
    return Accounting(
        households=now.households.total,
        contacts=contacts,
        deliveries=sum(now.deliveries.values()),
        states=now.deliveries,
        submitted=now.deliveries["submitted"],
        delivered=now.deliveries["delivered"],
        failed=now.deliveries["failed"],
        reached_households=now.households.reached,
        unreached_households=now.households.unreached,
        pending_households=now.households.pending,
        units=now.units.total,
        acknowledged_units=now.units.acknowledged,
        escalated_units=now.units.escalated,
        exhausted_units=now.units.exhausted,
        door_tasks=now.door_tasks.open + now.door_tasks.done + now.door_tasks.cancelled,
        help_requests=helps,
        duplicates=now.duplicates,
        lost=await _lost(connection, now, report),
        seconds=round(seconds, 1),
        conserved=not await breaches(connection, now.alert_id),
    )


async def _lost(connection: Connection, now: Progress, report: Report) -> int:
    """Deliveries that nobody answers for: still open, or taken by a gateway that does not know of them."""
    taken = {message.ordinal for message in report.taken if message.alert == now.alert_id}
    claimed = await connection.fetch(
        "SELECT ordinal FROM delivery WHERE alert_id = $1 AND state IN (4, 6)", now.alert_id
    )
    unknown_to_carriers = sum(record["ordinal"] not in taken for record in claimed)
    return unknown_to_carriers + now.deliveries["queued"] + now.deliveries["unknown"]
