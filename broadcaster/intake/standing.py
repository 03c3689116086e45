"""How the orders of a platform above stand: told to it whenever that changes, and when it asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from broadcaster.clock import Clock
from broadcaster.database import Database
from broadcaster.errors import UnavailableError
from broadcaster.intake.sql import SQL
from broadcaster.ports import OrderStanding, OrderState

TOLD_FOR = timedelta(days=7)
"""How long after an order came its platform is told of changes."""

KNOWN_FOR = timedelta(days=90)
"""How long after an order came its platform may ask."""

HELD = timedelta(seconds=180)
"""How long whoever tells it has for it; then another may."""

FIRST, LONGEST = 10.0, 3600.0
_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Standings:
    """What the platform behind one source is told. `tell` raises `UnavailableError` when it does not know now."""

    database: Database
    clock: Clock
    source: str
    tell: Callable[[OrderStanding], Awaitable[None]]

    async def look(self) -> bool:
        """Tell of the next order whose state has changed; whether there was one."""
        now = self.clock.now()
        async with self.database.connection() as connection:
            row = await connection.fetchrow(SQL["standings"], self.source, None, now - TOLD_FOR, now)
            if row is None or await connection.fetchval(SQL["take_up"], row["id"], now, now + HELD) is None:
                return False
        try:
            await self.tell(_standing(row))
        except UnavailableError as error:
            wait = min(FIRST * 2.0 ** min(row["answer_tries"], 12), LONGEST)
            at = self.clock.now() + timedelta(seconds=wait)
            async with self.database.connection() as connection:
                await connection.execute(SQL["state_untold"], row["id"], at, error.what[:300])
            return True
        async with self.database.connection() as connection:
            await connection.execute(SQL["state_told"], row["id"], row["state"], self.clock.now())
        _LOG.info("incoming.state_told", message=row["id"], source=self.source, state=row["state"])
        return True


async def standing(database: Database, source: str, identifier: str, now: datetime) -> OrderStanding | None:
    """How the order of that name stands; None where there is none."""
    async with database.connection() as connection:
        row = await connection.fetchrow(SQL["standings"], source, identifier, now - KNOWN_FOR, now)
    return _standing(row) if row is not None else None


def _standing(row: Any) -> OrderStanding:
    reasons = "；".join(filter(None, (row["note"], *row["reasons"][:3])))
    state = OrderState(row["state"])
    why = reasons if state is not OrderState.DONE else ""
    return OrderStanding(
        row["identifier"], state, why, tuple(row["regions"]), row["issued_at"], row["ended_at"], row["reached"]
    )
