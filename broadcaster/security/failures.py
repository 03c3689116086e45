"""Failed sign-ins in the audit: lock-outs at once, single failures summed up, never so many that the chain fills up.

Between two summaries there is one row for each account and kind of failure, and one for all names that nobody has. So
whoever guesses, however fast and from however many addresses, makes two entries an hour for each account they try.
Who it was is not known: the entries are the system's, about the account.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from broadcaster.database import Connection, Database
from broadcaster.security import audit

NOBODY: Final = 0
"""In place of an account: the name is nobody's."""

SPAN = timedelta(hours=1)
"""What one summary is about."""


class Kind(StrEnum):
    """What was wrong."""

    PASSWORD = "password"  # noqa: S105 — a kind, not a secret
    CODE = "code"


_NOTE = """INSERT INTO sign_in_failure AS f (account_id, kind, failures, lockouts, first_at, last_at)
VALUES ($1, $2, 1, $3, $4, $4)
ON CONFLICT (account_id, kind) DO UPDATE
SET failures = f.failures + 1, lockouts = f.lockouts + $3, last_at = $4
RETURNING failures, lockouts"""

_TAKE = """DELETE FROM sign_in_failure WHERE (account_id, kind) IN (
  SELECT account_id, kind FROM sign_in_failure WHERE first_at <= $1 ORDER BY first_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING account_id, kind, failures, lockouts, first_at, last_at"""

_BUNDLE = 50  # accounts of one transaction: the chain is held as long


async def note(database: Database, account_id: int, kind: Kind, now: datetime, *, locked: bool) -> None:
    """An attempt was wrong. `locked`: a wait begins with it; the first of a span is an entry of its own at once."""
    async with database.transaction() as connection:
        row = await connection.fetchrow(_NOTE, account_id, kind.value, int(locked), now)
        if locked and row["lockouts"] == 1:
            detail = {"kind": kind.value, "failures": row["failures"]}
            await audit.append(connection, 0, "sign_in.locked", now, subject=_subject(account_id), detail=detail)


async def sum_up(database: Database, now: datetime) -> int:
    """One entry for each account whose span is over; how many."""
    async with database.connection() as connection:
        if not await _due(connection, now):
            return 0
    async with database.transaction() as connection:
        rows = await connection.fetch(_TAKE, now - SPAN, _BUNDLE)
        for row in rows:
            detail = {
                "kind": row["kind"],
                "failures": row["failures"],
                "lockouts": row["lockouts"],
                "first": row["first_at"].isoformat(timespec="seconds"),
                "last": row["last_at"].isoformat(timespec="seconds"),
            }
            subject = _subject(row["account_id"])
            await audit.append(connection, 0, "sign_in.failed", now, subject=subject, detail=detail)
        return len(rows)


async def _due(connection: Connection, now: datetime) -> bool:
    due: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT 1 FROM sign_in_failure WHERE first_at <= $1)", now - SPAN
    )
    return due


def _subject(account_id: int) -> str:
    return f"account:{account_id}" if account_id != NOBODY else "account:unknown"
