"""Idempotency-Key: a repeated POST gets the first one's answer, and the work is done once.

The work and the kept answer are one transaction under a lock on the key, so a crash leaves either both or neither, and
of two requests with one key at the same moment one works while the other waits for its answer.
Only successes are kept: what failed changed nothing and may be tried again with the same key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from broadcaster.database import Connection, Database
from broadcaster.errors import ConflictError, InputError

KEPT_FOR = timedelta(hours=24)
_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_LOCK_SPACE = 0x69_64_65_6D  # "idem"

_FIND = "SELECT request, status, location, body FROM kept_answer WHERE account_id = $1 AND key = $2 AND created_at > $3"
_KEEP = """INSERT INTO kept_answer (account_id, key, request, status, location, body, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (account_id, key) DO UPDATE SET request = excluded.request, status = excluded.status,
  location = excluded.location, body = excluded.body, created_at = excluded.created_at"""
_PURGE = """DELETE FROM kept_answer WHERE ctid IN (
  SELECT ctid FROM kept_answer WHERE created_at <= $1 ORDER BY created_at LIMIT 100 FOR UPDATE SKIP LOCKED)"""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is kept: status, Location ("" for none), body in JSON. `repeated`: it was given before."""

    status: int
    location: str
    body: bytes
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Repeatable:
    """One request that may come again: whose, under which key, and what it asks (method, path, body)."""

    account_id: int
    key: str
    request: bytes

    @classmethod
    def of(cls, account_id: int, key: str, method: str, path: str, body: bytes) -> Repeatable:
        """`InputError` for a key that is not 1 to 128 visible ASCII characters."""
        if not _KEY.fullmatch(key):
            raise InputError("Idempotency-Key 格式不对。", remedy="请用 1 到 128 个可见 ASCII 字符，例如一个 UUID。")
        asked = b"\0".join((method.encode(), path.encode(), body))
        return cls(account_id, key, hashlib.sha256(asked).digest())


async def once(database: Database, repeatable: Repeatable, now: datetime, work: Callable[[], Awaitable[Kept]]) -> Kept:
    """The kept answer, or `work`'s, kept with what it changed.

    `ConflictError` when the key was used for another request, or the first one is still being worked on after 10 s.
    """
    try:
        async with database.transaction() as connection:
            await _lock(connection, repeatable)
            row = await connection.fetchrow(_FIND, repeatable.account_id, repeatable.key, now - KEPT_FOR)
            if row is not None:
                if row["request"] != repeatable.request:
                    raise ConflictError(
                        "这个 Idempotency-Key 已用于另一个请求。", remedy="新的请求请换一个新的 Idempotency-Key。"
                    )
                return Kept(row["status"], row["location"], row["body"], repeated=True)
            kept = await work()
            await connection.execute(_PURGE, now - KEPT_FOR)
            await connection.execute(
                _KEEP,
                repeatable.account_id,
                repeatable.key,
                repeatable.request,
                kept.status,
                kept.location,
                kept.body,
                now,
            )
            return kept
    except asyncpg.LockNotAvailableError as error:
        raise ConflictError("同一个请求正在处理中。", remedy="请稍后用同一个 Idempotency-Key 重试。") from error


async def _lock(connection: Connection, repeatable: Repeatable) -> None:
    name = hashlib.sha256(f"{repeatable.account_id}\0{repeatable.key}".encode()).digest()
    await connection.execute("SET LOCAL lock_timeout = '10s'")
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", _LOCK_SPACE, int.from_bytes(name[:4], signed=True))
    await connection.execute("SET LOCAL lock_timeout = DEFAULT")
