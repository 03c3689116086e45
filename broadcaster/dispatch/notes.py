"""Notes: a short text to one mobile number, outside of any alert, such as a code that proves whose the number is.

They take the way of trials, once at the most and within a minute: whoever waits for one asks for another.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from broadcaster.database import Connection
from broadcaster.dispatch.lineup import hear
from broadcaster.dispatch.networks import network_of, served
from broadcaster.dispatch.slots import Gateway, register
from broadcaster.dispatch.trials import NO_ALERT, PATIENCE, RECEIPT, Taken
from broadcaster.ports import DeliveryKey, Envelope, GatewaySettings, Medium, Message

_LAST = 3
"""The urgency of a note: as a blue alert's."""


async def say(connection: Connection, gateway: Gateway, number: str, text: str, now: datetime) -> None:
    """Have `text` sent to `number` by `gateway`. What was said is forgotten as soon as it is on its way."""
    await connection.execute("DELETE FROM gateway_trial WHERE body IS NOT NULL AND asked_at < $1", now - RECEIPT)
    await connection.execute(
        """
        INSERT INTO gateway_trial (key, gateway_id, rehearsal, address, body, state, asked_by, asked_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, 'saying', 0, $6, $7)
        """,
        secrets.token_hex(16),
        gateway.id,
        gateway.settings.rehearsal,
        number,
        text,
        now,
        now + PATIENCE,
    )


async def carrier(connection: Connection, gateways: Iterable[GatewaySettings], number: str) -> Gateway | None:
    """Which gateway for text messages, none of a drill's, takes a note to `number` now; None when there is none at all.

    As of deliveries the preferred of those that are up, or, when none is, of all: one may come up within the minute.
    """
    row = [
        await register(connection, settings)
        for settings in gateways
        if settings.channel is Medium.SMS and not settings.rehearsal
    ]
    network, reputes = network_of(number), await hear(connection)
    able = [gateway for gateway in row if network in served(gateway, row)]

    def rank(gateway: Gateway) -> tuple[bool, int, bool]:
        down = gateway.id not in reputes or not reputes[gateway.id].up
        return down, gateway.settings.priority, not gateway.settings.networks

    return min(able, key=rank, default=None)


def envelope(taken: Taken, now: datetime) -> Envelope:
    """The message of a note."""
    message = Message(taken.body or "")
    return Envelope(DeliveryKey(NO_ALERT, taken.trial, 1), taken.address, message, _LAST, now + timedelta(minutes=10))
