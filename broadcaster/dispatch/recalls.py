"""Recalls: what a gateway plays or rings of an alert that was superseded or ended is stopped, and not left to its end.

What is written cannot be taken back; what sounds can. The closing of a run asks for it in its own transaction; a worker
that has a connection of the gateway tells it, again after a fault, until everything that was under way is known.

What is not at the gateway but in a worker, a call that it rings or a sound that it plays, no other worker can stop. Of
a gateway that has several connections each worker that has one therefore tells its own as well (`of_late`), whoever
takes the recall and keeps account of it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from broadcaster.database import Connection, Database
from broadcaster.dispatch.ledger import storable
from broadcaster.dispatch.recordings import SPOKEN
from broadcaster.ports import DeliveryKey, GatewaySettings, Sent
from broadcaster.sql import statements

log = structlog.get_logger()

LEASE = 40.0
"""Seconds that a worker has for telling a gateway."""

LIMIT = 30.0
"""Seconds that a driver may take to tell it about a thousand messages."""

AGAIN = timedelta(seconds=1)
"""Until the next look, while couriers may still be giving it something."""

LONGEST_PAUSE = 30.0
"""Most seconds between two tries to tell a gateway that cannot be told."""

GIVE_UP = timedelta(hours=1)
"""By then everything has ended by itself."""

OF_LATE = timedelta(minutes=10)
"""How long after it was asked for a worker carries out a recall at its own connections: no call lasts longer."""

MOST = 1000
"""Messages that a driver is told about at once."""

SQL = statements("broadcaster.dispatch", "recalls.sql")


class Due(NamedTuple):
    """A recall that a worker is to carry out, for the `tries`-th time."""

    alert_id: int
    gateway_id: int
    tries: int


@dataclass(frozen=True, slots=True)
class Told:
    """The gateway knows: of so many messages."""

    messages: int


@dataclass(frozen=True, slots=True)
class Missed:
    """It could not be told, and why."""

    why: str


async def ask(connection: Connection, alert_id: int, now: datetime) -> None:
    """Have the gateways that speak stop what they have of an alert, in the transaction that closes its run."""
    await connection.execute(SQL["ask"], alert_id, now, [medium.value for medium in SPOKEN])


async def take(database: Database, gateways: Collection[int], now: datetime) -> list[Due]:
    """The recalls that are due at `gateways`, which this worker is connected to: nobody else takes them for a while.
    Those that nobody could carry out in time are over."""
    async with database.connection() as connection:
        if not await connection.fetchval("SELECT EXISTS (SELECT 1 FROM recall WHERE state = 'open')"):
            return []
        for lost in await connection.fetch(SQL["give_up"], now, now - GIVE_UP):
            log.error("recall.given_up", alert=lost["alert_id"], gateway=lost["gateway_id"], why=lost["why"])
        rows = await connection.fetch(SQL["take"], list(gateways), now, LEASE)
    return [Due(*row) for row in rows]


async def of_late(database: Database, gateways: Collection[int], now: datetime) -> list[Due]:
    """The recalls that were asked of `gateways` in the last minutes, also those that others carry out or have."""
    async with database.connection() as connection:
        rows = await connection.fetch(SQL["of_late"], list(gateways), now - OF_LATE)
    return [Due(*row) for row in rows]


async def sounding(database: Database, due: Due, gateway: GatewaySettings) -> tuple[list[Sent], bool]:
    """What the gateway has of the alert that is not over, and whether more may be on its way to it.

    Asked in this order: what was under way before is in the log afterwards.
    """
    async with database.connection() as connection:
        more: bool = await connection.fetchval(SQL["under_way"], due.alert_id, gateway.channel.value)
        rows = await connection.fetch(
            SQL["sounding"], due.alert_id, due.gateway_id, gateway.channel.value, gateway.rehearsal
        )
    return [
        Sent(DeliveryKey(due.alert_id, row["ordinal"], row["attempt"]), row["ref"], row["address"]) for row in rows
    ], more


async def settle(database: Database, due: Due, result: Told | Missed, now: datetime, *, more: bool = False) -> None:
    """Write down how it went; with `more` it is looked at again, after a fault as well."""
    async with database.connection() as connection:
        match result:
            case Told(messages):
                await connection.execute(
                    SQL["told"], due.alert_id, due.gateway_id, messages, not more, now + AGAIN, now
                )
            case Missed(why):
                pause = timedelta(seconds=min(LONGEST_PAUSE, 2.0 ** min(due.tries, 10)))
                await connection.execute(SQL["missed"], due.alert_id, due.gateway_id, storable(why)[:200], now + pause)


def in_portions(sent: Sequence[Sent]) -> list[Sequence[Sent]]:
    """As many at a time as a driver is told about."""
    return [sent[start : start + MOST] for start in range(0, len(sent), MOST)]
