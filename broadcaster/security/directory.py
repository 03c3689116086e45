"""What administrators see of the accounts of their regions, and everybody of their own credentials.

An account belongs to whoever may manage accounts over *all* regions that it is granted; for everybody else there is no
such account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from broadcaster.database import Connection
from broadcaster.errors import NotFoundError
from broadcaster.security.credentials import CredentialKind
from broadcaster.security.permissions import Action, Actor, Grant, Role, require_somewhere
from broadcaster.sql import statements

SQL = statements("broadcaster.security", "security.sql")


@dataclass(frozen=True, slots=True)
class Account:
    """One account. `seen_at`: when it last asked for anything; `password_given`: it still has another's password."""

    id: int
    name: str
    active: bool
    created_at: datetime
    factor_on: bool
    password_given: bool
    grants: tuple[Grant, ...]
    seen_at: datetime | None

    @property
    def roles(self) -> tuple[Role, ...]:
        """Its roles, each once."""
        return tuple(dict.fromkeys(grant.role for grant in self.grants))


@dataclass(frozen=True, slots=True)
class Credential:
    """One token or session, without its secret."""

    id: int
    kind: CredentialKind
    label: str
    created_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    used_at: datetime | None
    strong: bool

    def lives(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.ended_at is None and (self.expires_at is None or self.expires_at > now)


async def accounts(
    connection: Connection, by: Actor, *, search: str = "", after: str = "", limit: int = 50
) -> list[Account]:
    """The accounts that `by` may manage, by name, from the one behind `after`; those whose name contains `search`.

    `ForbiddenError` for whoever manages none.
    """
    scopes = require_somewhere(by, Action.MANAGE_ACCOUNTS)
    pattern = "%" + search.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    rows = await connection.fetch(SQL["accounts"], _prefixes(scopes), pattern, after, limit)
    return [_account(row) for row in rows]


async def account(connection: Connection, by: Actor, account_id: int) -> Account:
    """One of them; `NotFoundError` for an account that reaches outside of the regions that `by` administers."""
    scopes = require_somewhere(by, Action.MANAGE_ACCOUNTS)
    row = await connection.fetchrow(SQL["account"], _prefixes(scopes), account_id)
    if row is None:
        raise NotFoundError("没有编号为 %(account_id)s 的账户。", remedy="请从列表中重新选择。", account_id=account_id)
    return _account(row)


async def credentials_of(connection: Connection, account_id: int, kind: CredentialKind) -> list[Credential]:
    """The tokens or sessions of an account, newest first, the last hundred."""
    rows = await connection.fetch(SQL["credentials"], account_id, kind.value)
    return [Credential(**{**row, "kind": CredentialKind(row["kind"])}) for row in rows]


async def names(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    """Account names by id."""
    return {row["id"]: row["name"] for row in await connection.fetch(SQL["names"], list(ids))}


async def own(connection: Connection, account_id: int) -> Account:
    """Somebody's own account."""
    return _account(await connection.fetchrow(SQL["account"], ["%"], account_id))


def _prefixes(scopes: Sequence[str]) -> list[str]:
    return [f"{scope}%" for scope in scopes]


def _account(row: dict[str, object]) -> Account:
    values = dict(row)
    pairs = values.pop("grants")
    grants = (str(pair).partition("@") for pair in pairs)  # type: ignore[attr-defined]
    return Account(**values, grants=tuple(Grant(Role(role), region) for role, _, region in grants))  # type: ignore[arg-type]
