"""Failed sign-ins leave their mark in the audit, and nobody fills it up with them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from broadcaster.clock import ManualClock
from broadcaster.database import Database
from broadcaster.errors import LimitedError, UnauthenticatedError
from broadcaster.security import accounts, attempts, audit, enrolment, entrance, failures
from broadcaster.security.permissions import SYSTEM, Grant, Role
from broadcaster.security.second_factor import SecondFactor

PASSWORD = "correct horse battery"


@pytest.fixture
async def account(database: Database, clock: ManualClock) -> int:
    grants = [Grant(Role.AUTHOR, "330212")]
    return await accounts.create_account(database, SYSTEM, "zhang", PASSWORD, grants=grants, now=clock.now())


async def _guess(database: Database, clock: ManualClock, name: str = "zhang", source: str = "198.51.100.7") -> str:
    try:
        await entrance.sign_in(database, name, "wrong", source, clock.now())
    except (UnauthenticatedError, LimitedError) as error:
        return error.code
    raise AssertionError("a wrong password opened a session")


async def _entries(database: Database) -> list[tuple[str, str, dict[str, Any]]]:
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT action, subject, detail, account_id FROM audit_entry WHERE action LIKE 'sign_in.%' ORDER BY seq"
        )
        assert (await audit.verify(connection)).broken is None
    assert all(row["account_id"] == 0 for row in rows)
    return [(row["action"], row["subject"], json.loads(row["detail"])) for row in rows]


async def test_failures_are_summed_up_once_an_hour_for_each_account(
    database: Database, clock: ManualClock, account: int
) -> None:
    began = clock.now()
    for _ in range(3):
        assert await _guess(database, clock) == "unauthenticated"
        clock.advance(60)
    assert await failures.sum_up(database, clock.now()) == 0
    assert await _entries(database) == []
    clock.advance(3600)
    assert await failures.sum_up(database, clock.now()) == 1
    assert await failures.sum_up(database, clock.now()) == 0
    [(action, subject, detail)] = await _entries(database)
    assert (action, subject) == ("sign_in.failed", f"account:{account}")
    assert detail == {
        "kind": "password",
        "failures": 3,
        "lockouts": 0,
        "first": began.isoformat(timespec="seconds"),
        "last": (began + timedelta(seconds=120)).isoformat(timespec="seconds"),
    }


async def test_a_lock_out_is_in_the_audit_at_once_and_the_next_ones_are_counted(
    database: Database, clock: ManualClock, account: int
) -> None:
    for _ in range(attempts.PAIR.free):
        await _guess(database, clock)
    assert await _guess(database, clock) == "limited"
    [(action, subject, detail)] = await _entries(database)
    assert (action, subject, detail) == (
        "sign_in.locked",
        f"account:{account}",
        {"kind": "password", "failures": attempts.PAIR.free},
    )
    for _ in range(3):
        clock.advance(attempts.PAIR.longest)
        await _guess(database, clock)
    assert len(await _entries(database)) == 1
    clock.advance(3600)
    assert await failures.sum_up(database, clock.now()) == 1
    assert (await _entries(database))[-1][2]["lockouts"] == 4


async def test_a_flood_of_guesses_at_names_that_nobody_has_is_one_entry(
    database: Database, clock: ManualClock, account: int
) -> None:
    for place in range(40):
        await _guess(database, clock, f"name-{place}", f"198.51.100.{place}")
    clock.advance(3601)
    assert await failures.sum_up(database, clock.now()) == 1
    [(action, subject, detail)] = await _entries(database)
    assert (action, subject, detail["failures"]) == ("sign_in.failed", "account:unknown", 40)


async def test_wrong_codes_and_passwords_of_whoever_is_signed_in_count_too(
    database: Database, clock: ManualClock, account: int
) -> None:
    factor = SecondFactor(b"a secret of the tests")
    await enrolment.offer(factor, account, "x")
    with pytest.raises(UnauthenticatedError):
        await enrolment.switch_on(database, factor, account, "000000", clock.now())
    for _ in range(attempts.CODE.free - 1):
        with pytest.raises(UnauthenticatedError):
            await enrolment.check(database, factor, account, "000000", clock.now())
    assert not await entrance.confirm_password(database, account, "wrong", "198.51.100.7", clock.now())
    clock.advance(3601)
    assert await failures.sum_up(database, clock.now()) == 2
    found = {(action, detail["kind"]): detail["failures"] for action, _, detail in await _entries(database)}
    assert found == {
        ("sign_in.locked", "code"): attempts.CODE.free,
        ("sign_in.failed", "code"): attempts.CODE.free,
        ("sign_in.failed", "password"): 1,
    }


async def test_who_signs_in_at_the_second_try_is_no_failure_of_the_sign_in(
    database: Database, clock: ManualClock, account: int
) -> None:
    await _guess(database, clock)
    assert (await entrance.sign_in(database, "zhang", PASSWORD, "198.51.100.7", clock.now())).account_id == account
    clock.advance(3601)
    await failures.sum_up(database, clock.now())
    assert [(action, detail["failures"]) for action, _, detail in await _entries(database)] == [("sign_in.failed", 1)]
