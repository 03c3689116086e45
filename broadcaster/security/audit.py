"""The audit trail: who did what to which alert. Rows are only ever added, each carrying the hash of the one before.

Writing is serialised by an advisory lock held to the end of the caller's transaction, so append as its last statement.
A cut-off tail leaves a chain that is right but short: keep a `Head` outside (every append logs one) for `verify`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from broadcaster.database import Connection

_LOG = structlog.get_logger(__name__)
_LOCK = 0x64_61_6F_68_75_01  # "daohu", 1
_START = bytes(32)

_LAST = "SELECT seq, digest FROM audit_entry ORDER BY seq DESC LIMIT 1"
_ADD = """INSERT INTO audit_entry (seq, at, account_id, action, alert_id, subject, detail, previous, digest)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
_ALL = "SELECT seq, at, account_id, action, alert_id, subject, detail, previous, digest FROM audit_entry ORDER BY seq"
_OF_ALERT = """SELECT seq, at, account_id, action, alert_id, subject, detail FROM audit_entry
WHERE alert_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that one account (0 is the system) did. `detail` is canonical JSON without personal data."""

    seq: int
    at: datetime
    account_id: int
    action: str
    alert_id: int | None
    subject: str
    detail: str

    def digest(self, previous: bytes) -> bytes:
        """SHA-256 over the entry before and this one."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        fields = [self.seq, at, self.account_id, self.action, self.alert_id, self.subject, self.detail]
        written = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(previous + written.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry known at some moment: its number and its hash in hex."""

    seq: int
    digest: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`entries` were read; `broken` is the number of the first bad one (None: whole) and `why` says what is wrong."""

    entries: int
    head: Head
    broken: int | None = None
    why: str = ""


async def append(
    connection: Connection,
    account_id: int,
    action: str,
    at: datetime,
    *,
    alert_id: int | None = None,
    subject: str = "",
    detail: Mapping[str, object] | None = None,
) -> Head:
    """Add an entry inside the caller's transaction; its place in the chain."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    last = await connection.fetchrow(_LAST)
    seq, previous = (last["seq"] + 1, last["digest"]) if last else (1, _START)
    written = json.dumps(detail or {}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    entry = Entry(seq, at, account_id, action, alert_id, subject, written)
    digest = entry.digest(previous)
    await connection.execute(_ADD, seq, at, account_id, action, alert_id, subject, written, previous, digest)
    _LOG.info("audit.append", seq=seq, digest=digest.hex(), account=account_id, action=action, alert=alert_id)
    return Head(seq, digest.hex())


async def of_alert(connection: Connection, alert_id: int, *, after: int = 0, limit: int = 200) -> list[Entry]:
    """What was done to one alert, oldest first, from the entry behind `after`."""
    return [Entry(**row) for row in await connection.fetch(_OF_ALERT, alert_id, after, limit)]


async def verify(connection: Connection, expected: Head | None = None) -> Verdict:
    """Read the whole chain and name the first entry that does not fit; `expected` proves that no tail is missing."""
    head, read, previous = Head(0, _START.hex()), 0, _START
    async with connection.transaction():
        async for row in connection.cursor(_ALL, prefetch=1000):
            values = dict(row)
            stored_previous, stored = values.pop("previous"), values.pop("digest")
            entry = Entry(**values)
            why = _fault(entry, head, previous, stored_previous, stored)
            if why:
                return Verdict(read, head, broken=entry.seq, why=why)
            if expected is not None and entry.seq == expected.seq and stored.hex() != expected.digest:
                return Verdict(read, head, broken=entry.seq, why="differs from the head that was kept outside")
            head, previous, read = Head(entry.seq, stored.hex()), stored, read + 1
    if expected is not None and expected.seq > head.seq:
        return Verdict(read, head, broken=head.seq + 1, why=f"entries up to {expected.seq} are missing at the end")
    return Verdict(read, head)


def _fault(entry: Entry, head: Head, previous: bytes, stored_previous: bytes, stored: bytes) -> str:
    if entry.seq != head.seq + 1:
        return f"entry {head.seq + 1} is missing"
    if stored_previous != previous:
        return "does not follow the entry before"
    if entry.digest(previous) != stored:
        return "was changed after it was written"
    return ""
