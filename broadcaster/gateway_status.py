"""How the gateways fare, for who looks after them: connections, pace, trouble, and what waits for each channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from broadcaster.database import Connection
from broadcaster.dispatch.lineup import MEMORY
from broadcaster.dispatch.slots import usable
from broadcaster.ports import GatewaySettings, Medium

_SLOTS = """
SELECT g.name AS gateway, s.slot AS number, coalesce(s.owner, '') AS worker, coalesce(w.connected, false) AS connected,
       coalesce(w.state, '') AS state, coalesce(w.why, '') AS why, w.since,
       coalesce(w.taken * exp(-extract(epoch FROM clock_timestamp() - w.said_at) / $2) / $2, 0)::float8 AS per_second,
       coalesce(w.up, false) AS up
FROM gateway g JOIN gateway_slot s ON s.gateway_id = g.id
LEFT JOIN gateway_word w ON w.gateway_id = s.gateway_id AND w.slot = s.slot AND w.holds_until > clock_timestamp()
WHERE g.name = ANY($1::text[]) ORDER BY g.name, s.slot
"""

_PAUSES = """
SELECT g.name, g.paused_at, coalesce(a.name, '') AS paused_by, g.pause_note
FROM gateway g LEFT JOIN account a ON a.id = g.paused_by WHERE g.paused_at IS NOT NULL
"""

_WAITING = """
SELECT b.channel, b.rehearsal, sum(y.queued + y.unknown)::int AS messages
FROM run r JOIN batch b ON b.alert_id = r.alert_id AND b.state <> 2
CROSS JOIN LATERAL (SELECT * FROM tally y WHERE y.alert_id = b.alert_id AND y.first = b.first OFFSET 0) y
WHERE r.state = 0 GROUP BY b.channel, b.rehearsal
"""


@dataclass(frozen=True, slots=True)
class SlotStatus:
    """One connection. `worker` holds it ("" nobody); `state` of its breaker, "" while nobody speaks of it; `why` its
    latest trouble; `per_second` messages it was given in the last minute, about."""

    number: int
    worker: str
    connected: bool
    state: str
    why: str
    since: datetime | None
    per_second: float
    up: bool


@dataclass(frozen=True, slots=True)
class Pause:
    """Since when, by whom and why a gateway is paused."""

    at: datetime
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """One gateway. `waiting` messages of alerts wait for its channel, on its side of the wall."""

    settings: GatewaySettings
    slots: tuple[SlotStatus, ...]
    pause: Pause | None
    waiting: int

    @property
    def connected(self) -> int:
        """How many of its connections stand."""
        return sum(slot.connected for slot in self.slots)

    @property
    def up(self) -> bool:
        """Whether it does its work."""
        return any(slot.up for slot in self.slots)

    @property
    def per_second(self) -> float:
        """Messages it was given in a second of the last minute."""
        return sum(slot.per_second for slot in self.slots)

    @property
    def why(self) -> str:
        """Its latest trouble; "" where there is none."""
        troubled = [slot for slot in self.slots if slot.why and slot.since is not None]
        return max(troubled, key=lambda slot: slot.since.timestamp() if slot.since else 0).why if troubled else ""


async def statuses(connection: Connection, gateways: Sequence[GatewaySettings]) -> list[GatewayStatus]:
    """Every one of `gateways`, in their order; three short statements."""
    slots: dict[str, list[SlotStatus]] = {gateway.name: [] for gateway in gateways}
    for row in await connection.fetch(_SLOTS, list(slots), MEMORY):
        values = dict(row)
        slots[values.pop("gateway")].append(SlotStatus(**values))
    pauses = {
        row["name"]: Pause(row["paused_at"], row["paused_by"], row["pause_note"])
        for row in await connection.fetch(_PAUSES)
    }
    waiting = {(Medium(row["channel"]), row["rehearsal"]): row["messages"] for row in await connection.fetch(_WAITING)}
    return [
        GatewayStatus(
            gateway,
            tuple(slot for slot in slots[gateway.name] if slot.number <= usable(gateway)),
            pauses.get(gateway.name),
            waiting.get((gateway.channel, gateway.rehearsal), 0),
        )
        for gateway in gateways
    ]


def last_of_its_channel(one: GatewayStatus, others: Sequence[GatewayStatus]) -> bool:
    """Whether without `one` nothing would be sent on its channel, on its side of the wall."""
    mine = one.settings
    return not any(
        other.up and other.pause is None
        for other in others
        if other.settings.name != mine.name
        and (other.settings.channel, other.settings.rehearsal) == (mine.channel, mine.rehearsal)
    )
