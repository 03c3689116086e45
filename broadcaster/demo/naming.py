"""Whose the messages are that gateways took without being told our key: the ledger knows the ids that they gave."""

from __future__ import annotations

from broadcaster.database import Connection
from broadcaster.rehearsal.oracle import Report


async def name(connection: Connection, report: Report) -> None:
    """Name the messages of `report` that have no name, once the fold has read all answers."""
    if not report.unnamed:
        return
    rows = await connection.fetch("SELECT ref, alert_id, ordinal, attempt FROM message_ref")
    report.name({ref: (alert, ordinal, attempt) for ref, alert, ordinal, attempt in rows})
