"""The postman: brings what lies in the outbox to each subscriber, one message after the other, each subscriber on its
own: one that is slow or gone holds up nobody else.

A claim is a lease: what a killed worker was bringing is brought again, under the same id. It is at least once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec
import structlog

from broadcaster.alerts import authoring
from broadcaster.alerts.alert import Alert
from broadcaster.alerts.records import AlertRecord
from broadcaster.clock import Clock
from broadcaster.database import DATABASE_AWAY, Database
from broadcaster.errors import NotFoundError, UnavailableError
from broadcaster.outlets import LABELS, Hook, Manner, NotTold, Outlet, OutletKind, Parcel, Told
from broadcaster.tasks import ended
from broadcaster.webhooks.sql import SQL
from broadcaster.webhooks.subscribers import Secrets, overtaken

LOOK = 1.0
"""Seconds between two looks for what is due."""

AT_ONCE = 64
"""Subscribers that are served at a time."""

LEASE = 90.0
FIRST, LONGEST = 5.0, 300.0
"""Seconds until the second attempt, doubled each time, and the longest pause: who is there again waits no longer."""

ASKED_MOST = 3600.0
"""Seconds of pause that the other side may ask for."""

GIVEN_UP = timedelta(hours=24)
"""After how long of failing a message is given up: an administrator may have it sent again."""

REFUSALS = 3
"""After how many refusals in succession, in the same words, a message that the other side finds unfit is given up: it
holds up those after it no longer. It may be a moment's fault of theirs, so the first is not believed."""

JSON = "application/json"
CAP = "application/cap+xml"
_LOG = structlog.get_logger(__name__)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a webhook. `cap` is the CAP 1.2 message, `url` where it can be fetched as well."""

    type: str
    id: str
    identifier: str
    status: str
    msg_type: str
    headline: str
    issued_at: datetime
    url: str
    cap: str


@dataclass(frozen=True, slots=True)
class Postman:
    """One worker's. `write` makes CAP of an alert, `base` is the public address of this installation."""

    database: Database
    clock: Clock
    outlet: Outlet
    secrets: Secrets
    write: Callable[[Alert], bytes]
    base: str
    owner: str

    async def run(self) -> None:
        """Serve every subscriber that has something due, until cancelled."""
        serving: dict[int, asyncio.Task[None]] = {}
        try:
            while True:
                for number in [number for number, task in serving.items() if task.done()]:
                    del serving[number]
                for number in await self._due():
                    if number not in serving:
                        serving[number] = asyncio.create_task(self._serve(number), name=f"subscriber-{number}")
                await asyncio.sleep(LOOK)
        finally:
            await asyncio.gather(*map(ended, serving.values()))

    async def _due(self) -> list[int]:
        try:
            async with self.database.connection() as connection:
                rows = await connection.fetch(SQL["due"], self.clock.now(), AT_ONCE)
        except DATABASE_AWAY as error:
            _LOG.warning("work.database_away", work="webhooks", error=type(error).__name__)
            return []
        return [row["id"] for row in rows]

    async def _serve(self, number: int) -> None:
        try:
            while await self.bring(number):
                pass
        except DATABASE_AWAY as error:
            _LOG.warning("work.database_away", work="webhooks", error=type(error).__name__)
        except Exception:
            _LOG.exception("work.fault", work="webhooks")

    async def bring(self, subscriber: int) -> bool:
        """Bring the subscriber its oldest message, if that is due; whether there may be a further one at once."""
        now = self.clock.now()
        async with self.database.connection() as connection:
            row = await connection.fetchrow(SQL["claim"], subscriber, self.owner, now, LEASE)
        if row is None:
            return False
        result = await self._tell(row)
        return await self._note(row, result)

    async def _tell(self, row: Any) -> Told | NotTold:
        try:
            record = await authoring.load(row["alert_id"])
        except NotFoundError:
            return NotTold("预警已不存在", final=True)
        if (barred := await self._barred(row, record)) is not None:
            return barred
        try:
            hook = self._hook(row)
        except UnavailableError as error:
            return NotTold(str(error))
        try:
            parcel = await asyncio.to_thread(self._parcel, record, row["id"], hook.kind)
        except Exception as fault:  # of this message: it must not hold up those after it
            _LOG.exception("work.fault", work="webhooks", webhook=row["id"])
            return NotTold(f"程序出错，写不成这条消息（{type(fault).__name__}），请把日志交给维护人员", final=True)
        try:
            return await self.outlet.tell(hook, parcel, self.clock.now())
        except Exception as fault:
            _LOG.exception("work.fault", work="webhooks", webhook=row["id"])
            return NotTold(f"程序出错，没有送出（{type(fault).__name__}），请把日志交给维护人员")

    async def _barred(self, row: Any, record: AlertRecord) -> NotTold | None:
        """Why it must not be told, whatever was written down; None where it may be."""
        if record.alert.rehearsal != row["rehearsal"]:
            return NotTold("演练与实战不符", final=True)
        if not record.open and self.clock.now() - row["queued_at"] >= GIVEN_UP:  # it was switched off meanwhile
            return NotTold("预警已结束或已被取代，一天多没有送到，不再发", final=True)
        async with self.database.connection() as connection:
            if await overtaken(connection, row["id"]):
                return NotTold("对方已收到这条预警后来的更新或解除，不再发旧的", final=True)
        return None

    def _hook(self, row: Any) -> Hook:
        """Whom to tell; `UnavailableError` when the password was sealed with another key."""
        kind = OutletKind(row["kind"])
        return Hook(
            row["url"],
            self.secrets.of(row["subscriber_id"], row["secret_version"]) if kind is OutletKind.WEBHOOK else b"",
            row["private"],
            kind,
            msgspec.json.decode(row["manner"], type=Manner),
            self.secrets.password(row["name"], row["sealed"]) if row["sealed"] is not None else "",
        )

    def _parcel(self, record: AlertRecord, number: int, kind: OutletKind) -> Parcel:
        if kind is OutletKind.CAP:
            return Parcel(_name(number), self.write(record.alert), CAP)
        return Parcel(_name(number), self._body(record, number), JSON, labels(record))

    def _body(self, record: AlertRecord, number: int) -> bytes:
        message = Message(
            type="alert.issued",
            id=_name(number),
            identifier=record.identifier,
            status=record.status,
            msg_type=record.msg_type,
            headline=record.headline,
            issued_at=record.issued_at or record.sent_at,
            url=f"{self.base}/feeds/cap/{quote(record.identifier, safe='')}.xml" if record.status == "Actual" else "",
            cap=self.write(record.alert).decode(),
        )
        return msgspec.json.encode(message)

    async def _note(self, row: Any, result: Told | NotTold) -> bool:
        now = self.clock.now()
        state, wait, reason = "delivered", 0.0, ""
        if isinstance(result, NotTold):
            reason = result.reason[:300]
            lost = result.final or now - row["queued_at"] >= GIVEN_UP or await self._unfit(row["id"], result)
            state, wait = "dead" if lost else "pending", pause(row["attempts"], result.after)
        settled = None if state == "pending" else now
        async with self.database.transaction() as connection:
            next_at = now + timedelta(seconds=wait)
            held = await connection.fetchval(SQL["settle"], row["id"], self.owner, state, next_at, settled)
            if held is None:
                return False  # another worker has it by now
            await connection.execute(SQL["note"], row["id"], row["attempts"], now, result.status, reason)
        if state == "dead":
            _LOG.warning("webhook.dead", webhook=row["id"], subscriber=row["name"], reason=reason)
        return state != "pending"

    async def _unfit(self, number: int, result: NotTold) -> bool:
        """Whether the other side has said so often enough."""
        if not result.unfit:
            return False
        async with self.database.connection() as connection:
            said: int = await connection.fetchval(SQL["said_before"], number, result.reason[:300], REFUSALS - 1)
        return said == REFUSALS - 1


def labels(record: AlertRecord) -> dict[str, str]:
    """What an alert is about, as topics may name it: `LABELS`."""
    district = record.sender.removeprefix("daohu.")
    values = (district, record.kind, record.hazard, record.colour or "", record.msg_type, record.status)
    return {name: value.lower() for name, value in zip(LABELS, values, strict=True)}


def pause(attempts: int, asked: float | None) -> float:
    """Seconds until the next attempt after so many; what the other side asked for (Retry-After) if that is longer."""
    ours = min(FIRST * 2.0 ** min(attempts - 1, 12), LONGEST)
    return max(ours, min(asked or 0.0, ASKED_MOST))


def _name(number: int) -> str:
    return f"webhook-{number}"
