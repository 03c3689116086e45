"""Signing in, step by step: the password, then whatever else this account owes, then a session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from broadcaster.database import Connection, Database
from broadcaster.errors import UnauthenticatedError
from broadcaster.security import attempts, audit, credentials, enrolment, failures
from broadcaster.security.accounts import is_name
from broadcaster.security.credentials import CredentialKind, Proof
from broadcaster.security.passwords import verify_password
from broadcaster.security.records import AccountRecord, CredentialRecord
from broadcaster.security.second_factor import SecondFactor
from broadcaster.security.session_rules import DEFAULT, SessionRules


class Step(StrEnum):
    """What is still owed: a code, a second factor to be set up, a password of one's own; DONE is a session."""

    CODE = "code"
    ENROL = "enrol"
    PASSWORD = "password"  # noqa: S105 — a step, not a secret
    DONE = "done"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The cookie's text, who it speaks for, and what is owed before it opens anything."""

    session: str
    account_id: int
    step: Step = Step.DONE


async def sign_in(
    database: Database,
    name: str,
    password: str,
    source: str,
    now: datetime,
    *,
    rules: SessionRules = DEFAULT,
    label: str = "",
) -> SignedIn:
    """Open a session, or a pending one. `UnauthenticatedError` never says which half was wrong; `LimitedError` while
    guesses wait. `label`: what browser it is."""
    async with database.transaction() as connection:
        locked = await attempts.count(connection, name, source, now)
    account = await AccountRecord.get_or_none(name=name, active=True) if is_name(name) else None
    if not await verify_password(account.password_hash if account else "", password) or account is None:
        whose = account.id if account else failures.NOBODY
        await failures.note(database, whose, failures.Kind.PASSWORD, now, locked=locked)
        raise UnauthenticatedError("账户名或密码不对。", remedy="请检查后重试。")
    async with database.transaction() as connection:
        await attempts.forgive(connection, name, source)
        await attempts.purge(connection, now)
        await credentials.purge(connection, now)
        return await _carry_on(connection, account, now, rules, label=label, strong=False)


async def owed(proof: Proof, rules: SessionRules) -> Step:
    """What the holder of a pending session has to do next."""
    return _owed(await AccountRecord.get(id=proof.actor.account_id), proof, rules)


async def give_code(
    database: Database, factor: SecondFactor, proof: Proof, code: str, now: datetime, rules: SessionRules
) -> SignedIn:
    """The pending session goes on after a code of the second factor; see `enrolment.check` for what is raised."""
    await enrolment.check(database, factor, proof.actor.account_id, code, now)
    return await go_on(database, proof, now, rules, strong=True)


async def go_on(
    database: Database, proof: Proof, now: datetime, rules: SessionRules, *, strong: bool | None = None
) -> SignedIn:
    """The next credential in place of a pending one, which ends: a session if nothing is owed any more.

    `UnauthenticatedError` when it was used already: one password opens one session.
    """
    async with database.transaction() as connection:
        held = await CredentialRecord.get(id=proof.credential_id)
        ended = await CredentialRecord.filter(id=held.id, ended_at=None).update(ended_at=now)
        if not ended or held.kind != CredentialKind.PENDING.value:
            raise UnauthenticatedError("这次登录已经完成或失效。", remedy="请重新登录。")
        account = await AccountRecord.get(id=proof.actor.account_id)
        shown = proof.strong if strong is None else strong
        return await _carry_on(connection, account, now, rules, label=held.label, strong=shown)


async def confirm_password(database: Database, account_id: int, password: str, source: str, now: datetime) -> bool:
    """Whether somebody who is signed in still knows the password; guesses wait as at the door (`LimitedError`)."""
    account = await AccountRecord.get(id=account_id)
    async with database.transaction() as connection:
        locked = await attempts.count(connection, account.name, source, now)
    if not await verify_password(account.password_hash, password):
        await failures.note(database, account.id, failures.Kind.PASSWORD, now, locked=locked)
        return False
    async with database.transaction() as connection:
        await attempts.forgive(connection, account.name, source)
    return True


async def _carry_on(
    connection: Connection, account: AccountRecord, now: datetime, rules: SessionRules, *, label: str, strong: bool
) -> SignedIn:
    proof = Proof(await credentials.actor_of(connection, account.id), 0, strong)
    step = _owed(account, proof, rules)
    if step is not Step.DONE:
        pending = await credentials.open_pending(account.id, now, label=label, strong=strong)
        return SignedIn(pending, account.id, step)
    session = await credentials.open_session(account.id, now, label=label, strong=strong, rules=rules)
    await audit.append(connection, account.id, "session.open", now, subject=f"account:{account.id}")
    return SignedIn(session, account.id)


def _owed(account: AccountRecord, proof: Proof, rules: SessionRules) -> Step:
    if account.factor_on and not proof.strong:
        return Step.CODE
    if not account.factor_on and rules.asks(proof.actor):
        return Step.ENROL
    return Step.PASSWORD if account.password_given else Step.DONE
