"""Asking back: an answer that could confirm several alerts confirms none, and its sender is asked which one is meant.

The question is kept as a wish; whoever has the gateway sends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from broadcaster.database import Connection
from broadcaster.ports import Medium
from broadcaster.responses.inbox import SQL
from broadcaster.responses.response import Response
from broadcaster.responses.senders import KnownAlert

_WRITTEN = frozenset({Medium.SMS, Medium.WECHAT, Medium.EMAIL})
_LONGEST_HEADLINE = 20


@dataclass(frozen=True, slots=True)
class Clarification:
    """A question to be sent on the gateway that the answer came from."""

    response_id: int
    gateway: str
    channel: str
    address: str
    text: str


def question(options: Sequence[KnownAlert]) -> str:
    """The question, with a code for each alert: `您有2条待确认：…。请回复“1 27”确认台风红色预警，…`."""
    drill = "【演练】" if any(alert.rehearsal for alert in options) else ""
    choices = "；".join(f"回复“1 {alert.code}”确认“{_short(alert.headline)}”" for alert in options if alert.code)
    return f"{drill}您有{len(options)}条待确认，请分别回复：{choices}。{drill}"


async def want(connection: Connection, response: Response, options: Sequence[KnownAlert], now: datetime) -> None:
    """Keep the wish to ask the sender, unless it was asked in the last ten minutes or cannot read (a call)."""
    if response.channel in _WRITTEN:
        await connection.execute(
            SQL["want_clarification"],
            response.id,
            response.gateway,
            response.channel,
            response.address,
            question(options),
            now,
        )


async def unsent(connection: Connection, now: datetime, limit: int = 100) -> list[Clarification]:
    """Questions not older than ten minutes that still wait to be sent, locked until the transaction ends."""
    return [Clarification(**record) for record in await connection.fetch(SQL["unsent_clarifications"], now, limit)]


async def sent(connection: Connection, response_ids: Sequence[int], now: datetime) -> None:
    """They were handed to the gateway."""
    await connection.execute(SQL["clarifications_sent"], now, list(response_ids))


def _short(headline: str) -> str:
    return headline if len(headline) <= _LONGEST_HEADLINE else headline[: _LONGEST_HEADLINE - 1] + "…"
