"""Speaking ahead: what loudspeakers and calls will say of an alert is recorded while it is before its approver, so that
the button has nothing to wait for but the network."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from broadcaster.alerts import authoring
from broadcaster.alerts.notice import notice_of
from broadcaster.clock import Clock
from broadcaster.database import Database
from broadcaster.dispatch.recordings import Recordings
from broadcaster.errors import DaohuError
from broadcaster.issuing import Office, in_force
from broadcaster.recent import Recent
from templates.renderer import render_all

log = structlog.get_logger()

FRESH = timedelta(hours=6)
"""How long ago a draft may have been changed: what lies longer is spoken when it is issued."""

MOST = 20
"""Drafts of one look."""

WAITING = """
SELECT id, version FROM alert WHERE state IN ('in_review', 'approved') AND updated_at > $1
ORDER BY updated_at DESC LIMIT $2
"""


class SpeakingAhead:
    """Each process does it for itself: where processes share a disk one of them builds a recording, and the others find
    it; where they do not, each will need its own."""

    def __init__(self, database: Database, clock: Clock, office: Office, recordings: Recordings) -> None:
        self._database = database
        self._clock = clock
        self._office = office
        self._recordings = recordings
        self._seen: Recent[tuple[int, int], datetime] = Recent(most=1000)

    async def look(self) -> bool:
        """Speak what has come before an approver, or was changed there; whether there was anything. What cannot be
        spoken now is left: it is tried again when it is issued, and then somebody is told."""
        now = self._clock.now()
        async with self._database.connection() as connection:
            waiting = await connection.fetch(WAITING, now - FRESH, MOST)
            new = [row for row in waiting if self._seen.get((row["id"], row["version"])) is None]
            if not new:
                return False
            office = await in_force(connection, self._office)
        for row in new:
            self._seen[row["id"], row["version"]] = now
            await self._speak(row["id"], office)
        return True

    async def _speak(self, alert_id: int, office: Office) -> None:
        try:
            record = await authoring.load(alert_id)
            alert = record.alert
            skeletons = render_all(alert, record.reply_code or "", issuer=office.issuer, library=office.library)
            await self._recordings.ahead(skeletons, notice_of(alert, record.expires_at or record.sent_at))
        except DaohuError as problem:
            log.warning("speaking_ahead.left", alert=alert_id, why=problem.what)
