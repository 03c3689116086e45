"""Accounts: made, granted roles, signed in, switched off."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tortoise.exceptions import IntegrityError

from broadcaster.database import Database
from broadcaster.errors import ConflictError, InputError, NotFoundError, UnauthenticatedError
from broadcaster.security import attempts, audit, credentials
from broadcaster.security.passwords import hash_password, invent, verify_password
from broadcaster.security.permissions import SYSTEM, Action, Actor, Grant, Role, require
from broadcaster.security.records import AccountRecord, GrantRecord

_NAME = re.compile(r"[\w.-]{2,64}")
_REGION = re.compile(r"(\d{6}|\d{9}|\d{12}|\d{15})?")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The session's cookie text and who it speaks for."""

    session: str
    account_id: int


async def create_account(
    database: Database, by: Actor, name: str, password: str, *, grants: Sequence[Grant], now: datetime
) -> int:
    """A new account; its id. `InputError` for a bad name, password or region, `ConflictError` for a name in use."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name[:64]!r} 不能用作账户名。",
            remedy="请用 2 到 64 个文字、数字、点、横线或下划线。",
        )
    _check(by, grants)
    encoded = await hash_password(password)
    async with database.transaction() as connection:
        try:
            account = await AccountRecord.create(name=name, password_hash=encoded, created_at=now)
        except IntegrityError as error:
            raise ConflictError(f"账户 {name} 已存在。", remedy="请换一个名称。") from error
        await _store(account.id, grants)
        await audit.append(connection, by.account_id, "account.create", now, subject=f"account:{account.id}")
    return account.id


async def create_administrator(database: Database, name: str, region: str, now: datetime) -> str:
    """The first account, with every office role in `region`; returns its password, which is not kept."""
    password = invent()
    roles = (Role.ADMINISTRATOR, Role.AUTHOR, Role.APPROVER)
    await create_account(database, SYSTEM, name, password, grants=[Grant(role, region) for role in roles], now=now)
    return password


async def set_grants(database: Database, by: Actor, account_id: int, grants: Sequence[Grant], now: datetime) -> None:
    """Replace the account's roles; needs the right to manage accounts over the old and the new regions."""
    async with database.transaction() as connection:
        held = await GrantRecord.filter(account_id=account_id)
        if not held and not await AccountRecord.exists(id=account_id):
            raise NotFoundError(f"没有编号为 {account_id} 的账户。", remedy="请检查编号。")
        _check(by, [Grant(Role(grant.role), grant.region_code) for grant in held])
        _check(by, grants)
        await GrantRecord.filter(account_id=account_id).delete()
        await _store(account_id, grants)
        await audit.append(connection, by.account_id, "account.grant", now, subject=f"account:{account_id}")


async def switch_off(database: Database, by: Actor, account_id: int, now: datetime) -> None:
    """The account cannot sign in any more, and every token and session of it ends."""
    async with database.transaction() as connection:
        held = await GrantRecord.filter(account_id=account_id)
        _check(by, [Grant(Role(grant.role), grant.region_code) for grant in held])
        if not await AccountRecord.filter(id=account_id).update(active=False):
            raise NotFoundError(f"没有编号为 {account_id} 的账户。", remedy="请检查编号。")
        await credentials.end_all(account_id, now)
        await audit.append(connection, by.account_id, "account.off", now, subject=f"account:{account_id}")


async def set_password(database: Database, by: Actor, account_id: int, password: str, now: datetime) -> None:
    """Replace the password and close every session; tokens end too. Administrators, or the account itself."""
    encoded = await hash_password(password)
    async with database.transaction() as connection:
        if by.account_id != account_id:
            held = await GrantRecord.filter(account_id=account_id)
            _check(by, [Grant(Role(grant.role), grant.region_code) for grant in held])
        if not await AccountRecord.filter(id=account_id).update(password_hash=encoded):
            raise NotFoundError(f"没有编号为 {account_id} 的账户。", remedy="请检查编号。")
        await credentials.end_all(account_id, now)
        await audit.append(connection, by.account_id, "account.password", now, subject=f"account:{account_id}")


async def give_token(
    database: Database, by: Actor, account_id: int, label: str, now: datetime, *, life: timedelta | None = None
) -> str:
    """A bearer token that may do what the account may; the text is not kept. Administrators, or the account itself."""
    async with database.transaction() as connection:
        if by.account_id != account_id:
            held = await GrantRecord.filter(account_id=account_id)
            _check(by, [Grant(Role(grant.role), grant.region_code) for grant in held])
        if not await AccountRecord.exists(id=account_id, active=True):
            raise NotFoundError(f"没有编号为 {account_id} 的账户，或已停用。", remedy="请检查编号。")
        token = await credentials.grant_token(account_id, label, now, life=life)
        await audit.append(connection, by.account_id, "token.give", now, subject=f"account:{account_id}")
    return token


async def sign_in(database: Database, name: str, password: str, source: str, now: datetime) -> SignedIn:
    """Open a session. `UnauthenticatedError` never says which half was wrong; `LimitedError` while guesses wait."""
    async with database.transaction() as connection:
        await attempts.count(connection, name, source, now)
    account = await AccountRecord.get_or_none(name=name, active=True)
    if not await verify_password(account.password_hash if account else "", password) or account is None:
        raise UnauthenticatedError("账户名或密码不对。", remedy="请检查后重试。")
    async with database.transaction() as connection:
        await attempts.forgive(connection, name, source)
        session = await credentials.open_session(account.id, now)
        await audit.append(connection, account.id, "session.open", now, subject=f"account:{account.id}")
    return SignedIn(session, account.id)


def _check(by: Actor, grants: Sequence[Grant]) -> None:
    for grant in grants:
        if not _REGION.fullmatch(grant.region):
            raise InputError(f"{grant.region[:20]!r} 不是行政区划代码。", remedy="请用 6、9、12 或 15 位数字。")
    if grants:
        require(by, Action.MANAGE_ACCOUNTS, [grant.region for grant in grants])


async def _store(account_id: int, grants: Sequence[Grant]) -> None:
    unique = dict.fromkeys(grants)
    await GrantRecord.bulk_create(
        [GrantRecord(account_id=account_id, role=grant.role.value, region_code=grant.region) for grant in unique]
    )
