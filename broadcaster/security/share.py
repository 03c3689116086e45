"""What security needs of a worker: failed sign-ins are summed up for the audit."""

from __future__ import annotations

from broadcaster.clock import Clock
from broadcaster.database import Database
from broadcaster.security import failures
from broadcaster.share import Share


def share(database: Database, clock: Clock) -> Share:
    """Sums up the failures of hours that are over."""

    async def sum_up() -> int:
        return await failures.sum_up(database, clock.now())

    return Share(chores=(sum_up,))
