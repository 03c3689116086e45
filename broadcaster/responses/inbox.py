"""Replies are kept before the gateway hears that we have them; what is kept and not looked at yet is found by a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from audiences import phone
from audiences.records import ContactMedium
from broadcaster.clock import Clock
from broadcaster.database import Connection, Database
from broadcaster.ports import GatewaySettings, Medium, Reply
from broadcaster.responses.response import Intent, Outcome, Response
from broadcaster.sql import statements

SQL = statements("broadcaster.responses", "responses.sql")

CONTACT_MEDIUM: Mapping[str, ContactMedium] = {
    Medium.SMS: ContactMedium.PHONE,
    Medium.VOICE: ContactMedium.PHONE,
    Medium.WECHAT: ContactMedium.WECHAT,
    Medium.EMAIL: ContactMedium.EMAIL,
}
"""Among which contacts the sender of a medium's reply is looked up."""

LONGEST_TEXT = 2000
LONGEST_NAME = 200

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one response: the row that people see beside its text."""

    id: int
    intent: Intent
    outcome: Outcome
    alert_id: int | None = None
    unit_id: int | None = None
    household_id: int | None = None
    person_id: int | None = None
    moved: int | None = None


class ReplyInbox:
    """Keeps the replies of all gateways. `keep` has the shape that `dispatch.inbox` calls `KeepReplies`."""

    def __init__(self, database: Database, clock: Clock, gateways: Sequence[GatewaySettings]) -> None:
        self._database = database
        self._clock = clock
        self._gateways = {gateway.name: gateway for gateway in gateways}

    async def keep(self, gateway: str, replies: Sequence[Reply]) -> None:
        """Store the replies of `gateway`; returns when they are durable. A reply that is stored already stays as it is.

        KeyError for a gateway that is not configured: its replies must not be acknowledged.
        """
        if not replies:
            return
        source = self._gateways[gateway]
        async with self._database.connection() as connection:
            await connection.execute(
                SQL["keep"],
                gateway,
                source.channel.value,
                source.rehearsal,
                self._clock.now(),
                [storable(reply.id, LONGEST_NAME) for reply in replies],
                [contact_address(source.channel, storable(reply.address, LONGEST_NAME)) for reply in replies],
                [storable(reply.text, LONGEST_TEXT) for reply in replies],
                [reply.key.alert if reply.key and 0 < reply.key.alert < 2**31 else None for reply in replies],
                [reply.at for reply in replies],
            )
        log.info("replies.kept", gateway=gateway, count=len(replies))


async def claim(connection: Connection, limit: int) -> list[Response]:
    """At most `limit` responses that nobody has looked at, oldest first, locked until the transaction ends."""
    return [Response(**record) for record in await connection.fetch(SQL["waiting"], limit)]


async def record(connection: Connection, settled: Sequence[Settled], now: datetime) -> None:
    """Write down what became of responses."""
    await connection.execute(
        SQL["settle"],
        now,
        [one.id for one in settled],
        [one.intent.value for one in settled],
        [one.outcome.value for one in settled],
        [one.alert_id for one in settled],
        [one.unit_id for one in settled],
        [one.household_id for one in settled],
        [one.person_id for one in settled],
        [one.moved for one in settled],
    )


def contact_address(medium: str, address: str) -> str:
    """A gateway's notation of an address in the form that contacts are stored in; itself when it has none."""
    kind = CONTACT_MEDIUM.get(medium)
    if kind is ContactMedium.PHONE:
        try:
            return phone.normalise(address)
        except phone.PhoneError:
            return address.strip()
    if kind is ContactMedium.EMAIL:
        local, at, domain = address.strip().rpartition("@")
        return f"{local}{at}{domain.lower()}"
    return address.strip()


def storable(text: str, longest: int) -> str:
    """Text from outside as PostgreSQL can hold it."""
    return text[:longest].replace("\0", "").encode("utf-8", "replace").decode("utf-8")
