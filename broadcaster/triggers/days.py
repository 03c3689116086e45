"""The days of readings: a partition is made before the first reading of a day comes to lie in it, and dropped whole."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from broadcaster.database import Connection, Database
from broadcaster.triggers.sql import SQL

_LOCK = 0x0DA0_0D47
"""Advisory lock: one process at a time makes or drops days."""

_PREFIX = "reading_"


class Days:
    """The days that this process knows to be there."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: set[date] = set()

    async def ensure(self, days: Iterable[date]) -> None:
        """Have partitions for these days (UTC). Not inside a transaction: it locks all readings for a moment."""
        missing = set(days) - self._known
        if not missing:
            return
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            there = await _there(connection)
            for day in sorted(missing - there):
                await connection.execute(
                    f"CREATE TABLE {_PREFIX}{day:%Y%m%d} PARTITION OF reading"
                    f" FOR VALUES FROM ('{day} 00:00+00') TO ('{day + timedelta(days=1)} 00:00+00')"
                )
        self._known = there | missing

    async def drop_before(self, day: date) -> int:
        """Forget the days before `day`; how many there were."""
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            gone = sorted(one for one in await _there(connection) if one < day)
            for one in gone:
                await connection.execute(f"DROP TABLE {_PREFIX}{one:%Y%m%d}")
        self._known -= set(gone)
        return len(gone)


def day_of(at: datetime) -> date:
    """The day of the partition that a moment lies in."""
    return at.astimezone(UTC).date()


async def _there(connection: Connection) -> set[date]:
    rows = await connection.fetch(SQL["days"])
    return {datetime.strptime(row["relname"], f"{_PREFIX}%Y%m%d").replace(tzinfo=UTC).date() for row in rows}
