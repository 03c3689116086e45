"""The audit trail as its readers look through it: by account, action, alert and time, newest first.

Whoever may read the audit over the whole district sees everything; others what was done to alerts that lie wholly in
their regions, and by or to accounts that do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from broadcaster.alerts.document import from_document
from broadcaster.database import Connection
from broadcaster.security.audit import Entry
from broadcaster.security.coverage import coverage
from broadcaster.security.directory import SQL
from broadcaster.security.permissions import Action, Actor, may, require_somewhere

NEWEST = 2**62
_BATCH = 500
_MOST_READ = 5000
"""Entries that are looked through for one page of somebody who sees few of them."""


_DISORDER = 1000
"""Entries that may stand in another order than their times: those of transactions that waited for each other."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for; None is anything. `since` is inclusive, `until` is not."""

    account_id: int | None = None
    action: str | None = None
    alert_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, newest first; `before` is where the next page starts, None at the end of the trail."""

    entries: list[Entry]
    before: int | None


@dataclass(slots=True)
class _Sight:
    """What of the trail one reader sees, with what was found out so far."""

    by: Actor
    district: str
    scopes: tuple[str, ...]
    alerts: dict[int, bool] = field(default_factory=dict)
    accounts: dict[int, bool] = field(default_factory=dict)

    @property
    def all(self) -> bool:
        return self.district.startswith(self.scopes)

    async def look(self, connection: Connection, entries: Sequence[Entry]) -> list[Entry]:
        if self.all:
            return list(entries)
        await self._learn_accounts(connection, {_concerns(entry) for entry in entries})
        for number in {entry.alert_id for entry in entries if entry.alert_id is not None} - set(self.alerts):
            self.alerts[number] = await self._covers(connection, number)
        return [
            entry
            for entry in entries
            if (entry.alert_id is not None and self.alerts[entry.alert_id])
            or (entry.alert_id is None and self.accounts[_concerns(entry)])
        ]

    async def _learn_accounts(self, connection: Connection, numbers: set[int]) -> None:
        prefixes = [f"{scope}%" for scope in self.scopes]
        asked = numbers - set(self.accounts)
        inside = {row["id"] for row in await connection.fetch(SQL["accounts_inside"], prefixes, list(asked))}
        self.accounts |= {number: number in inside for number in asked}

    async def _covers(self, connection: Connection, alert_id: int) -> bool:
        document = await connection.fetchval("SELECT document FROM alert WHERE id = $1", alert_id)
        if document is None:
            return False
        alert = from_document(msgspec.json.decode(document))
        return may(self.by, Action.READ_AUDIT, await coverage(connection, alert, self.district))


async def look_through(
    connection: Connection, by: Actor, district: str, wanted: Wanted, *, before: int = NEWEST, limit: int = 100
) -> Page:
    """One page of what `by` may see; it may be short and still have a next one. `ForbiddenError` without the right."""
    sight = _Sight(by, district, require_somewhere(by, Action.READ_AUDIT))
    found: list[Entry] = []
    read = 0
    while read < _MOST_READ:
        batch = await _read(connection, wanted, before, min(_BATCH, limit) if sight.all else _BATCH)
        for entry in await sight.look(connection, batch):
            found.append(entry)
            if len(found) == limit:
                return Page(found, entry.seq)
        if len(batch) < (min(_BATCH, limit) if sight.all else _BATCH):
            return Page(found, None)
        before = batch[-1].seq
        read += len(batch)
    return Page(found, before)


async def account_named(connection: Connection, name: str) -> int | None:
    """The id of the account of that name."""
    found: int | None = await connection.fetchval(SQL["account_named"], name)
    return found


async def _read(connection: Connection, wanted: Wanted, before: int, limit: int) -> list[Entry]:
    """Only the conditions that there are: each has an index, and the planner sees which one to take."""
    conditions, values = ["seq < $1"], [await _not_after(connection, wanted.until, before)]
    for condition, value in (
        ("account_id = {}", wanted.account_id),
        ("action = {}", wanted.action),
        ("alert_id = {}", wanted.alert_id),
        ("seq > {}", await _not_before(connection, wanted.since)),
        ("at >= {}", wanted.since),
        ("at < {}", wanted.until),
    ):
        if value is not None:
            values.append(value)  # type: ignore[arg-type]
            conditions.append(condition.format(f"${len(values)}"))
    rows = await connection.fetch(
        "SELECT seq, at, account_id, action, alert_id, subject, detail FROM audit_entry"
        f" WHERE {' AND '.join(conditions)} ORDER BY seq DESC LIMIT {limit:d}",
        *values,
    )
    return [Entry(**row) for row in rows]


async def _not_before(connection: Connection, since: datetime | None) -> int | None:
    """A number that everything since then is above."""
    if since is None:
        return None
    first = await connection.fetchval("SELECT seq FROM audit_entry WHERE at >= $1 ORDER BY at, seq LIMIT 1", since)
    return NEWEST if first is None else int(first) - _DISORDER


async def _not_after(connection: Connection, until: datetime | None, before: int) -> int:
    """A number that everything until then is below, `before` at most."""
    if until is None:
        return before
    last = await connection.fetchval("SELECT seq FROM audit_entry WHERE at < $1 ORDER BY at DESC, seq LIMIT 1", until)
    return 0 if last is None else min(before, int(last) + _DISORDER)


def _concerns(entry: Entry) -> int:
    """The account that it was done to; where that is none, who did it."""
    kind, _, number = entry.subject.partition(":")
    named = kind == "account" and number.isascii() and number.isdigit() and len(number) < 10
    return int(number) if named else entry.account_id
