"""What alerts need of a worker: those whose time is over end."""

from __future__ import annotations

from broadcaster.alerts import authoring
from broadcaster.clock import Clock
from broadcaster.database import Database
from broadcaster.share import Share


def share(database: Database, clock: Clock) -> Share:
    """Ends what has expired."""

    async def end() -> int:
        async with database.transaction() as connection:
            return len(await authoring.end_expired(connection, clock.now()))

    return Share(chores=(end,))
