"""Replies are stored before anyone is told that we have them; understanding them comes after, and can be repeated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from broadcaster.database import Database
from broadcaster.ports import Medium, Reply

_LONGEST = 2000


async def keep(database: Database, gateway: str, channel: Medium, items: Sequence[Reply], now: datetime) -> None:
    """Store replies of a gateway; one that was stored before is not stored again. Durable when this returns."""
    if not items:
        return
    async with database.connection() as connection:
        await connection.execute(
            """
            INSERT INTO response (gateway, channel, external_id, address, text, received_at, stored_at)
            SELECT $1, $2, r.id, r.address, r.text, r.at, $7
            FROM unnest($3::text[], $4::text[], $5::text[], $6::timestamptz[]) AS r(id, address, text, at)
            ON CONFLICT (gateway, external_id) DO NOTHING
            """,
            gateway,
            channel.value,
            [_clean(item.id) for item in items],
            [_clean(item.address) for item in items],
            [_clean(item.text) for item in items],
            [item.at for item in items],
            now,
        )


def _clean(text: str) -> str:
    return text.replace("\0", "")[:_LONGEST]
