"""Answers by link: the reply page settles through the same door as a text message."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NoReturn

import asyncpg
import msgspec

from broadcaster.database import Connection, Database
from broadcaster.dispatch.delivery import RunState
from broadcaster.errors import ForbiddenError, NotFoundError, RuleError
from broadcaster.escalation.settlement import settle
from broadcaster.ports import DeliveryKey, Reply
from broadcaster.responses import inbox
from broadcaster.responses.matching import Decision
from broadcaster.responses.reply import Help, understand
from broadcaster.responses.response import LINK, Outcome

WORDS = {"acknowledge": "收到", "help": "求助"}

_TRIES = 3

_COUNTS = frozenset({Outcome.SETTLED, Outcome.REACHED, Outcome.DUPLICATE, Outcome.HELP_RAISED})
"""What may be shown to the reader as received."""


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

    What came of it; None when the same answer was settled before. `NotFoundError` when there is no such delivery. A
    confirmation that cannot count is not recorded: `RuleError` when the alert is over, `ForbiddenError` when the reader
    may not (or no longer) confirm. A call for help, in the note as well, is heard whatever has become of the alert.
    """
    async with database.connection() as connection:
        await addressee(connection, alert_id, ordinal)
    name = key or secrets.token_urlsafe(16)
    said = Reply(name, "", f"{WORDS[answer]} {note}".strip(), now, DeliveryKey(alert_id, ordinal, 0))
    if answer == "help":
        await inbox.keep(database, LINK, LINK, [said], now, rehearsal=None)  # durable before anything else can fail
    elif isinstance(understand(note), Help):
        cry = msgspec.structs.replace(said, id=f"{name}-help", text=f"{WORDS['help']} {note}")
        await inbox.keep(database, LINK, LINK, [cry], now, rehearsal=None)
        await _settle_again(database, cry, now)
    return await _settle_again(database, said, now)


async def _settle_again(database: Database, said: Reply, now: datetime) -> Decision | None:
    for _ in range(_TRIES - 1):
        try:
            return await _settle(database, said, now)
        except asyncpg.DeadlockDetectedError:  # one of two had to give way
            continue
    return await _settle(database, said, now)


async def _settle(database: Database, said: Reply, now: datetime) -> Decision | None:
    async with database.transaction() as connection:
        await inbox.keep(database, LINK, LINK, [said], now, rehearsal=None)
        responses = await inbox.named(connection, LINK, inbox.name(said))
        if not responses:
            return None
        [(response, decision)] = await settle(connection, responses, now)
        if decision.outcome not in _COUNTS:
            await _refuse(connection, response.alert_id, now)
        return decision


async def _refuse(connection: Connection, alert_id: int | None, now: datetime) -> NoReturn:
    """Say why a confirmation does not count; what was written of it goes with the transaction."""
    run = await connection.fetchrow("SELECT state, expires_at FROM run WHERE alert_id = $1", alert_id)
    if run is not None and run["state"] == RunState.SUPERSEDED:
        raise RuleError("这条消息已有更新，这次确认没有记录。", remedy="请以最新收到的消息为准。")
    if run is None or run["state"] != RunState.OPEN or run["expires_at"] <= now:
        raise RuleError("这条消息已经结束，这次确认没有记录。", remedy="如需帮助，请致电值班室或 119。")
    raise ForbiddenError("您目前不能确认这条消息，这次确认没有记录。", remedy="请由在岗的责任人确认，或致电值班室。")
