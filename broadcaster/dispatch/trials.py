"""Trials of gateways: one message to one address through exactly one gateway, to see that it works.

A trial is no alert and no part of one: its words are ours and say so, its key names no alert, and it is sent once at
the most. The wall holds for it as well: it is sent by couriers of the side on which it was asked for. Notes
(`notes.py`) take the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from audiences import phone
from broadcaster.clock import BEIJING
from broadcaster.database import Connection, Database
from broadcaster.dispatch.ledger import storable
from broadcaster.dispatch.recordings import SPOKEN
from broadcaster.dispatch.slots import register
from broadcaster.errors import InputError, LimitedError
from broadcaster.phrase import phrase
from broadcaster.ports import (
    Accepted,
    Deferred,
    DeliveryKey,
    Envelope,
    Evidence,
    GatewaySettings,
    Medium,
    Message,
    Outcome,
    Receipt,
    Rejected,
    Sound,
    Studio,
)
from broadcaster.security import audit
from broadcaster.security.permissions import Action, Actor, require

NO_ALERT = 0
"""The alert in the key of a trial: there is none of that number."""

PATIENCE = timedelta(seconds=60)
"""How long a trial waits for a courier with a connection."""

RECEIPT = timedelta(days=1)
"""How long after a trial its receipt is still looked for."""

_REMEMBERED = 1000
"""Trials of all gateways, about, among which it is looked for."""

ANSWER = timedelta(seconds=180)
"""After which a trial that was begun and has no outcome will have none: its worker is gone."""

_OTHER = re.compile(r"[^\s\x00-\x1f]{1,128}")
_MAIL = re.compile(r"[^\s@]{1,64}@[^\s@]+\.[^\s@]+")
_STATES = {Accepted: "submitted", Rejected: "rejected", Deferred: "deferred"}


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial that somebody asked for. `state`: waiting, sending, submitted, rejected, deferred, unknown, delivered,
    failed, expired. `reason` is the gateway's."""

    id: int
    state: str
    reason: str
    asked_at: datetime
    answered_at: datetime | None
    receipt_at: datetime | None
    account: str
    rehearsal: bool


def address_of(channel: Medium, typed: str) -> str:
    """The address as it is stored; `InputError` with what is wrong with it."""
    text = typed.strip()
    if channel in (Medium.SMS, Medium.VOICE):
        try:
            number = phone.normalise(text)
        except phone.PhoneError as error:
            why = phrase(error.template, **error.values)
            raise InputError("号码不对：%(why)s。", remedy=phone.ALLOWED, why=why) from error
        if channel is Medium.SMS and not phone.is_mobile(number):
            raise InputError("短信只能发到手机。", remedy="请填 11 位手机号。")
        return number
    if channel is Medium.EMAIL and not _MAIL.fullmatch(text):
        raise InputError("邮箱地址不对。", remedy="应为 名称@域名，如 zhangsan@example.cn。")
    if not _OTHER.fullmatch(text):
        raise InputError("地址不对。", remedy="应为 1 到 128 个字符，不含空格。")
    return text


async def ask(
    database: Database,
    actor: Actor,
    district: str,
    gateway: GatewaySettings,
    address: str,
    *,
    key: str,
    digest: Callable[[str], str],
    now: datetime,
) -> int:
    """Have a trial sent; its number. The same `key` again is the same trial; one at a time for each gateway.

    The audit has the address as its keyed `digest`: whoever knows the address can compare.
    """
    require(actor, Action.MANAGE_GATEWAYS, (district,))
    async with database.transaction() as connection:
        known: int | None = await connection.fetchval("SELECT id FROM gateway_trial WHERE key = $1", key)
        if known is not None:
            return known
        registered = await register(connection, gateway)
        await connection.fetchval("SELECT id FROM gateway WHERE id = $1 FOR UPDATE", registered.id)
        if await connection.fetchval(
            """
            SELECT EXISTS (SELECT 1 FROM gateway_trial WHERE gateway_id = $1 AND
                           (state = 'waiting' AND expires_at > $2 OR
                            state = 'sending' AND asked_at > $3 AND body IS NULL))
            """,
            registered.id,
            now,
            now - ANSWER,
        ):
            raise LimitedError("这个网关的上一条测试还没有结果。", after=5, remedy="请等它有了结果再试。")
        number: int = await connection.fetchval(
            """
            INSERT INTO gateway_trial (key, gateway_id, rehearsal, address, asked_by, asked_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id
            """,
            key,
            registered.id,
            gateway.rehearsal,
            address,
            actor.account_id,
            now,
            now + PATIENCE,
        )
        await audit.append(
            connection,
            actor.account_id,
            "gateway.trial",
            now,
            subject=f"gateway:{gateway.name}",
            detail={"trial": number, "address": digest(f"{gateway.channel}:{address}"), "rehearsal": gateway.rehearsal},
        )
        return number


async def latest(connection: Connection, gateway: str, now: datetime, most: int = 5) -> list[Trial]:
    """The last trials of a gateway, the newest first."""
    rows = await connection.fetch(
        """
        SELECT t.id, t.reason, t.asked_at, t.answered_at, t.receipt_at, coalesce(a.name, '') AS account, t.rehearsal,
               CASE WHEN t.state = 'waiting' AND t.expires_at <= $2 THEN 'expired'
                    WHEN t.state = 'sending' AND t.asked_at <= $3 THEN 'unknown' ELSE t.state END AS state
        FROM gateway_trial t JOIN gateway g ON g.id = t.gateway_id LEFT JOIN account a ON a.id = t.asked_by
        WHERE g.name = $1 AND t.body IS NULL ORDER BY t.id DESC LIMIT $4
        """,
        gateway,
        now,
        now - ANSWER,
        most,
    )
    return [Trial(**row) for row in rows]


class Taken(NamedTuple):
    """A trial to be sent, or, with a `body`, a note."""

    gateway_id: int
    trial: int
    address: str
    body: str | None


async def take(database: Database, worker: str, sides: dict[int, bool], now: datetime) -> list[Taken]:
    """Take the trials and notes that wait for a gateway of `sides` (id to whether it is for drills). Those that waited
    in vain are over."""
    async with database.connection() as connection:
        if not await connection.fetchval(
            "SELECT EXISTS (SELECT 1 FROM gateway_trial WHERE state = 'waiting')"
            " OR EXISTS (SELECT 1 FROM gateway_trial WHERE state = 'saying')"
        ):
            return []
        await connection.execute(
            """
            UPDATE gateway_trial SET state = 'expired', address = '', body = CASE WHEN body IS NOT NULL THEN '' END
            WHERE state IN ('waiting', 'saying') AND expires_at <= $1
            """,
            now,
        )
        rows = await connection.fetch(
            """
            WITH waiting AS (
                SELECT t.id, t.gateway_id, t.address, t.body
                FROM gateway_trial t JOIN unnest($1::smallint[], $2::boolean[]) AS g(id, rehearsal)
                     ON g.id = t.gateway_id AND g.rehearsal = t.rehearsal
                WHERE t.state IN ('waiting', 'saying') FOR UPDATE OF t SKIP LOCKED
            )
            UPDATE gateway_trial t
            SET state = 'sending', worker = $3, address = '', body = CASE WHEN w.body IS NOT NULL THEN '' END
            FROM waiting w WHERE t.id = w.id
            RETURNING w.gateway_id, w.id, w.address, w.body
            """,
            list(sides),
            list(sides.values()),
            worker,
        )
    return [Taken(*row) for row in rows]


async def settle(database: Database, trial: int, outcome: Outcome | None, now: datetime) -> None:
    """Write down what became of a trial; None: there was no connection."""
    state = "expired" if outcome is None else _STATES.get(type(outcome), "unknown")
    reason = "" if outcome is None or isinstance(outcome, Accepted) else outcome.reason
    ref = outcome.ref or None if isinstance(outcome, Accepted) else None
    async with database.connection() as connection:
        await connection.execute(
            """
            UPDATE gateway_trial
            SET state = CASE WHEN state IN ('delivered', 'failed') THEN state ELSE $2 END, ref = $3,
                reason = CASE WHEN state = 'failed' THEN reason ELSE $4 END, answered_at = $5
            WHERE id = $1
            """,
            trial,
            state,
            ref,
            storable(reason),
            now,
        )


async def received(connection: Connection, gateway_id: int, items: Sequence[Receipt], now: datetime) -> list[Receipt]:
    """Write down the receipts among `items` that are for trials; the others. There is hardly ever a trial: then it is
    one short question, however many receipts."""
    rows = await connection.fetch(
        """
        SELECT id, ref FROM gateway_trial
        WHERE gateway_id = $1 AND id > (SELECT coalesce(max(id), 0) - $2 FROM gateway_trial WHERE gateway_id = $1)
          AND state IN ('sending', 'submitted', 'unknown') AND asked_at > $3
        """,
        gateway_id,
        _REMEMBERED,
        now - RECEIPT,
    )
    open_ = {row["id"] for row in rows}
    by_ref = {row["ref"]: row["id"] for row in rows if row["ref"] is not None}
    others: list[Receipt] = []
    for item in items:
        own = item.key.ordinal if item.key is not None and item.key.alert == NO_ALERT else None
        number = own if own in open_ else by_ref.get(item.ref)
        if number is not None:
            await _receipt(connection, number, item, now)
        elif own is None:
            others.append(item)
    return others


async def _receipt(connection: Connection, trial: int, item: Receipt, now: datetime) -> None:
    failed = item.evidence is Evidence.FAILED
    await connection.execute(
        "UPDATE gateway_trial SET state = $2, reason = $3, receipt_at = $4 WHERE id = $1 AND state <> 'delivered'",
        trial,
        "failed" if failed else "delivered",
        storable(item.reason) if failed else "",
        now,
    )


async def envelope(
    trial: int,
    address: str,
    gateway: GatewaySettings,
    district: str,
    studio: Studio,
    now: datetime,
    sound: Sound | None = None,
) -> Envelope:
    """The message of a trial; spoken where the channel speaks, in the format `sound`. Raises as `Studio.build` does."""
    moment = f"{now.astimezone(BEIJING):%m月%d日%H时%M分}"
    side = "演练网关" if gateway.rehearsal else "网关"
    text = f"【测试】这是{district}预警系统对{side}的发送测试，不是预警，请不要理会。{moment}【测试】"
    subject = f"【测试】{side}发送测试，不是预警"
    audio = None
    if gateway.channel in SPOKEN:
        text = f"这是系统测试，不是预警，请不要理会。{district}预警系统正在测试{side}。"
        audio = await studio.build(text, gateway.channel, colour="", drill=gateway.rehearsal, sound=sound)
    message = Message(
        text=text,
        subject=subject,
        html=f"<p>{text}</p>",
        fields={"first": subject, **dict.fromkeys(_CARD, "测试"), "remark": text},
        audio=audio,
    )
    return Envelope(DeliveryKey(NO_ALERT, trial, 1), address, message, _LAST, now + PATIENCE)


_CARD = tuple(f"keyword{number}" for number in range(1, 6))
_LAST = 3
"""The urgency of a trial: as a blue alert's."""
