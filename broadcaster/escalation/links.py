"""Answers by link and by hand: the reply page and the duty desk settle through the same door as a text message."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from broadcaster.database import Connection, Database
from broadcaster.errors import NotFoundError
from broadcaster.escalation.settlement import settle_stored

WORDS = {"acknowledge": "收到", "help": "求助"}


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom the message of a link was sent to."""

    person_id: int | None
    household_id: int | None
    unit_id: int | None


async def addressee(connection: Connection, alert_id: int, ordinal: int) -> Addressee:
    """Whom a delivery was addressed to; `NotFoundError` when there is no such delivery."""
    row = await connection.fetchrow(
        """
        SELECT c.person_id, coalesce(d.household_id, c.household_id) AS household_id, d.unit_id
        FROM delivery d LEFT JOIN contact c ON c.id = d.contact_id
        WHERE d.alert_id = $1 AND d.ordinal = $2
        """,
        alert_id,
        ordinal,
    )
    if row is None:
        raise NotFoundError("这个链接对应的消息不存在。", remedy="请使用短信或微信中的完整链接。")
    return Addressee(row["person_id"], row["household_id"], row["unit_id"])


async def answer(
    database: Database,
    alert_id: int,
    ordinal: int,
    answer: Literal["acknowledge", "help"],
    now: datetime,
    *,
    note: str = "",
    key: str = "",
) -> None:
    """Store and settle an answer given on the reply page. `key` makes a repeated answer one."""
    async with database.connection() as connection:
        who = await addressee(connection, alert_id, ordinal)
        await connection.execute(
            """
            INSERT INTO response (gateway, channel, external_id, address, text, received_at, stored_at,
                                  alert_id, person_id, household_id, delivery)
            VALUES ('link', 'link', $1, '', $2, $3, $3, $4, $5, $6, $7)
            ON CONFLICT (gateway, external_id) DO NOTHING
            """,
            key or secrets.token_urlsafe(16),
            f"{WORDS[answer]} {note}".strip()[:2000].replace("\0", ""),
            now,
            alert_id,
            who.person_id,
            who.household_id,
            ordinal,
        )
    while await settle_stored(database, now):
        pass
