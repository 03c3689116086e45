"""CAP that is posted to the interface for alerts: kept among all other messages, whatever became of it.

Who posts there writes an alert with their own rights, so nothing is judged here; it is noted where it came from, and
the same event by another source is known for the same.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from broadcaster.alerts import authoring
from broadcaster.database import Connection, Database
from broadcaster.errors import DaohuError
from broadcaster.intake.becoming import Became, State
from broadcaster.intake.placing import Place, Where
from broadcaster.intake.settling import write
from broadcaster.intake.sql import SQL
from broadcaster.phrase import phrase
from broadcaster.security.coverage import coverage
from broadcaster.sources import Judged, Verdict

SOURCE = "api:alerts"
"""The source's name: none that settings can give."""

_NOWHERE = Place(Where.UNKNOWN)


async def accepted(database: Database, document: bytes, alert_id: int, by: str, district: str, now: datetime) -> None:
    """It was kept as that alert. The same document again changes nothing."""
    async with database.transaction() as connection:
        number = await _post(connection, document, State.DRAFTED, alert_id, now)
        if number is None:
            return
        alert = (await authoring.load(alert_id)).alert
        regions = await coverage(connection, alert, district)
        note = phrase("由 %(by)s 通过接口提交，成为第 %(alert)s 条预警", by=by, alert=alert_id)
        judged, where = Judged(Verdict.ACCEPTED, (), alert), Place(Where.HERE, regions, regions)
        await write(connection, number, judged, where, Became(State.DRAFTED, note), now, answer=False)


async def refused(database: Database, document: bytes, by: str, fault: DaohuError, now: datetime) -> None:
    """It was refused, and why."""
    if not document:
        return
    async with database.transaction() as connection:
        number = await _post(connection, document, State.REFUSED, None, now)
        if number is not None:
            note, judged = phrase("由 %(by)s 通过接口提交", by=by), Judged(Verdict.REFUSED, (fault.what,), None)
            await write(connection, number, judged, _NOWHERE, Became(State.REFUSED, note), now, answer=False)


async def _post(
    connection: Connection, document: bytes, state: State, alert_id: int | None, now: datetime
) -> int | None:
    """The number of a document that is new, None of one that came before."""
    digest = hashlib.sha256(document).digest()
    number: int | None = await connection.fetchval(SQL["post"], SOURCE, document, digest, now, state.value, alert_id)
    return number
