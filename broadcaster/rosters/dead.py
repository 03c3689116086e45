"""Dead numbers: contacts that lately failed again and again for a reason that means the address is no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from broadcaster.database import Connection, Database
from broadcaster.rosters.sql import SQL
from broadcaster.security import audit
from broadcaster.security.permissions import Action, Actor, scopes

ALERTS = 20  # the latest that are looked at
DELIVERIES = 3_000_000  # of later alerts, behind which none is looked at any more
PAST = timedelta(days=180)
FAILURES = 2  # alerts in a row
MOST = 1_000  # that can be switched off at once

_SIGNS = (
    "空号|号码不存在|停机|销号|注销|不是手机号",
    r"unknown subscriber|unallocated|absent subscriber|not in service|no such (user|mailbox|number)|user unknown",
    r"undeliv|\m(mk|mn|mi|lt):?\d{4,5}\M|\mcb:?00(01|53)\M",
    r"\m5\.1\.[1236]|\m5\.2\.1|\mnullmx\M",
    r"\m(43004|40003|invaliduser)\M|未关注|取消关注|openid",
)
"""What gateways say of an address that is no more: in words; a network's words (SIP 404, SMPP); the state reports of
the carriers' short messages, whose families MK, MN, MI and LT mean a number that does not exist, is cut off or cannot
be reached, so that only several in a row say something; a mail server's enhanced status (RFC 3463); WeChat's codes for
who does not follow. A busy or silent line, a full mailbox, an expired message say nothing of the kind."""

SIGNS = "|".join(_SIGNS)
"""A regular expression of PostgreSQL, for `~*`."""


@dataclass(frozen=True, slots=True)
class DeadContact:
    """A contact that seems to lead nowhere: `failures` alerts in a row, the last one `alert_id` at `last_at`."""

    id: int
    household_id: int | None
    person_id: int | None
    medium: str
    address: str
    region: str
    region_name: str
    name: str
    household: str
    failures: int
    last_at: datetime | None
    reason: str
    alert_id: int


async def dead(
    connection: Connection,
    within: Sequence[str],
    now: datetime,
    *,
    after: int = 0,
    most: int = 100,
    among: Sequence[int] | None = None,
) -> list[DeadContact]:
    """The dead contacts in the regions `within`, behind the contact `after`; only of `among`, if given."""
    wanted = None if among is None else list(among)
    rows = await connection.fetch(
        SQL["dead"], ALERTS, FAILURES, SIGNS, now - PAST, list(within), after, most, wanted, DELIVERIES
    )
    return [DeadContact(**row) for row in rows]


async def bury(database: Database, actor: Actor, contacts: Sequence[int], now: datetime) -> int:
    """Switch off those of the contacts that are dead and in the actor's regions; how many. Others stay."""
    async with database.transaction() as connection:
        allowed = scopes(actor, Action.CORRECT_CONTACTS)
        found = await dead(connection, allowed, now, most=MOST, among=contacts[:MOST]) if allowed else []
        gone = await connection.fetch(SQL["bury"], [one.id for one in found])
        if gone:
            detail = {"contacts": sorted(row["id"] for row in gone)}
            await audit.append(connection, actor.account_id, "contacts.bury", now, detail=detail)
        return len(gone)
