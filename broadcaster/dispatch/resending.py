"""Sending again: households that were given up get their first channels once more, after somebody has mended the cause.

It is one more step behind the policy's last. The households stay unreached, and their door tasks open, until there is
evidence: a second try that fails must not take anybody off the list of doors.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from broadcaster.clock import Clock
from broadcaster.database import Connection, Database
from broadcaster.dispatch.delivery import BATCH_ROWS, VULNERABLE_RISK, RunState
from broadcaster.dispatch.fanout import MOST_VILLAGES, PIECES, VISIT
from broadcaster.dispatch.ledger import lock_states
from broadcaster.dispatch.plan import CONTACT_MEDIUM, Plan
from broadcaster.errors import RuleError
from broadcaster.sql import statements

SQL = statements("broadcaster.dispatch", "resending.sql")


@dataclass(frozen=True, slots=True)
class Resent:
    """How many households are tried again, by how many deliveries; `done` of `total` villages have been gone
    through."""

    households: int
    deliveries: int
    done: int
    total: int


Tell = Callable[[Connection, Resent], Awaitable[None]]
"""Hears of every piece within its transaction; what it raises takes the piece back."""


async def resend(database: Database, plan: Plan, regions: Sequence[str], clock: Clock, tell: Tell) -> None:
    """Try every household again that was given up inside one of `regions` (code prefixes; "" is everywhere).

    A few villages at a time, each time one transaction: what was cut off is completed by doing it again. Whoever is
    already being tried again, has been reached, or has no address is passed over. `RuleError` when the alert no longer
    holds. The gateways are those of the run: a drill's messages leave by rehearsal gateways alone.
    """
    async with database.transaction() as connection:
        await require_open(connection, plan.alert_id, clock.now())
        villages = await connection.fetch(SQL["villages"], plan.alert_id, list(regions))
    done = 0
    for visit in _visits(villages):
        async with database.transaction() as connection:
            await lock_states(connection)
            now = clock.now()
            await require_open(connection, plan.alert_id, now)
            row = await _send(connection, plan, visit, regions, now)
            done += len(visit)
            await tell(connection, Resent(row["households"], row["deliveries"], done, len(villages)))


async def require_open(connection: Connection, alert_id: int, now: datetime) -> None:
    """`RuleError` unless the alert may be sent again now; it stays so until the caller's transaction ends."""
    run = await connection.fetchrow(SQL["run"], alert_id)
    if run is None:
        raise RuleError("这条预警尚未发布，没有可以重发的。", remedy="请先批准并发布。")
    if run["state"] == RunState.SUPERSEDED:
        raise RuleError("这条预警已有更新，不再重发。", remedy="请在最新的预警中重发。")
    if run["state"] != RunState.OPEN or run["expires_at"] <= now:
        raise RuleError("这条预警已经结束或过期，不再重发。", remedy="如果险情还在，请发布更新。")


def _visits(villages: Sequence[asyncpg.Record]) -> Iterator[list[asyncpg.Record]]:
    """Villages together, about `VISIT` households each time."""
    together: list[asyncpg.Record] = []
    for village in villages:
        together.append(village)
        if len(together) == MOST_VILLAGES or sum(one["unreached"] for one in together) >= VISIT:
            yield together
            together = []
    if together:
        yield together


async def _send(
    connection: Connection, plan: Plan, villages: Sequence[asyncpg.Record], regions: Sequence[str], now: datetime
) -> asyncpg.Record:
    await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    steps = plan.policy.households
    offers = [(place, channel) for place, step in enumerate(steps) for channel in step.channels]
    return await connection.fetchrow(
        SQL["resend"].format(**PIECES),
        plan.alert_id,
        [village["region"] for village in villages],
        [village["rank"] for village in villages],
        list(regions),
        [place for place, _ in offers],
        [channel.value for _, channel in offers],
        [CONTACT_MEDIUM[channel] for _, channel in offers],
        len(steps),
        VULNERABLE_RISK,
        BATCH_ROWS,
        now,
    )
