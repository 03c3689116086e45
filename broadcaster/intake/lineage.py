"""What of ours a message is about: the alert in force that was made of what it updates or cancels."""

from __future__ import annotations

from dataclasses import dataclass

from broadcaster.alerts import authoring
from broadcaster.alerts.alert import Alert
from broadcaster.alerts.records import AlertRecord
from broadcaster.database import Connection
from broadcaster.intake.sql import SQL


@dataclass(frozen=True, slots=True)
class Descent:
    """`known`: one of the messages it refers to was received; `waiting`: one waits for an officer; `lying`: of one
    there is a draft that is no alert yet; `ours`: the alert in force that came of one, or that is named itself."""

    known: bool = False
    waiting: bool = False
    lying: bool = False
    ours: AlertRecord | None = None


async def descent(connection: Connection, alert: Alert) -> Descent:
    """Follow the references of `alert`, in the caller's transaction."""
    names = [reference.identifier for reference in alert.references]
    if not names:
        return Descent()
    made = await connection.fetch(SQL["relayed"], names)
    numbers = [row["alert_id"] for row in made if row["alert_id"] is not None]
    current = await connection.fetchval(SQL["in_force"], numbers, names)
    return Descent(
        known=bool(made),
        waiting=any(row["state"] == "waiting" for row in made),
        lying=any(row["lying"] and row["alert_id"] is None for row in made),
        ours=await authoring.load(current) if current is not None else None,
    )
