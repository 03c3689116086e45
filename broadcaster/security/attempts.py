"""Guessing made slow: failed sign-ins are counted before the password is looked at, and waits double.

Three counters share one table: this account from this address (strict), this address (for whoever tries many names) and
this account (for whoever uses many addresses; mild, so that a stranger cannot lock the duty officer out for long).
Keys are hashed: the table holds neither names nor addresses.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from broadcaster.database import Connection
from broadcaster.errors import LimitedError

FORGET = timedelta(hours=1)  # a counter that was quiet for this long starts again


@dataclass(frozen=True, slots=True)
class Limit:
    """After `free` failures, wait `first` seconds, doubling with each further failure up to `longest`."""

    free: int
    first: float
    longest: float

    def wait(self, failures: int) -> float:
        """Seconds to wait after the `failures`-th failure in a row."""
        beyond = failures - self.free
        return 0.0 if beyond < 0 else min(self.longest, self.first * 2.0 ** min(beyond, 30))


PAIR = Limit(free=5, first=15, longest=900)
SOURCE = Limit(free=40, first=15, longest=900)
ACCOUNT = Limit(free=60, first=5, longest=60)
CODE = Limit(free=10, first=15, longest=900)
"""Codes of the second factor, whatever the address: who tries them knows the password. Some 250
tries a day at most, each right with three chances in a million."""

_COUNT = """INSERT INTO sign_in_attempt AS a (key, failures, failed_at, blocked_until) VALUES ($1, 1, $2, $2)
ON CONFLICT (key) DO UPDATE
SET failures = CASE WHEN a.failed_at < $3 THEN 1 ELSE a.failures + 1 END, failed_at = $2
RETURNING failures, greatest(0, extract(epoch FROM blocked_until - $2::timestamptz))::float8 AS wait"""

_PURGE = """DELETE FROM sign_in_attempt WHERE key IN (
  SELECT key FROM sign_in_attempt WHERE failed_at < $1 AND blocked_until < $2 FOR UPDATE SKIP LOCKED)"""

_BLOCK = "UPDATE sign_in_attempt SET blocked_until = greatest(blocked_until, $2) WHERE key = $1"


async def count(connection: Connection, name: str, source: str, now: datetime) -> bool:
    """Count one attempt as a failure until `forgive` says otherwise; `LimitedError` while a wait is running. Whether a
    wait begins with it, should it be one.

    Run it in a transaction of its own: the counters' row locks make a burst of guesses queue up behind each other, and
    an attempt that is refused is rolled back, so trying during a wait does not lengthen it.
    """
    return await _count(connection, _limits(name, source), now)


async def count_code(connection: Connection, account_id: int, now: datetime) -> bool:
    """The same for a code of the second factor; forgiven by `forgive_code`."""
    return await _count(connection, {_code_key(account_id): CODE}, now)


async def forgive_code(connection: Connection, account_id: int) -> None:
    """A right code: forget the wrong ones."""
    await connection.execute("DELETE FROM sign_in_attempt WHERE key = $1", _code_key(account_id))


async def _count(connection: Connection, limits: dict[str, Limit], now: datetime) -> bool:
    waiting, begins = 0.0, False
    for key in sorted(limits):
        row = await connection.fetchrow(_COUNT, key, now, now - FORGET)
        waiting = max(waiting, row["wait"])
        wait = limits[key].wait(row["failures"])
        if wait:
            begins = True
            await connection.execute(_BLOCK, key, now + timedelta(seconds=wait))
    if waiting:
        raise LimitedError(
            "失败次数太多。", after=waiting, remedy="请等 %(seconds)s 秒后再试。", seconds=int(waiting) + 1
        )
    return begins


async def forgive(connection: Connection, name: str, source: str) -> None:
    """A success: forget the failures of this account from this address, and one of each of the other counters."""
    pair, *others = _limits(name, source)
    await connection.execute("DELETE FROM sign_in_attempt WHERE key = $1", pair)
    await connection.execute(
        "UPDATE sign_in_attempt SET failures = greatest(0, failures - 1), blocked_until = failed_at"
        " WHERE key = ANY($1::text[])",
        others,
    )


async def purge(connection: Connection, now: datetime) -> None:
    """Drop the counters that have been quiet for an hour, but those that somebody is counting on just now."""
    await connection.execute(_PURGE, now - FORGET, now)


def _limits(name: str, source: str) -> dict[str, Limit]:
    return {
        _key("pair", name, source): PAIR,
        _key("source", source): SOURCE,
        _key("account", name): ACCOUNT,
    }


def _code_key(account_id: int) -> str:
    return _key("code", str(account_id))


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
