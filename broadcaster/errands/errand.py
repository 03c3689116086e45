"""Asking for an errand, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from broadcaster.database import Connection
from broadcaster.errands.sql import SQL
from broadcaster.errors import NotFoundError, RuleError

MOST_OPEN = 20
"""Of one account."""


class Kind(StrEnum):
    """What is to be done."""

    RESEND = "resend"


@dataclass(frozen=True, slots=True)
class Errand:
    """One of them. `done` of `total` villages have been gone through; `households` and `deliveries` are what it has
    come to so far. `fault` says why it ended before its end."""

    id: int
    alert_id: int
    kind: Kind
    regions: tuple[str, ...]
    state: str
    total: int
    done: int
    households: int
    deliveries: int
    fault: str
    asked_at: datetime
    ended_at: datetime | None

    @property
    def working(self) -> bool:
        """Whether a worker is at it, or about to be."""
        return self.state == "open"


async def ask(
    connection: Connection, alert_id: int, account_id: int, kind: Kind, regions: Sequence[str], now: datetime
) -> int:
    """Have it done; its number. The same that is still open is not asked for twice. `RuleError` for too many."""
    if await connection.fetchval(SQL["open_of"], account_id) >= MOST_OPEN:
        raise RuleError("您交办的事还有太多没有做完。", remedy="请等前面的做完再试。")
    wanted = (alert_id, account_id, kind.value, sorted(regions))
    while True:  # what is known when it is asked for may be done when it is looked for
        number: int | None = await connection.fetchval(SQL["ask"], *wanted, now)
        if number is None:
            number = await connection.fetchval(SQL["known"], *wanted)
        if number is not None:
            return number


async def errands(connection: Connection, alert_id: int, account_id: int, most: int = 3) -> list[Errand]:
    """What an account has asked for under an alert, the latest first."""
    return [_errand(row) for row in await connection.fetch(SQL["errands"], alert_id, account_id, None, most)]


async def one(connection: Connection, alert_id: int, account_id: int, number: int) -> Errand:
    """One of an account's; `NotFoundError` for anybody else's."""
    rows = await connection.fetch(SQL["errands"], alert_id, account_id, number, 1)
    if not rows:
        raise NotFoundError("没有这件交办的事。", remedy="请刷新页面。")
    return _errand(rows[0])


def _errand(row: object) -> Errand:
    values = dict(row)  # type: ignore[call-overload]  # a row of ours
    return Errand(**{**values, "kind": Kind(values["kind"]), "regions": tuple(values["regions"])})
