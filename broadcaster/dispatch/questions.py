"""Questions back to somebody who answered: deliveries of an alert, each with words of its own that are kept with it.

They take the way of every delivery: claimed by a gateway of their channel on their side of the drill wall, at its rate,
sent again after a crash, cancelled when their alert is closed. Only they are in vain sooner than the alert is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from broadcaster.clock import Clock
from broadcaster.database import Connection, Database
from broadcaster.dispatch.ledger import Batch, Row
from broadcaster.dispatch.networks import TELLING
from broadcaster.errors import InputError
from broadcaster.ports import DeliveryKey, Envelope, Message
from broadcaster.sql import statements

SQL = statements("broadcaster.dispatch", "questions.sql")

PURPOSE = "question"
"""What the batches of questions are for."""

KEPT = timedelta(minutes=10)
"""How long somebody who answered may be asked what was meant; nobody is asked twice within it."""

MARGIN = timedelta(seconds=30)
"""How long before that a question must be on its way: what a courier has claimed still waits for its turn."""

_LOCK = 0x0DA0_0A5C
"""Advisory lock of whoever asks; taken last, when the transaction waits for nobody else."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question about several alerts to the address of a reply, on the channel that it came by."""

    response_id: int
    alert_ids: tuple[int, ...]
    channel: str
    address: str
    message: Message


async def ask(connection: Connection, questions: Sequence[Question], now: datetime) -> None:
    """Add each as a delivery of the most urgent open alert it is about, unless its address was asked of late."""
    if not questions:
        return
    await connection.execute(SQL["one_at_a_time"], _LOCK)
    concerned = sorted({alert_id for one in questions for alert_id in one.alert_ids})
    urgencies = dict(await connection.fetch(SQL["urgencies"], concerned, now))
    placed = [
        (min(open_alerts, key=lambda alert_id: (urgencies[alert_id], -alert_id)), one)
        for one in questions
        if (open_alerts := [alert_id for alert_id in one.alert_ids if alert_id in urgencies])
    ]
    for alert_id, one in sorted(placed, key=lambda pair: (pair[0], pair[1].response_id)):  # ordinals in one order
        body = msgspec.json.encode(one.message).decode()
        values = (alert_id, one.response_id, one.channel, one.address, body, now, KEPT.total_seconds())
        await connection.execute(SQL["ask"].format(**TELLING), *values)


class Questions:
    """Reads the words of questions for the composer."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def envelopes(self, batch: Batch, rows: Sequence[Row]) -> list[Envelope]:
        """One envelope per row; `InputError` when the time to ask is over."""
        async with self._database.connection() as connection:
            records = await connection.fetch(SQL["bodies"], batch.alert_id, [row.ordinal for row in rows])
        asked = {record["ordinal"]: record for record in records}
        if any(self._clock.now() >= asked[row.ordinal]["asked_at"] + KEPT - MARGIN for row in rows):
            raise InputError("追问没能在10分钟内发出。", remedy="请由值班员电话询问。")
        return [
            Envelope(
                DeliveryKey(batch.alert_id, row.ordinal, batch.claims),
                row.address,
                msgspec.json.decode(asked[row.ordinal]["body"], type=Message),
                batch.urgency,
                min(batch.expires_at, asked[row.ordinal]["asked_at"] + KEPT),
            )
            for row in rows
        ]
