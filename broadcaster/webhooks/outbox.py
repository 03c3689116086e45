"""The outbox: who is to be told of an alert is written down in the very transaction that issues it."""

from __future__ import annotations

from datetime import datetime

from broadcaster.alerts.alert import Alert, Scope
from broadcaster.database import Connection
from broadcaster.webhooks.sql import SQL


async def publish(connection: Connection, alert_id: int, alert: Alert, now: datetime) -> None:
    """Every subscriber of the alert's side is to be told: of real alerts the live ones, of drills the others. What is
    not Public stays in the house."""
    if alert.scope is Scope.PUBLIC:
        await connection.execute(SQL["publish"], alert_id, alert.rehearsal, now)
