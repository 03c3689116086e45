"""Accounts, credentials and the audit chain on a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from broadcaster.clock import ManualClock
from broadcaster.database import Database
from broadcaster.errors import (
    ConflictError,
    ForbiddenError,
    InputError,
    LimitedError,
    NotFoundError,
    UnauthenticatedError,
)
from broadcaster.security import accounts, attempts, audit, credentials, entrance
from broadcaster.security.credentials import CredentialKind, prove
from broadcaster.security.permissions import SYSTEM, Actor, Grant, Role

PASSWORD = "correct horse battery"
TOWN = "330212101"


async def _account(database: Database, clock: ManualClock, name: str = "zhang", *grants: Grant) -> int:
    held = grants or (Grant(Role.AUTHOR, TOWN),)
    return await accounts.create_account(database, SYSTEM, name, PASSWORD, grants=held, now=clock.now())


async def _prove(database: Database, kind: CredentialKind, text: str, clock: ManualClock) -> Actor:
    async with database.connection() as connection:
        return (await prove(connection, kind, text, clock.now())).actor


async def test_a_token_speaks_for_its_account_until_it_expires_or_is_ended(
    database: Database, clock: ManualClock
) -> None:
    account = await _account(database, clock)
    token = await credentials.grant_token(account, "weather feed", clock.now(), life=timedelta(hours=1))
    actor = await _prove(database, CredentialKind.TOKEN, token, clock)
    assert actor == Actor(account, "zhang", (Grant(Role.AUTHOR, TOWN),))
    clock.advance(3600)
    with pytest.raises(UnauthenticatedError, match="过期"):
        await _prove(database, CredentialKind.TOKEN, token, clock)
    lasting = await credentials.grant_token(account, "sensor", clock.now())
    async with database.connection() as connection:
        proof = await prove(connection, CredentialKind.TOKEN, lasting, clock.now())
    await credentials.end(proof.credential_id, clock.now())
    with pytest.raises(UnauthenticatedError, match="无效"):
        await _prove(database, CredentialKind.TOKEN, lasting, clock)


async def test_a_forged_token_is_not_known(database: Database, clock: ManualClock) -> None:
    account = await _account(database, clock)
    token = await credentials.grant_token(account, "feed", clock.now())
    swapped = token[:-1] + ("A" if token[-1] != "A" else "B")
    for forged in (
        "",
        "dh_",
        swapped,
        token.upper(),
        token + "x",
        "dh_" + "A" * 16 + "_" + "A" * 43,
        "' OR 1=1 --",
        "\0",
        "收到",
    ):
        with pytest.raises(UnauthenticatedError):
            await _prove(database, CredentialKind.TOKEN, forged, clock)
    with pytest.raises(UnauthenticatedError):
        await _prove(database, CredentialKind.SESSION, token, clock)


async def test_no_secret_is_stored(database: Database, clock: ManualClock) -> None:
    account = await _account(database, clock)
    token = await credentials.grant_token(account, "feed", clock.now())
    async with database.connection() as connection:
        stored = str(await connection.fetch("SELECT c, a FROM credential c, account a"))
    assert token[20:] not in stored  # what follows "dh_", the selector and "_"
    assert PASSWORD not in stored


async def test_switching_an_account_off_ends_everything_it_holds(database: Database, clock: ManualClock) -> None:
    account = await _account(database, clock)
    token = await credentials.grant_token(account, "feed", clock.now())
    session = (await entrance.sign_in(database, "zhang", PASSWORD, "10.0.0.1", clock.now())).session
    await accounts.switch_off(database, SYSTEM, account, clock.now())
    for kind, text in ((CredentialKind.TOKEN, token), (CredentialKind.SESSION, session)):
        with pytest.raises(UnauthenticatedError):
            await _prove(database, kind, text, clock)
    with pytest.raises(UnauthenticatedError):
        await entrance.sign_in(database, "zhang", PASSWORD, "10.0.0.1", clock.now())


async def test_guessing_is_slowed_per_address_without_locking_the_owner_out(
    database: Database, clock: ManualClock
) -> None:
    await _account(database, clock)
    for _ in range(5):
        with pytest.raises(UnauthenticatedError):
            await entrance.sign_in(database, "zhang", "wrong password", "203.0.113.9", clock.now())
    with pytest.raises(LimitedError) as limited:
        await entrance.sign_in(database, "zhang", PASSWORD, "203.0.113.9", clock.now())
    assert limited.value.after == pytest.approx(15)
    await entrance.sign_in(database, "zhang", PASSWORD, "10.0.0.1", clock.now())
    clock.advance(16)
    await entrance.sign_in(database, "zhang", PASSWORD, "203.0.113.9", clock.now())
    with pytest.raises(UnauthenticatedError):
        await entrance.sign_in(database, "zhang", "wrong password", "203.0.113.9", clock.now())


async def test_a_burst_of_guesses_gets_no_more_tries_than_a_slow_one(database: Database, clock: ManualClock) -> None:
    await _account(database, clock)
    tries = [entrance.sign_in(database, "zhang", "wrong password", "203.0.113.9", clock.now()) for _ in range(20)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, UnauthenticatedError) for result in results) == 5
    assert sum(isinstance(result, LimitedError) for result in results) == 15


async def test_unknown_names_are_slowed_like_known_ones(database: Database, clock: ManualClock) -> None:
    for _ in range(5):
        with pytest.raises(UnauthenticatedError, match="账户名或密码"):
            await entrance.sign_in(database, "nobody", "wrong password", "203.0.113.9", clock.now())
    with pytest.raises(LimitedError):
        await entrance.sign_in(database, "nobody", "wrong password", "203.0.113.9", clock.now())


async def test_quiet_counters_are_forgotten(database: Database, clock: ManualClock) -> None:
    with pytest.raises(UnauthenticatedError):
        await entrance.sign_in(database, "nobody", "wrong password", "203.0.113.9", clock.now())
    async with database.connection() as connection:
        await attempts.purge(connection, clock.now())
        assert await connection.fetchval("SELECT count(*) FROM sign_in_attempt") == 3
        clock.advance(3601)
        await attempts.purge(connection, clock.now())
        assert await connection.fetchval("SELECT count(*) FROM sign_in_attempt") == 0


async def test_an_administrator_manages_accounts_only_inside_its_region(database: Database, clock: ManualClock) -> None:
    head = Actor(9, "head", (Grant(Role.ADMINISTRATOR, TOWN),))
    with pytest.raises(ForbiddenError):
        await accounts.create_account(
            database, head, "li", PASSWORD, grants=[Grant(Role.VIEWER, "330212102")], now=clock.now()
        )
    with pytest.raises(ForbiddenError):
        await accounts.create_account(database, head, "li", PASSWORD, grants=[Grant(Role.VIEWER, "")], now=clock.now())
    li = await accounts.create_account(
        database, head, "li", PASSWORD, grants=[Grant(Role.VIEWER, TOWN + "001")], now=clock.now()
    )
    county = await _account(database, clock, "wang", Grant(Role.AUTHOR, "330212"))
    with pytest.raises(ForbiddenError):
        await accounts.set_grants(database, head, county, [Grant(Role.VIEWER, TOWN)], clock.now())
    with pytest.raises(ForbiddenError):
        await accounts.set_password(database, head, county, PASSWORD, clock.now())
    with pytest.raises(ForbiddenError):
        await accounts.switch_off(database, head, county, clock.now())
    await accounts.set_grants(database, head, li, [Grant(Role.AUTHOR, TOWN), Grant(Role.AUTHOR, TOWN)], clock.now())
    session = (await entrance.sign_in(database, "li", PASSWORD, "", clock.now())).session
    assert (await _prove(database, CredentialKind.SESSION, session, clock)).grants == (Grant(Role.AUTHOR, TOWN),)


async def test_a_new_password_closes_every_session(database: Database, clock: ManualClock) -> None:
    account = await _account(database, clock)
    session = (await entrance.sign_in(database, "zhang", PASSWORD, "", clock.now())).session
    actor = await _prove(database, CredentialKind.SESSION, session, clock)
    await accounts.set_password(database, actor, account, "another long password", clock.now())
    with pytest.raises(UnauthenticatedError):
        await _prove(database, CredentialKind.SESSION, session, clock)
    await entrance.sign_in(database, "zhang", "another long password", "", clock.now())


async def test_bad_accounts_are_refused_and_nothing_is_stored(database: Database, clock: ManualClock) -> None:
    await _account(database, clock)
    now = clock.now()
    with pytest.raises(ConflictError):
        await _account(database, clock)
    for name in ("", "a b", "x" * 65, "a\nb"):
        with pytest.raises(InputError):
            await accounts.create_account(database, SYSTEM, name, PASSWORD, grants=[], now=now)
    with pytest.raises(InputError, match="行政区划"):
        await accounts.create_account(database, SYSTEM, "li", PASSWORD, grants=[Grant(Role.VIEWER, "3302")], now=now)
    for work in (
        accounts.set_grants(database, SYSTEM, 999, [], now),
        accounts.switch_off(database, SYSTEM, 999, now),
        accounts.set_password(database, SYSTEM, 999, PASSWORD, now),
    ):
        with pytest.raises(NotFoundError):
            await work
    with pytest.raises(InputError, match="名称"):
        await credentials.grant_token(1, "", now)
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM account") == 1


async def test_the_first_administrator_gets_a_password_that_works(database: Database, clock: ManualClock) -> None:
    password = await accounts.create_administrator(database, "admin", "330212", clock.now())
    session = (await entrance.sign_in(database, "admin", password, "", clock.now())).session
    roles = {grant.role for grant in (await _prove(database, CredentialKind.SESSION, session, clock)).grants}
    assert roles == {Role.ADMINISTRATOR, Role.AUTHOR, Role.APPROVER}


async def _write(database: Database, clock: ManualClock, entries: int) -> audit.Head:
    head = audit.Head(0, "")
    for number in range(entries):
        async with database.transaction() as connection:
            head = await audit.append(
                connection,
                7,
                "alert.issue",
                clock.now(),
                alert_id=number % 2,
                detail={"理由": "台风", "number": number},
            )
        clock.advance(0.001)
    return head


async def test_the_untouched_chain_is_whole(database: Database, clock: ManualClock) -> None:
    head = await _write(database, clock, 5)
    async with database.connection() as connection:
        assert await audit.verify(connection, head) == audit.Verdict(5, head)
        assert [entry.seq for entry in await audit.of_alert(connection, 1)] == [2, 4]
        assert [entry.seq for entry in await audit.of_alert(connection, 0, after=1, limit=1)] == [3]


@pytest.mark.parametrize(
    ("tampering", "broken", "why"),
    [
        ("UPDATE audit_entry SET account_id = 8 WHERE seq = 3", 3, "changed"),
        ("UPDATE audit_entry SET detail = '{}' WHERE seq = 2", 2, "changed"),
        ("UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE seq = 5", 5, "changed"),
        ("UPDATE audit_entry SET digest = sha256('x') WHERE seq = 4", 4, "changed"),
        ("UPDATE audit_entry SET previous = sha256('x') WHERE seq = 4", 4, "follow"),
        ("DELETE FROM audit_entry WHERE seq = 1", 2, "missing"),
        ("DELETE FROM audit_entry WHERE seq = 3", 4, "missing"),
        ("DELETE FROM audit_entry WHERE seq >= 4", 4, "at the end"),
    ],
)
async def test_the_first_entry_that_was_tampered_with_is_named(
    database: Database, clock: ManualClock, tampering: str, broken: int, why: str
) -> None:
    head = await _write(database, clock, 5)
    async with database.connection() as connection:
        await connection.execute("ALTER TABLE audit_entry DISABLE TRIGGER ALL")
        await connection.execute(tampering)
        verdict = await audit.verify(connection, head)
    assert verdict.broken == broken
    assert why in verdict.why


async def test_a_chain_rewritten_from_the_start_differs_from_the_head_kept_outside(
    database: Database, clock: ManualClock
) -> None:
    head = await _write(database, clock, 3)
    async with database.connection() as connection:
        await connection.execute("ALTER TABLE audit_entry DISABLE TRIGGER ALL")
        await connection.execute("DELETE FROM audit_entry")
    await _write(database, clock, 3)
    async with database.connection() as connection:
        assert (await audit.verify(connection)).broken is None
        assert (await audit.verify(connection, head)).broken == 3


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entry SET action = ''", "DELETE FROM audit_entry", "TRUNCATE audit_entry"]
)
async def test_the_database_refuses_to_change_an_entry(database: Database, clock: ManualClock, statement: str) -> None:
    await _write(database, clock, 1)
    async with database.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


async def test_concurrent_writers_make_one_chain(database: Database, clock: ManualClock) -> None:
    async def write(number: int) -> None:
        async with database.transaction() as connection:
            await audit.append(connection, number, "alert.submit", clock.now())

    await asyncio.gather(*(write(number) for number in range(20)))
    async with database.connection() as connection:
        verdict = await audit.verify(connection)
    assert (verdict.entries, verdict.broken) == (20, None)


async def test_an_entry_of_a_transaction_that_failed_leaves_no_gap(database: Database, clock: ManualClock) -> None:
    await _write(database, clock, 1)

    async def fail_after_writing() -> None:
        async with database.transaction() as connection:
            await audit.append(connection, 7, "alert.issue", clock.now())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_after_writing()
    await _write(database, clock, 1)
    async with database.connection() as connection:
        assert await audit.verify(connection) == audit.Verdict(2, (await audit.verify(connection)).head)
