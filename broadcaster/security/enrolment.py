"""An account's second factor: offered, switched on by a first code, asked for, replaced by recovery codes, dropped."""

from __future__ import annotations

import hashlib
from datetime import datetime

from broadcaster.database import Connection, Database
from broadcaster.errors import NotFoundError, RuleError, UnauthenticatedError
from broadcaster.security import attempts, audit, credentials, failures
from broadcaster.security.credentials import Proof
from broadcaster.security.records import AccountRecord
from broadcaster.security.second_factor import Offer, SecondFactor, new_seed, plain_recovery_code, recovery_codes
from broadcaster.security.session_rules import SessionRules

# A code is good once: whoever read it over a shoulder comes too late.
_TAKE_STEP = "UPDATE account SET factor_step = $2 WHERE id = $1 AND factor_on AND factor_step < $2 RETURNING id"
_SWITCH_ON = """UPDATE account SET factor_on = true, factor_step = $2
WHERE id = $1 AND NOT factor_on AND factor_seed <> '' AND factor_step < $2 RETURNING id"""
_SWITCH_OFF = "UPDATE account SET factor_on = false, factor_seed = '', factor_step = 0 WHERE id = $1 RETURNING id"
_TAKE_RECOVERY = """UPDATE recovery_code SET used_at = $3 WHERE account_id = $1 AND digest = $2 AND used_at IS NULL
RETURNING account_id"""
_ADD_RECOVERY = "INSERT INTO recovery_code (account_id, digest) SELECT $1, unnest($2::bytea[])"
_DROP_RECOVERY = "DELETE FROM recovery_code WHERE account_id = $1"
_LEFT = "SELECT count(*) FROM recovery_code WHERE account_id = $1 AND used_at IS NULL"


async def offer(factor: SecondFactor, account_id: int, issuer: str) -> Offer:
    """What to put into the app; the same until it is confirmed. `RuleError` when the factor is on already."""
    account = await AccountRecord.get(id=account_id)
    if account.factor_on:
        raise RuleError("两步验证已经启用。", remedy="要换手机，请先停用，或请管理员重置。")
    if not account.factor_seed:
        await AccountRecord.filter(id=account_id, factor_seed="").update(factor_seed=new_seed())
        account = await AccountRecord.get(id=account_id)
    return factor.offer(account.id, account.factor_seed, account.name, issuer)


async def switch_on(database: Database, factor: SecondFactor, account_id: int, code: str, now: datetime) -> list[str]:
    """The first code proves that the app has the secret; the recovery codes, which are not kept in clear.

    `UnauthenticatedError` for a wrong code, `LimitedError` while guesses wait.
    """
    async with database.transaction() as connection:
        locked = await attempts.count_code(connection, account_id, now)
    account = await AccountRecord.get(id=account_id)
    step = factor.step(account_id, account.factor_seed, code, now) if account.factor_seed else None
    async with database.transaction() as connection:
        if step is not None and await connection.fetchval(_SWITCH_ON, account_id, step) is not None:
            await attempts.forgive_code(connection, account_id)
            codes = await _store_recovery(connection, account_id)
            await audit.append(connection, account_id, "factor.on", now, subject=f"account:{account_id}")
            return codes
    await failures.note(database, account_id, failures.Kind.CODE, now, locked=locked)
    raise wrong_code()


async def check(database: Database, factor: SecondFactor, account_id: int, code: str, now: datetime) -> None:
    """Take a code of the app, or a recovery code: each once. `UnauthenticatedError` for any other, `LimitedError`."""
    async with database.transaction() as connection:
        locked = await attempts.count_code(connection, account_id, now)
    account = await AccountRecord.get(id=account_id)
    step = factor.step(account_id, account.factor_seed, code, now) if account.factor_on else None
    async with database.transaction() as connection:
        if step is not None:
            good = await connection.fetchval(_TAKE_STEP, account_id, step) is not None
        else:
            good = await connection.fetchval(_TAKE_RECOVERY, account_id, _digest(code), now) is not None
        if good:
            await attempts.forgive_code(connection, account_id)
        if good and step is None:
            await audit.append(connection, account_id, "factor.recovery", now, subject=f"account:{account_id}")
    if not good:
        await failures.note(database, account_id, failures.Kind.CODE, now, locked=locked)
        raise wrong_code()


async def renew_recovery(database: Database, account_id: int, now: datetime) -> list[str]:
    """New recovery codes; the old ones are void."""
    async with database.transaction() as connection:
        if not await AccountRecord.exists(id=account_id, factor_on=True):
            raise RuleError("还没有启用两步验证。", remedy="请先启用。")
        codes = await _store_recovery(connection, account_id)
        await audit.append(connection, account_id, "factor.codes", now, subject=f"account:{account_id}")
    return codes


async def leave(database: Database, rules: SessionRules, proof: Proof, now: datetime) -> None:
    """The owner does without one from now on; other devices are signed out. `RuleError` where the roles ask for it."""
    if rules.asks(proof.actor):
        raise RuleError("您的角色要求两步验证。", remedy="换手机时请管理员重置。")
    async with database.transaction() as connection:
        await switch_off(connection, proof.actor.account_id, proof.actor.account_id, now, but=proof.credential_id)


async def switch_off(connection: Connection, by_id: int, account_id: int, now: datetime, *, but: int = 0) -> None:
    """Forget the factor and its recovery codes, and close every session of the account except `but`. Who may do it is
    asked before."""
    if await connection.fetchval(_SWITCH_OFF, account_id) is None:
        raise NotFoundError("没有编号为 %(account_id)s 的账户。", remedy="请检查编号。", account_id=account_id)
    await connection.execute(_DROP_RECOVERY, account_id)
    await credentials.end_sessions(account_id, now, but=but)
    await audit.append(connection, by_id, "factor.off", now, subject=f"account:{account_id}")


async def recovery_left(connection: Connection, account_id: int) -> int:
    """How many recovery codes were not used yet."""
    left: int = await connection.fetchval(_LEFT, account_id)
    return left


def wrong_code() -> UnauthenticatedError:
    """What is said of every code that does not fit."""
    return UnauthenticatedError("验证码不对，或已经用过。", remedy="请等应用显示下一个验证码，再输入。")


async def _store_recovery(connection: Connection, account_id: int) -> list[str]:
    codes = recovery_codes()
    await connection.execute(_DROP_RECOVERY, account_id)
    await connection.execute(_ADD_RECOVERY, account_id, [_digest(code) for code in codes])
    return codes


def _digest(code: str) -> bytes:
    return hashlib.sha256(plain_recovery_code(code).encode()).digest()
