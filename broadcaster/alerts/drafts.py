"""Drafts as they are typed: kept whole, also while wrong, and never overwritten by somebody who had not seen them.

A draft is named by a key that its first page makes up, so that saving it twice makes one draft. It becomes an alert
when it is sent to review or out; then the alert's own rules hold, and the draft stays as the form to edit it with.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from broadcaster.alerts.draft_form import Typed
from broadcaster.database import Connection
from broadcaster.errors import NotFoundError
from broadcaster.sql import statements

KEPT_FOR = timedelta(days=90)
"""How long a draft lies untouched before it is forgotten."""

LISTED = 20
_SQL = statements("broadcaster.alerts", "drafts.sql")


class Deed(StrEnum):
    """What the draft is to do: begin an alert, or to one that is out."""

    NEW = ""
    UPDATE = "update"
    CANCEL = "cancel"
    MISFIRE = "misfire"

    @property
    def calls_off(self) -> bool:
        """Whether it ends the alert that it replaces, for those who were reached."""
        return self in (Deed.CANCEL, Deed.MISFIRE)


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes: the account, its name, and in which of its windows ("" where that is not known)."""

    account_id: int
    name: str
    window: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft. `regions` its area covers; `version` 0: it has never been saved."""

    key: str
    account_id: int
    alert_id: int | None
    replaces: int | None
    deed: Deed
    typed: Typed
    regions: tuple[str, ...]
    version: int
    changed_at: datetime
    changed_by: str
    changed_in: str


class OverwritingError(Exception):
    """The draft was changed in another window since this one read it; `now` is what it says there."""

    def __init__(self, now: Draft) -> None:
        super().__init__(now.key)
        self.now = now


def new_key() -> str:
    """A key that nobody guesses."""
    return secrets.token_urlsafe(16)


def fresh(key: str, author: Author, typed: Typed, now: datetime) -> Draft:
    """A draft that is not kept yet."""
    return Draft(key, author.account_id, None, None, Deed.NEW, typed, (), 0, now, author.name, author.window)


async def find(connection: Connection, key: str) -> Draft | None:
    """The draft of that key."""
    return _draft(await connection.fetchrow(_SQL["find"], key))


async def of_alert(connection: Connection, alert_id: int) -> Draft | None:
    """The form that an alert was written with."""
    return _draft(await connection.fetchrow(_SQL["of_alert"], alert_id))


async def lock(connection: Connection, key: str) -> Draft:
    """The draft, held by the caller's transaction; `NotFoundError` when it is gone."""
    found = _draft(await connection.fetchrow(_SQL["lock"], key))
    if found is None:
        raise NotFoundError("这份草稿不存在，可能已被删除。", remedy="请重新起草。")
    return found


async def open_drafts(connection: Connection, account_id: int, scopes: Sequence[str]) -> list[Draft]:
    """The latest that have not become an alert: one's own, and those whose area lies within `scopes`."""
    rows = await connection.fetch(_SQL["open"], account_id, list(scopes), LISTED)
    return [draft for row in rows if (draft := _draft(row)) is not None]


async def begin(connection: Connection, draft: Draft) -> Draft:
    """Keep a new draft; the one that is there already where the alert, or this key, has one."""
    values = (draft.alert_id, draft.replaces, draft.deed.value, _json(draft.typed), list(draft.regions))
    await connection.execute(
        _SQL["begin"], draft.key, draft.account_id, *values, draft.changed_at, draft.changed_by, draft.changed_in
    )
    await connection.execute(_SQL["forget"], draft.changed_at - KEPT_FOR)
    found = _draft(await connection.fetchrow(_SQL["find"], draft.key))
    if found is None and draft.alert_id is not None:
        found = await of_alert(connection, draft.alert_id)
    if found is None and draft.replaces is not None:
        row = await connection.fetchrow(_SQL["successor"], draft.replaces, draft.deed.value, draft.account_id)
        found = _draft(row)
    return found or draft


async def save(
    connection: Connection,
    before: Draft,
    typed: Typed,
    regions: Sequence[str],
    author: Author,
    now: datetime,
    *,
    version: int,
) -> Draft:
    """Keep what was typed over `before`, which the caller has locked; `version` is the one that the page showed.

    Raises `OverwritingError` when another window has changed it since.
    """
    if version != before.version and not (author.window and before.changed_in == author.window):
        raise OverwritingError(before)
    if typed == before.typed:
        return before
    await connection.execute(_SQL["change"], before.key, _json(typed), list(regions), now, author.name, author.window)
    return replace(
        before,
        typed=typed,
        regions=tuple(regions),
        version=before.version + 1,
        changed_at=now,
        changed_by=author.name,
        changed_in=author.window,
    )


async def become(connection: Connection, key: str, alert_id: int) -> None:
    """The draft is the form of that alert from now on."""
    await connection.execute(_SQL["become"], key, alert_id)


async def discard(connection: Connection, key: str) -> None:
    """Forget a draft that has not become an alert."""
    await connection.execute(_SQL["discard"], key)


async def see(
    connection: Connection, alert_id: int, account_id: int, version: int, fields: Typed, now: datetime
) -> dict[str, str] | None:
    """Note that a reviewer has this version before their eyes; what they saw of the one before, None if nothing."""
    await connection.execute(_SQL["see"], alert_id, account_id, version, _json(fields), now)
    earlier = await connection.fetchval(_SQL["seen_before"], alert_id, account_id, version)
    return msgspec.json.decode(earlier, type=dict[str, str]) if earlier is not None else None


def _draft(row: Any) -> Draft | None:
    if row is None:
        return None
    values = dict(row)
    typed = msgspec.json.decode(values.pop("typed"), type=dict[str, str])
    return Draft(**{**values, "typed": typed, "deed": Deed(values["deed"]), "regions": tuple(values["regions"])})


def _json(typed: Typed) -> str:
    return msgspec.json.encode(dict(typed)).decode()
