"""Ending by hand: the one transaction that takes an issued alert out of force before its time.

Nobody who got it is told: a Cancel does that. It is for what was issued by mistake, or is over without a word.
"""

from __future__ import annotations

from datetime import datetime

from broadcaster.alerts import authoring
from broadcaster.alerts.actor import Actor
from broadcaster.alerts.lifecycle import ApprovalRules
from broadcaster.alerts.records import AlertRecord
from broadcaster.database import Database
from broadcaster.dispatch import closing
from broadcaster.escalation import tick


async def end(
    database: Database,
    alert_id: int,
    actor: Actor,
    now: datetime,
    *,
    version: int | None = None,
    rules: ApprovalRules,
) -> AlertRecord:
    """The alert is ended, what has not gone out is cancelled with its door tasks, and its units wait no more.

    Raises as `authoring.end` does; then nothing was changed.
    """
    async with database.transaction() as connection:
        record = await authoring.end(alert_id, actor, now, version=version, rules=rules)
        await closing.end(connection, alert_id, now)
        await tick.cancel_closed(database, now)
    return record
