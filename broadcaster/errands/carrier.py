"""What a worker does with errands: takes one, does it piece by piece, says after each how far it is.

Every piece is a transaction that also holds the lease and counts, so a killed worker's errand is taken up by another
where doing a piece again changes nothing, and a worker that was taken for dead cannot count what another has done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import structlog

from broadcaster.clock import Clock
from broadcaster.database import Connection, Database
from broadcaster.dispatch.fanout import LoadPlan
from broadcaster.dispatch.resending import Resent, resend
from broadcaster.errands.sql import SQL
from broadcaster.errors import DaohuError
from broadcaster.security import audit
from broadcaster.security.permissions import Action

LEASE = 60.0  # seconds; a piece takes one or two
MOST_TRIES = 5
GIVEN_UP = "多次中断，没有做完。请刷新后再试。"
_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Means:
    """What errands are done with. `ring` has the couriers look for what has been planned."""

    database: Database
    clock: Clock
    load_plan: LoadPlan
    ring: Callable[[], Awaitable[object]]


class LostError(Exception):
    """Another worker has taken it up: the piece that was done here is rolled back."""


@dataclass(frozen=True, slots=True)
class _Held:
    id: int
    alert_id: int
    account_id: int
    kind: str
    regions: list[str]


async def work(means: Means, owner: str) -> bool:
    """Do the next errand, if any; whether there was one."""
    async with means.database.connection() as connection:
        await connection.execute(SQL["give_up"], MOST_TRIES, GIVEN_UP, means.clock.now())
        row = await connection.fetchrow(SQL["claim"], owner, LEASE, MOST_TRIES)
    if row is None:
        return False
    held = _Held(**row)
    try:
        await _carry_out(means, held, owner)
    except LostError:
        _LOG.warning("errand.lost", errand=held.id)
    except DaohuError as error:  # the alert is over, or replaced
        await _finish(means, held, owner, error.sentence)
    return True


async def _carry_out(means: Means, held: _Held, owner: str) -> None:
    plan = await means.load_plan(held.alert_id)
    await resend(means.database, plan, held.regions, means.clock, partial(_tell, held, owner))
    await _finish(means, held, owner, "")


async def _tell(held: _Held, owner: str, connection: Connection, piece: Resent) -> None:
    values = (piece.done, piece.total, piece.households, piece.deliveries)
    if await connection.fetchval(SQL["tell"], held.id, owner, *values, LEASE) is None:
        raise LostError


async def _finish(means: Means, held: _Held, owner: str, fault: str) -> None:
    now = means.clock.now()
    async with means.database.transaction() as connection:
        state = "failed" if fault else "done"
        row = await connection.fetchrow(SQL["finish"], held.id, owner, state, fault[:500], now)
        if row is None:
            raise LostError
        if row["households"]:
            detail = {"regions": held.regions, "households": row["households"], "deliveries": row["deliveries"]}
            await audit.append(
                connection, held.account_id, Action.RESEND.value, now, alert_id=held.alert_id, detail=detail
            )
    _LOG.info("errand.ended", errand=held.id, alert=held.alert_id, kind=held.kind, state=state, fault=fault)
    if row["households"]:
        await means.ring()
