"""Slots: the connections of a gateway, leased to workers, so that an account's limits hold however many workers run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from broadcaster.database import Connection
from broadcaster.ports import GatewaySettings


@dataclass(frozen=True, slots=True)
class Gateway:
    """A configured gateway and the id it has in the ledger."""

    id: int
    settings: GatewaySettings


@dataclass(frozen=True, slots=True)
class Slot:
    """One connection of a gateway, held by this worker; `number` from 1.

    The slots share the account's rate in whole messages: each may send `tokens` in any `period` seconds, and together
    they send what the account may, never more, whichever workers hold them.
    """

    gateway: Gateway
    number: int

    @property
    def tokens(self) -> int:
        rate, slots = int(self.gateway.settings.rate), usable(self.gateway.settings)
        return max(1, rate // slots + (self.number <= rate % slots))

    @property
    def period(self) -> float:
        """A second; longer for an account that takes less than one message in a second."""
        return max(1.0, 1 / self.gateway.settings.rate)


def usable(settings: GatewaySettings) -> int:
    """How many connections have something to send: no more than messages in a second."""
    return max(1, min(settings.slots, int(settings.rate)))


async def register(connection: Connection, settings: GatewaySettings) -> Gateway:
    """The gateway's id (made when it is new) and its slots."""
    channel = settings.channel.value
    known = await connection.fetchrow("SELECT id, channel FROM gateway WHERE name = $1", settings.name)
    if known is not None and known["channel"] == channel:
        gateway_id: int = known["id"]
    else:
        gateway_id = await connection.fetchval(
            """
            INSERT INTO gateway (name, channel) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET channel = excluded.channel RETURNING id
            """,
            settings.name,
            channel,
        )
    await connection.execute(
        "INSERT INTO gateway_slot (gateway_id, slot) SELECT $1, generate_series(1, $2) ON CONFLICT DO NOTHING",
        gateway_id,
        usable(settings),
    )
    return Gateway(gateway_id, settings)


async def appear(connection: Connection, worker: str, seconds: float) -> int:
    """Say that this worker lives; returns how many do, it included: those that were seen in the last `seconds`."""
    await connection.execute(
        """
        INSERT INTO worker (name, seen_at) VALUES ($1, clock_timestamp())
        ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at
        """,
        worker,
    )
    await connection.execute("DELETE FROM worker WHERE seen_at < clock_timestamp() - interval '1 day'")
    alive: int = await connection.fetchval(
        "SELECT count(*) FROM worker WHERE seen_at > clock_timestamp() - make_interval(secs => $1)", seconds
    )
    return alive


Leased = dict[tuple[int, int], datetime]
"""What a process holds: gateway and slot, and until when, as the database said last."""


async def hold(
    connection: Connection, gateway: Gateway, owner: str, seconds: float, *, alive: int, mine: Leased
) -> set[int]:
    """Keep this process's slots of a gateway (`mine`, which is brought up to date) and take free ones, for `seconds`;
    returns all it holds.

    It is no more than its even share among `alive` workers: what it has beyond that it lets lapse, for one that has
    less. A lease is known by its end and not by its owner's name: a cloned machine has the name as well, and must not
    send over the same connections beside the first.
    """
    known = {slot: until for (gateway_id, slot), until in mine.items() if gateway_id == gateway.id}
    records = await connection.fetch(
        """
        UPDATE gateway_slot s SET owner = $2, lease_until = clock_timestamp() + make_interval(secs => $3)
        FROM (
            SELECT gateway_id, slot FROM gateway_slot
            WHERE gateway_id = $1 AND slot <= $4
              AND (owner IS NULL OR lease_until < clock_timestamp()
                   OR (slot, lease_until) IN (SELECT * FROM unnest($6::smallint[], $7::timestamptz[])))
            ORDER BY slot <> ALL ($6::smallint[]), slot LIMIT $5 FOR UPDATE SKIP LOCKED
        ) free
        WHERE s.gateway_id = free.gateway_id AND s.slot = free.slot
        RETURNING s.slot, s.lease_until
        """,
        gateway.id,
        owner,
        seconds,
        usable(gateway.settings),
        math.ceil(usable(gateway.settings) / alive),
        list(known),
        list(known.values()),
    )
    for slot in known:
        del mine[gateway.id, slot]
    mine.update({(gateway.id, record["slot"]): record["lease_until"] for record in records})
    return {record["slot"] for record in records}


async def leave(connection: Connection, owner: str, mine: Leased) -> None:
    """Give every slot of this process back, and be gone."""
    await connection.execute("DELETE FROM worker WHERE name = $1", owner)
    await connection.execute(
        """
        UPDATE gateway_slot SET owner = NULL, lease_until = NULL
        WHERE (gateway_id, slot, lease_until)
              IN (SELECT * FROM unnest($1::smallint[], $2::smallint[], $3::timestamptz[]))
        """,
        [gateway_id for gateway_id, _ in mine],
        [slot for _, slot in mine],
        list(mine.values()),
    )
