"""Accounts: made, granted roles, switched off and on, given passwords and tokens. Signing in is in `entrance.py`.

Whoever manages an account needs the right to over every region that the account is granted. There is always an
administrator left for every region that had one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from tortoise.exceptions import IntegrityError

from broadcaster.database import Connection, Database
from broadcaster.errors import ConflictError, ForbiddenError, InputError, NotFoundError, RuleError
from broadcaster.phrase import joined
from broadcaster.security import audit, credentials, enrolment
from broadcaster.security.credentials import CredentialKind
from broadcaster.security.naming import names_of
from broadcaster.security.passwords import hash_password, invent
from broadcaster.security.permissions import SYSTEM, Action, Actor, Grant, Role, require
from broadcaster.security.records import AccountRecord, CredentialRecord, GrantRecord

_NAME = re.compile(r"[\w.-]{2,64}")
_REGION = re.compile(r"(\d{6}|\d{9}|\d{12}|\d{15})?")

# Two who each take away the other's role would leave nobody: one after the other, then.
_ALONE = "LOCK TABLE account_grant IN SHARE ROW EXCLUSIVE MODE"
_ADMINISTERED = """SELECT g.region_code FROM account_grant g JOIN account a ON a.id = g.account_id
WHERE g.role = 'administrator' AND a.active AND a.password_hash <> ''"""


def is_name(name: str) -> bool:
    """Whether an account may be called that: 2 to 64 letters (of any script), digits, dots, hyphens, underscores."""
    return _NAME.fullmatch(name) is not None


async def create_account(
    database: Database,
    by: Actor,
    name: str,
    password: str,
    *,
    grants: Sequence[Grant],
    now: datetime,
    given: bool = False,
) -> int:
    """A new account; its id. `given`: the owner must choose another password when signing in first.

    `InputError` for a bad name, password or region, `ConflictError` for a name in use.
    """
    if not is_name(name):
        raise InputError(
            "%(name)s 不能用作账户名。", remedy="请用 2 到 64 个文字、数字、点、横线或下划线。", name=repr(name[:64])
        )
    _check(by, grants)
    encoded = await hash_password(password)
    async with database.transaction() as connection:
        try:
            account = await AccountRecord.create(name=name, password_hash=encoded, created_at=now, password_given=given)
        except IntegrityError as error:
            raise ConflictError("账户 %(name)s 已存在。", remedy="请换一个名称。", name=name) from error
        await _store(account.id, grants)
        await audit.append(
            connection,
            by.account_id,
            "account.create",
            now,
            subject=f"account:{account.id}",
            detail={"grants": _written(grants)},
        )
    return account.id


async def create_administrator(database: Database, name: str, region: str, now: datetime) -> str:
    """The first account, with every office role in `region`; returns its password, which is not kept."""
    password = invent()
    roles = (Role.ADMINISTRATOR, Role.AUTHOR, Role.APPROVER)
    await create_account(database, SYSTEM, name, password, grants=[Grant(role, region) for role in roles], now=now)
    return password


async def set_grants(database: Database, by: Actor, account_id: int, grants: Sequence[Grant], now: datetime) -> None:
    """Replace the account's roles; needs the right to manage accounts over the old and the new regions.

    `InputError` for none at all, `ForbiddenError` for giving oneself more, `RuleError` when a region would be left
    without an administrator.
    """
    async with database.transaction() as connection:
        held = await _managed(connection, by, account_id)
        _check(by, grants)
        if by.account_id == account_id:
            _forbid_raising(held, grants)
        before = await _administered(connection)
        await GrantRecord.filter(account_id=account_id).delete()
        await _store(account_id, grants)
        await _forbid_orphans(connection, before)
        await audit.append(
            connection,
            by.account_id,
            "account.grant",
            now,
            subject=f"account:{account_id}",
            detail={"before": _written(held), "grants": _written(grants)},
        )


async def switch_off(database: Database, by: Actor, account_id: int, now: datetime) -> None:
    """The account cannot sign in any more, and every token and session of it ends. `RuleError` for the last
    administrator of a region."""
    async with database.transaction() as connection:
        await _managed(connection, by, account_id)
        before = await _administered(connection)
        await AccountRecord.filter(id=account_id).update(active=False)
        await _forbid_orphans(connection, before)
        await credentials.end_all(account_id, now)
        await audit.append(connection, by.account_id, "account.off", now, subject=f"account:{account_id}")


async def switch_on(database: Database, by: Actor, account_id: int, now: datetime) -> None:
    """The account may sign in again, with the password and the roles that it had."""
    async with database.transaction() as connection:
        await _managed(connection, by, account_id)
        await AccountRecord.filter(id=account_id).update(active=True)
        await audit.append(connection, by.account_id, "account.on", now, subject=f"account:{account_id}")


async def set_password(
    database: Database, by: Actor, account_id: int, password: str, now: datetime, *, given: bool = False
) -> None:
    """Replace the password and close every session; tokens end too. Administrators, or the account itself.

    `given`: the owner must choose another when signing in.
    """
    encoded = await hash_password(password)
    async with database.transaction() as connection:
        if by.account_id != account_id:
            await _managed(connection, by, account_id)
        changed = AccountRecord.filter(id=account_id).update(password_hash=encoded, password_given=given)
        if not await changed:
            raise _unknown(account_id)
        await credentials.end_all(account_id, now)
        await audit.append(connection, by.account_id, "account.password", now, subject=f"account:{account_id}")


async def choose_password(database: Database, proof: credentials.Proof, password: str, now: datetime) -> None:
    """The owner's own new password. Every session but the one it was chosen in ends; tokens stay, they are machines'.

    `InputError` when it is too short or too long.
    """
    account_id = proof.actor.account_id
    encoded = await hash_password(password)
    async with database.transaction() as connection:
        await AccountRecord.filter(id=account_id).update(password_hash=encoded, password_given=False)
        await credentials.end_sessions(account_id, now, but=proof.credential_id)
        await audit.append(connection, account_id, "account.password", now, subject=f"account:{account_id}")


async def reset_factor(database: Database, by: Actor, account_id: int, now: datetime) -> None:
    """Take the second factor off an account whose owner lost it; its sessions end."""
    async with database.transaction() as connection:
        await _managed(connection, by, account_id)
        await enrolment.switch_off(connection, by.account_id, account_id, now)


async def give_token(
    database: Database,
    by: Actor,
    account_id: int,
    label: str,
    now: datetime,
    *,
    life: timedelta | None = None,
    once: bool = False,
) -> str:
    """A bearer token that may do what the account may; the text is not kept. Administrators, or the account itself.

    `once`: `ConflictError` while the account has another token of that label.
    """
    async with database.transaction() as connection:
        if by.account_id != account_id:
            await _managed(connection, by, account_id)
        if not await AccountRecord.filter(id=account_id, active=True).select_for_update().exists():
            raise NotFoundError(
                "没有编号为 %(account_id)s 的账户，或已停用。", remedy="请检查编号。", account_id=account_id
            )
        if once and await credentials.has_token(connection, account_id, label, now):
            raise ConflictError("这个账户已有同名的令牌在用。", remedy="请换一个名称，或先收回那个。")
        token = await credentials.grant_token(account_id, label, now, life=life)
        await audit.append(connection, by.account_id, "token.give", now, subject=f"account:{account_id}")
    return token


async def end_token(database: Database, by: Actor, account_id: int, token_id: int, now: datetime) -> None:
    """Revoke one token of the account; one that is over already stays over."""
    async with database.transaction() as connection:
        await _managed(connection, by, account_id)
        if not await CredentialRecord.exists(id=token_id, account_id=account_id, kind=CredentialKind.TOKEN.value):
            raise NotFoundError("没有编号为 %(token_id)s 的令牌。", remedy="请从列表中重新选择。", token_id=token_id)
        await credentials.end(token_id, now)
        detail = {"token": token_id}
        await audit.append(connection, by.account_id, "token.end", now, subject=f"account:{account_id}", detail=detail)


async def _managed(connection: Connection, by: Actor, account_id: int) -> list[Grant]:
    """What the account holds, once it is sure that `by` may manage it; until the transaction ends nobody else does."""
    await connection.execute(_ALONE)
    held = [Grant(Role(one.role), one.region_code) for one in await GrantRecord.filter(account_id=account_id)]
    if not held and not await AccountRecord.exists(id=account_id):
        raise _unknown(account_id)
    require(by, Action.MANAGE_ACCOUNTS, [grant.region for grant in held] or [""])
    return held


async def _administered(connection: Connection) -> tuple[str, ...]:
    return tuple(row["region_code"] for row in await connection.fetch(_ADMINISTERED))


async def _forbid_orphans(connection: Connection, before: Sequence[str]) -> None:
    """`before`: the regions that had an administrator."""
    after = await _administered(connection)
    orphans = sorted({region for region in before if not region.startswith(after)})
    if orphans:
        names = await names_of(connection, orphans)
        raise RuleError(
            "这样做以后，%(regions)s 就没有管理员了。",
            remedy="请先让另一个账户成为该地区的管理员。",
            regions=joined("、", (names.get(region, region) or "全部地区" for region in orphans)),
        )


def _forbid_raising(held: Sequence[Grant], wanted: Sequence[Grant]) -> None:
    for grant in wanted:
        own = tuple(one.region for one in held if one.role is grant.role)
        if not own or not grant.region.startswith(own):
            raise ForbiddenError("不能给自己更多的权限。", remedy="请由另一位管理员授予。")


def _check(by: Actor, grants: Sequence[Grant]) -> None:
    if not grants:
        raise InputError("没有角色。", remedy="请至少给一个角色；不再使用的账户请停用。")
    for grant in grants:
        if not _REGION.fullmatch(grant.region):
            raise InputError(
                "%(region)s 不是行政区划代码。", remedy="请用 6、9、12 或 15 位数字。", region=repr(grant.region[:20])
            )
    require(by, Action.MANAGE_ACCOUNTS, [grant.region for grant in grants])


def _unknown(account_id: int) -> NotFoundError:
    return NotFoundError("没有编号为 %(account_id)s 的账户。", remedy="请检查编号。", account_id=account_id)


def _written(grants: Sequence[Grant]) -> list[str]:
    return sorted(f"{grant.role.value}@{grant.region}" for grant in grants)


async def _store(account_id: int, grants: Sequence[Grant]) -> None:
    unique = dict.fromkeys(grants)
    await GrantRecord.bulk_create(
        [GrantRecord(account_id=account_id, role=grant.role.value, region_code=grant.region) for grant in unique]
    )
