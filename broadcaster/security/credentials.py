"""Bearer tokens and browser sessions: random, shown once, stored as a digest, ended at any time.

A credential reads `dh_SELECTOR_SECRET`. The selector finds the row; the secret's SHA-256 is compared in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from broadcaster.database import Connection
from broadcaster.errors import InputError, UnauthenticatedError
from broadcaster.security.permissions import Actor, Grant, Role
from broadcaster.security.records import CredentialRecord

SESSION_LIFE = timedelta(hours=12)  # one shift
_SHAPE = re.compile(r"dh_([A-Za-z0-9]{16})_([A-Za-z0-9_-]{43})")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

_FIND = """SELECT c.id, c.digest, c.expires_at, c.ended_at, a.id AS account_id, a.name, a.active,
  coalesce((SELECT array_agg(g.role || '@' || g.region_code ORDER BY g.id)
            FROM account_grant g WHERE g.account_id = a.id), '{}') AS grants
FROM credential c JOIN account a ON a.id = c.account_id
WHERE c.selector = $1 AND c.kind = $2"""


class CredentialKind(StrEnum):
    """A token is for machines and lives until revoked or expired; a session is a browser's."""

    TOKEN = "token"  # noqa: S105 — a kind, not a secret
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Proof:
    """Who a credential speaks for, and which one it was."""

    actor: Actor
    credential_id: int


async def grant_token(account_id: int, label: str, now: datetime, *, life: timedelta | None = None) -> str:
    """A new bearer token for the account, valid for `life` or until ended; this text is not kept anywhere."""
    if not 1 <= len(label) <= 64:
        raise InputError("令牌的名称应为 1 到 64 个字符。", remedy="请写明由哪台设备使用。")
    return await _create(account_id, CredentialKind.TOKEN, label, now, life)


async def open_session(account_id: int, now: datetime) -> str:
    """A new browser session; the text goes into the cookie and nowhere else."""
    return await _create(account_id, CredentialKind.SESSION, "browser", now, SESSION_LIFE)


async def prove(connection: Connection, kind: CredentialKind, text: str, now: datetime) -> Proof:
    """Who holds `text`; `UnauthenticatedError` when it is malformed, unknown, ended, expired, or its account is off."""
    shape = _SHAPE.fullmatch(text)
    row = await connection.fetchrow(_FIND, shape[1], kind.value) if shape else None
    expected = row["digest"] if row else "0" * 64
    right = hmac.compare_digest(_digest(shape[2] if shape else ""), expected)
    if row is None or not right or not row["active"] or row["ended_at"] is not None:
        raise UnauthenticatedError("凭证无效。", remedy="请登录，或请管理员发放新的令牌。")
    if row["expires_at"] is not None and row["expires_at"] <= now:
        raise UnauthenticatedError("凭证已过期。", remedy="请重新登录，或请管理员发放新的令牌。")
    return Proof(Actor(row["account_id"], row["name"], tuple(_grants(row["grants"]))), row["id"])


async def end(credential_id: int, now: datetime) -> None:
    """Revoke a token or close a session, from now on."""
    await CredentialRecord.filter(id=credential_id, ended_at=None).update(ended_at=now)


async def end_all(account_id: int, now: datetime) -> None:
    """Revoke every token and close every session of the account."""
    await CredentialRecord.filter(account_id=account_id, ended_at=None).update(ended_at=now)


def form_token(session: str) -> str:
    """The CSRF token of a session's forms: only who holds the cookie's secret can compute it."""
    return hmac.new(session.encode(), b"daohu form", hashlib.sha256).hexdigest()


def _grants(pairs: list[str]) -> list[Grant]:
    return [Grant(Role(role), region) for role, _, region in (pair.partition("@") for pair in pairs)]


async def _create(account_id: int, kind: CredentialKind, label: str, now: datetime, life: timedelta | None) -> str:
    selector = "".join(secrets.choice(_ALPHABET) for _ in range(16))
    secret = secrets.token_urlsafe(32)
    await CredentialRecord.create(
        account_id=account_id,
        kind=kind.value,
        label=label,
        selector=selector,
        digest=_digest(secret),
        created_at=now,
        expires_at=now + life if life is not None else None,
    )
    return f"dh_{selector}_{secret}"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
