"""Stations that report no more, or of a time to come alone: found every minute, shown to officers until they report
again."""

from __future__ import annotations

from datetime import datetime

from broadcaster.database import Database
from broadcaster.triggers.sql import SQL

LEAST = 600.0
"""Seconds of silence that nobody is told of, however often a station should report."""


async def fall_silent(database: Database, now: datetime, periods: float) -> int:
    """Mark the stations that said nothing for `periods` of their own; how many have just fallen silent. The first
    reading takes the mark away."""
    async with database.connection() as connection:
        return len(await connection.fetch(SQL["fall_silent"], now, periods, LEAST))
