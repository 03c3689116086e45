"""Replies are stored before anyone is told that we have them; understanding them comes after, and can be repeated."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

import structlog

from broadcaster.clock import told
from broadcaster.database import Connection, Database
from broadcaster.ports import DeliveryKey, Medium, Reply
from broadcaster.responses.matching import Decision
from broadcaster.responses.response import Response
from broadcaster.sql import statements

SQL = statements("broadcaster.responses", "responses.sql")

LONGEST_TEXT = 2000
LONGEST_NAME = 200
"""Characters of a reply, and of its id or address, that are kept."""

log = structlog.get_logger()


async def keep(
    database: Database,
    gateway: str,
    channel: Medium | str,
    items: Sequence[Reply],
    now: datetime,
    *,
    rehearsal: bool | None,
) -> None:
    """Store replies of a gateway; one that was stored before is not stored again. Durable when this returns.

    `rehearsal` says which alerts these replies may settle: drills (True) or real ones (False). None is only for replies
    that name the message they answer: the database refuses others.
    """
    if not items:
        return
    keys = [_plausible(item.key) for item in items]
    async with database.connection() as connection:
        await connection.execute(
            SQL["keep"],
            gateway,
            str(channel),
            rehearsal,
            now,
            [name(item) for item in items],
            [storable(item.address, LONGEST_NAME) for item in items],
            [storable(item.text, LONGEST_TEXT) for item in items],
            [key.alert if key else None for key in keys],
            [key.ordinal if key else None for key in keys],
            [told(item.at, now) for item in items],
        )
    log.info("replies.kept", gateway=gateway, count=len(items))


async def unsettled(connection: Connection, limit: int) -> list[Response]:
    """At most `limit` responses that nobody has looked at, oldest first, locked until the transaction ends."""
    return [Response(**record) for record in await connection.fetch(SQL["unsettled"], limit)]


async def named(connection: Connection, gateway: str, external_id: str) -> list[Response]:
    """The response of this name, locked; none when it is settled already."""
    return [Response(**record) for record in await connection.fetch(SQL["named"], gateway, external_id)]


async def settled(connection: Connection, results: Sequence[tuple[Response, Decision]], now: datetime) -> None:
    """Write down beside each response what became of it."""
    await connection.executemany(
        SQL["settled"],
        [
            (
                response.id,
                now,
                decision.intent.value,
                decision.outcome.value,
                decision.alert_id if decision.alert_id is not None else response.alert_id,
                decision.person_id,
                next(iter(decision.household_ids or decision.help_households), None),
                list(decision.unit_ids),
                decision.moved,
            )
            for response, decision in results
        ],
    )


def storable(text: str, longest: int) -> str:
    """Text from outside as PostgreSQL can hold it."""
    return text[:longest].replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def name(reply: Reply) -> str:
    """The gateway's id of it. One that is too long to keep is kept as its digest, because two of them may begin alike;
    a reply that came without any is known by whom it is from, when, and what it says: none is taken for another."""
    if reply.id and storable(reply.id, LONGEST_NAME) == reply.id:
        return reply.id
    known_by = reply.id or "\n".join((reply.address, reply.at.isoformat(), reply.text))
    return hashlib.sha256(known_by.encode("utf-8", "surrogatepass")).hexdigest()


def _plausible(key: DeliveryKey | None) -> DeliveryKey | None:
    """A key comes back from outside: one that cannot be ours must not spoil the write of the others."""
    return key if key is not None and 0 < key.alert < 2**31 and 0 <= key.ordinal < 2**31 else None
