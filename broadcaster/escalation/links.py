"""Answers by link: the reply page settles through the same door as a text message."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import asyncpg

from broadcaster.database import Connection, Database
from broadcaster.errors import NotFoundError
from broadcaster.escalation.settlement import settle
from broadcaster.ports import DeliveryKey, Reply
from broadcaster.responses import inbox
from broadcaster.responses.matching import Decision
from broadcaster.responses.response import LINK

WORDS = {"acknowledge": "收到", "help": "求助"}

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom the message of a link was sent to."""

    person_id: int | None
    household_id: int | None
    unit_id: int | None


async def addressee(connection: Connection, alert_id: int, ordinal: int) -> Addressee:
    """Whom a delivery was addressed to; `NotFoundError` when there is no such delivery."""
    row = await connection.fetchrow(inbox.SQL["addressees"], [alert_id], [ordinal])
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
) -> Decision | None:
    """Store and settle an answer given on the reply page. `key` makes a repeated answer one.

    What came of it; None when the same answer was settled before. `NotFoundError` when there is no such delivery.
    """
    async with database.connection() as connection:
        await addressee(connection, alert_id, ordinal)
    name = key or secrets.token_urlsafe(16)
    text = f"{WORDS[answer]} {note}".strip()
    await inbox.keep(database, LINK, LINK, [Reply(name, "", text, now, DeliveryKey(alert_id, ordinal, 0))], now)
    for _ in range(_TRIES - 1):
        try:
            return await _settle(database, name, now)
        except asyncpg.DeadlockDetectedError:  # one of two had to give way; it is stored, so nothing is lost
            continue
    return await _settle(database, name, now)


async def _settle(database: Database, name: str, now: datetime) -> Decision | None:
    async with database.transaction() as connection:
        responses = await inbox.named(connection, LINK, name)
        if not responses:
            return None
        results = await settle(connection, responses, now)
        return results[0][1]
