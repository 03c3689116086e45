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
from broadcaster.security.session_rules import DEFAULT, SessionRules

PENDING_LIFE = timedelta(minutes=10)
"""How long somebody whose password was right may take for the rest of signing in."""

KEPT_AFTER = timedelta(days=90)
"""How long a session that is over can still be looked up."""

_EXACT = timedelta(minutes=1)
_SHAPE = re.compile(r"dh_([A-Za-z0-9]{16})_([A-Za-z0-9_-]{43})")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

_FIND = """SELECT c.id, c.digest, c.expires_at, c.ended_at, c.strong, c.created_at, c.used_at,
  a.id AS account_id, a.name, a.active,
  coalesce((SELECT array_agg(g.role || '@' || g.region_code ORDER BY g.id)
            FROM account_grant g WHERE g.account_id = a.id), '{}') AS grants
FROM credential c JOIN account a ON a.id = c.account_id
WHERE c.selector = $1 AND c.kind = $2"""

_ACTOR = """SELECT a.name,
  coalesce((SELECT array_agg(g.role || '@' || g.region_code ORDER BY g.id)
            FROM account_grant g WHERE g.account_id = a.id), '{}') AS grants
FROM account a WHERE a.id = $1"""

_HAS_TOKEN = """SELECT EXISTS (SELECT FROM credential
WHERE account_id = $1 AND kind = 'token' AND label = $2 AND ended_at IS NULL
  AND (expires_at IS NULL OR expires_at > $3))"""  # noqa: S105 — a statement, not a secret

# Skipped where somebody else is at it: a request never waits for another's note.
_USED = """UPDATE credential SET used_at = $2
WHERE id = (SELECT id FROM credential WHERE id = $1 FOR UPDATE SKIP LOCKED)"""

_PURGE = "DELETE FROM credential WHERE kind <> 'token' AND expires_at < $1"


class CredentialKind(StrEnum):
    """A token is for machines and lives until revoked or expired; a session is a browser's; a pending one is a session
    that is not yet: the password was right, something else is still asked."""

    TOKEN = "token"  # noqa: S105 — a kind, not a secret
    SESSION = "session"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Proof:
    """Who a credential speaks for, and which one it was. `strong`: a second factor was shown for it."""

    actor: Actor
    credential_id: int
    strong: bool = False


async def grant_token(account_id: int, label: str, now: datetime, *, life: timedelta | None = None) -> str:
    """A new bearer token for the account, valid for `life` or until ended; this text is not kept anywhere."""
    if not 1 <= len(label) <= 64:
        raise InputError("令牌的名称应为 1 到 64 个字符。", remedy="请写明由哪台设备使用。")
    return await _create(account_id, CredentialKind.TOKEN, label, now, life)


async def has_token(connection: Connection, account_id: int, label: str, now: datetime) -> bool:
    """Whether the account has a token of that label that still opens something."""
    found: bool = await connection.fetchval(_HAS_TOKEN, account_id, label, now)
    return found


async def open_session(
    account_id: int, now: datetime, *, label: str = "", strong: bool = False, rules: SessionRules = DEFAULT
) -> str:
    """A new browser session; the text goes into the cookie and nowhere else. `label`: what browser it is."""
    return await _create(account_id, CredentialKind.SESSION, label[:64], now, rules.life, strong=strong)


async def open_pending(account_id: int, now: datetime, *, label: str = "", strong: bool = False) -> str:
    """What a browser holds between the password and the rest of signing in."""
    return await _create(account_id, CredentialKind.PENDING, label[:64], now, PENDING_LIFE, strong=strong)


async def prove(
    connection: Connection, kind: CredentialKind, text: str, now: datetime, rules: SessionRules = DEFAULT
) -> Proof:
    """Who holds `text`; `UnauthenticatedError` when it is malformed, unknown, ended, expired, or its account is off.

    A session also ends when it was idle for too long, or lacks the second factor that its account's roles ask for.
    """
    shape = _SHAPE.fullmatch(text)
    row = await connection.fetchrow(_FIND, shape[1], kind.value) if shape else None
    expected = row["digest"] if row else "0" * 64
    right = hmac.compare_digest(_digest(shape[2] if shape else ""), expected)
    if row is None or not right or not row["active"] or row["ended_at"] is not None:
        raise UnauthenticatedError("凭证无效。", remedy="请登录，或请管理员发放新的令牌。")
    if row["expires_at"] is not None and row["expires_at"] <= now:
        raise UnauthenticatedError("凭证已过期。", remedy="请重新登录，或请管理员发放新的令牌。")
    actor = Actor(row["account_id"], row["name"], tuple(_grants(row["grants"])))
    if kind is CredentialKind.SESSION:
        if (row["used_at"] or row["created_at"]) + rules.idle <= now:
            raise UnauthenticatedError("登录后太久没有操作。", remedy="请重新登录。")
        if rules.asks(actor) and not row["strong"]:
            raise UnauthenticatedError("还没有两步验证。", remedy="请重新登录。")
    if row["used_at"] is None or row["used_at"] + _EXACT <= now:
        await connection.execute(_USED, row["id"], now)
    return Proof(actor, row["id"], row["strong"])


async def actor_of(connection: Connection, account_id: int) -> Actor:
    """An account as who is asking."""
    row = await connection.fetchrow(_ACTOR, account_id)
    return Actor(account_id, row["name"], tuple(_grants(row["grants"])))


async def end(credential_id: int, now: datetime) -> None:
    """Revoke a token or close a session, from now on."""
    await CredentialRecord.filter(id=credential_id, ended_at=None).update(ended_at=now)


async def end_all(account_id: int, now: datetime) -> None:
    """Revoke every token and close every session of the account."""
    await CredentialRecord.filter(account_id=account_id, ended_at=None).update(ended_at=now)


async def end_sessions(account_id: int, now: datetime, *, but: int = 0) -> None:
    """Close every session of the account except the credential `but`; tokens stay."""
    others = CredentialRecord.filter(account_id=account_id, ended_at=None).exclude(kind=CredentialKind.TOKEN.value)
    await others.exclude(id=but).update(ended_at=now)


async def strengthen(credential_id: int) -> None:
    """A second factor was shown in this session."""
    await CredentialRecord.filter(id=credential_id).update(strong=True)


async def purge(connection: Connection, now: datetime) -> None:
    """Forget the sessions that have been over for three months."""
    await connection.execute(_PURGE, now - KEPT_AFTER)


def form_token(session: str) -> str:
    """The CSRF token of a session's forms: only who holds the cookie's secret can compute it.

    A cookie may hold any bytes; those that are no text come as halves of characters.
    """
    return hmac.new(session.encode("utf-8", "surrogateescape"), b"daohu form", hashlib.sha256).hexdigest()


def _grants(pairs: list[str]) -> list[Grant]:
    return [Grant(Role(role), region) for role, _, region in (pair.partition("@") for pair in pairs)]


async def _create(
    account_id: int, kind: CredentialKind, label: str, now: datetime, life: timedelta | None, *, strong: bool = False
) -> str:
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
        strong=strong,
    )
    return f"dh_{selector}_{secret}"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
