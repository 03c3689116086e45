"""What no administrator can do, what two can only do in turn, and what of the trail one sees."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from broadcaster.clock import ManualClock
from broadcaster.database import Database
from broadcaster.errors import (
    ConflictError,
    ForbiddenError,
    InputError,
    LimitedError,
    NotFoundError,
    RuleError,
    UnauthenticatedError,
)
from broadcaster.security import accounts, audit, credentials, directory, enrolment, entrance, trail
from broadcaster.security.entrance import Step
from broadcaster.security.permissions import SYSTEM, Actor, Grant, Role
from broadcaster.security.second_factor import SecondFactor
from broadcaster.security.session_rules import SessionRules
from broadcaster.security.trail import Wanted

COUNTY, TOWN, BESIDE = "330212", "330212101", "330212102"
PASSWORD = "correct horse battery"
FACTOR = SecondFactor(b"a secret of the tests")


async def _account(database: Database, clock: ManualClock, name: str, *grants: tuple[Role, str]) -> Actor:
    held = tuple(Grant(role, region) for role, region in grants)
    number = await accounts.create_account(database, SYSTEM, name, PASSWORD, grants=held, now=clock.now())
    return Actor(number, name, held)


async def test_the_last_administrator_of_a_region_stays(database: Database, clock: ManualClock) -> None:
    chief = await _account(database, clock, "chief", (Role.ADMINISTRATOR, COUNTY))
    local = await _account(database, clock, "local", (Role.ADMINISTRATOR, TOWN))
    now = clock.now()
    with pytest.raises(RuleError, match=COUNTY):
        await accounts.switch_off(database, SYSTEM, chief.account_id, now)
    with pytest.raises(RuleError, match=COUNTY):
        await accounts.set_grants(database, chief, chief.account_id, [Grant(Role.ADMINISTRATOR, TOWN)], now)
    await accounts.switch_off(database, chief, local.account_id, now)
    other = await _account(database, clock, "other", (Role.ADMINISTRATOR, COUNTY))
    await accounts.switch_off(database, other, chief.account_id, now)
    with pytest.raises(RuleError):
        await accounts.switch_off(database, SYSTEM, other.account_id, now)
    await accounts.switch_on(database, other, chief.account_id, now)
    await accounts.switch_off(database, chief, other.account_id, now)


async def test_the_region_that_would_be_left_alone_is_called_by_its_name(
    database: Database, clock: ManualClock
) -> None:
    chief = await _account(database, clock, "chief", (Role.ADMINISTRATOR, COUNTY))
    async with database.connection() as connection:
        await connection.execute("INSERT INTO region (code, name, level) VALUES ($1, '鄞州区', 1)", COUNTY)
    with pytest.raises(RuleError, match="鄞州区 就没有管理员了"):
        await accounts.switch_off(database, SYSTEM, chief.account_id, clock.now())


async def test_two_administrators_cannot_remove_each_other_at_once(database: Database, clock: ManualClock) -> None:
    one = await _account(database, clock, "one", (Role.ADMINISTRATOR, COUNTY))
    two = await _account(database, clock, "two", (Role.ADMINISTRATOR, COUNTY))
    results = await asyncio.gather(
        accounts.switch_off(database, one, two.account_id, clock.now()),
        accounts.switch_off(database, two, one.account_id, clock.now()),
        return_exceptions=True,
    )
    assert [type(result) for result in results if result is not None] == [RuleError]


async def test_nobody_gives_themselves_more(database: Database, clock: ManualClock) -> None:
    await _account(database, clock, "chief", (Role.ADMINISTRATOR, COUNTY))
    local = await _account(database, clock, "local", (Role.ADMINISTRATOR, TOWN), (Role.AUTHOR, TOWN + "001"))
    keep, now = Grant(Role.ADMINISTRATOR, TOWN), clock.now()
    for more in (Grant(Role.APPROVER, TOWN), Grant(Role.AUTHOR, TOWN), Grant(Role.AUTHOR, TOWN + "002")):
        with pytest.raises(ForbiddenError, match="自己"):
            await accounts.set_grants(database, local, local.account_id, [keep, more], now)
    with pytest.raises(ForbiddenError):
        await accounts.set_grants(database, local, local.account_id, [Grant(Role.ADMINISTRATOR, COUNTY)], now)
    await accounts.set_grants(database, local, local.account_id, [keep, Grant(Role.AUTHOR, TOWN + "001001")], now)


async def test_an_account_without_roles_is_nobodys_to_take(database: Database, clock: ManualClock) -> None:
    local = await _account(database, clock, "local", (Role.ADMINISTRATOR, TOWN))
    viewer = await _account(database, clock, "viewer", (Role.VIEWER, TOWN))
    async with database.connection() as connection:
        await connection.execute("DELETE FROM account_grant WHERE account_id = $1", viewer.account_id)
    for by in (local, viewer):
        target = viewer.account_id if by is local else local.account_id
        with pytest.raises(ForbiddenError):
            await accounts.set_password(database, by, target, PASSWORD, clock.now())
    for who in (local, SYSTEM):
        with pytest.raises(InputError, match="没有角色"):
            await accounts.create_account(database, who, "nobody", PASSWORD, grants=[], now=clock.now())


async def test_an_administrator_finds_only_accounts_that_lie_wholly_inside(
    database: Database, clock: ManualClock
) -> None:
    local = await _account(database, clock, "local", (Role.ADMINISTRATOR, TOWN))
    await _account(database, clock, "inside", (Role.VIEWER, TOWN + "001"))
    both = await _account(database, clock, "both", (Role.VIEWER, TOWN), (Role.VIEWER, BESIDE))
    await _account(database, clock, "above", (Role.VIEWER, COUNTY))
    async with database.connection() as connection:
        assert [one.name for one in await directory.accounts(connection, local)] == ["inside", "local"]
        assert [one.name for one in await directory.accounts(connection, local, search="NSI")] == ["inside"]
        assert await directory.accounts(connection, local, search="%") == []
        assert [one.name for one in await directory.accounts(connection, local, after="inside")] == ["local"]
        assert len(await directory.accounts(connection, SYSTEM)) == 4
        with pytest.raises(NotFoundError):
            await directory.account(connection, local, both.account_id)
        with pytest.raises(ForbiddenError):
            await directory.accounts(connection, both)
    with pytest.raises(ForbiddenError):
        await accounts.reset_factor(database, local, both.account_id, clock.now())


async def test_a_given_password_is_changed_before_anything_opens(database: Database, clock: ManualClock) -> None:
    chief = await _account(database, clock, "chief", (Role.ADMINISTRATOR, COUNTY))
    grants, now = [Grant(Role.VIEWER, TOWN)], clock.now()
    await accounts.create_account(database, chief, "new", PASSWORD, grants=grants, now=now, given=True)
    signed = await entrance.sign_in(database, "new", PASSWORD, "", now)
    assert signed.step is Step.PASSWORD
    async with database.connection() as connection:
        with pytest.raises(UnauthenticatedError):
            await credentials.prove(connection, credentials.CredentialKind.SESSION, signed.session, now)
        proof = await credentials.prove(connection, credentials.CredentialKind.PENDING, signed.session, now)
    await accounts.choose_password(database, proof, "another long password", now)
    assert (await entrance.go_on(database, proof, now, SessionRules())).step is Step.DONE
    with pytest.raises(UnauthenticatedError):
        await entrance.go_on(database, proof, now, SessionRules())


async def test_a_pending_session_ends_soon_and_never_grows_into_two(database: Database, clock: ManualClock) -> None:
    new = await _account(database, clock, "new", (Role.APPROVER, COUNTY))
    offer = await enrolment.offer(FACTOR, new.account_id, "x")
    seed = await _seed(database, new)
    assert offer == FACTOR.offer(new.account_id, seed, "new", "x")
    codes = await enrolment.switch_on(
        database, FACTOR, new.account_id, FACTOR.code(new.account_id, seed, clock.now()), clock.now()
    )
    signed = await entrance.sign_in(database, "new", PASSWORD, "", clock.now())
    async with database.connection() as connection:
        proof = await credentials.prove(connection, credentials.CredentialKind.PENDING, signed.session, clock.now())
    tries = [
        entrance.give_code(database, FACTOR, proof, code, clock.now(), SessionRules())
        for code in (*codes[:3], codes[0])
    ]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(result, BaseException) for result in results) == 1
    clock.advance(601)
    async with database.connection() as connection:
        with pytest.raises(UnauthenticatedError):
            await credentials.prove(connection, credentials.CredentialKind.PENDING, signed.session, clock.now())


async def test_one_code_at_the_same_moment_opens_one_session(database: Database, clock: ManualClock) -> None:
    new = await _account(database, clock, "new", (Role.VIEWER, COUNTY))
    await enrolment.offer(FACTOR, new.account_id, "x")
    seed = await _seed(database, new)
    await enrolment.switch_on(
        database, FACTOR, new.account_id, FACTOR.code(new.account_id, seed, clock.now()), clock.now()
    )
    clock.advance(60)
    code = FACTOR.code(new.account_id, seed, clock.now())
    tries = [enrolment.check(database, FACTOR, new.account_id, code, clock.now()) for _ in range(5)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(result is None for result in results) == 1


async def test_guesses_of_codes_wait_longer_and_longer(database: Database, clock: ManualClock) -> None:
    new = await _account(database, clock, "new", (Role.VIEWER, COUNTY))
    made = 0
    for _ in range(24 * 60):
        try:
            await enrolment.check(database, FACTOR, new.account_id, "000000", clock.now())
        except UnauthenticatedError:
            made += 1
        except LimitedError as error:
            clock.advance(min(error.after, 600))
            if made > 40:
                break
    assert made <= 41


async def test_tokens_are_ended_by_who_manages_the_account_and_labels_stand_once(
    database: Database, clock: ManualClock
) -> None:
    local = await _account(database, clock, "local", (Role.ADMINISTRATOR, TOWN))
    feed = await _account(database, clock, "feed", (Role.AUTHOR, TOWN))
    beside = await _account(database, clock, "beside", (Role.ADMINISTRATOR, BESIDE))
    now = clock.now()
    token = await accounts.give_token(database, local, feed.account_id, "radar", now, life=timedelta(days=1), once=True)
    with pytest.raises(ConflictError):
        await accounts.give_token(database, local, feed.account_id, "radar", now, once=True)
    async with database.connection() as connection:
        proof = await credentials.prove(connection, credentials.CredentialKind.TOKEN, token, now)
    with pytest.raises(ForbiddenError):
        await accounts.end_token(database, beside, feed.account_id, proof.credential_id, now)
    with pytest.raises(NotFoundError):
        await accounts.end_token(database, local, local.account_id, proof.credential_id, now)
    await accounts.end_token(database, local, feed.account_id, proof.credential_id, now)
    await accounts.give_token(database, local, feed.account_id, "radar", now, once=True)
    async with database.connection() as connection:
        with pytest.raises(UnauthenticatedError):
            await credentials.prove(connection, credentials.CredentialKind.TOKEN, token, now)


async def test_the_trail_shows_each_reader_their_own_regions(database: Database, clock: ManualClock) -> None:
    local = await _account(database, clock, "local", (Role.ADMINISTRATOR, TOWN))
    beside = await _account(database, clock, "beside", (Role.ADMINISTRATOR, BESIDE))
    chief = await _account(database, clock, "chief", (Role.ADMINISTRATOR, COUNTY))
    for name in ("local", "beside", "chief"):
        clock.advance(60)
        await entrance.sign_in(database, name, PASSWORD, "", clock.now())
    async with database.connection() as connection:

        async def seen(by: Actor, **wanted: object) -> list[tuple[str, int]]:
            found = await trail.look_through(connection, by, COUNTY, Wanted(**wanted))  # type: ignore[arg-type]
            return [(entry.action, entry.account_id) for entry in found.entries]

        assert await seen(local) == [("session.open", local.account_id), ("account.create", 0)]
        assert await seen(beside) == [("session.open", beside.account_id), ("account.create", 0)]
        assert len(await seen(chief)) == 6
        assert await seen(chief, account_id=chief.account_id) == [("session.open", chief.account_id)]
        assert len(await seen(chief, action="account.create")) == 3
        assert len(await seen(chief, since=clock.now())) == 1
        assert len(await seen(chief, until=clock.now())) == 5
        assert await seen(chief, alert_id=1) == []
        first = await trail.look_through(connection, chief, COUNTY, Wanted(), limit=4)
        rest = await trail.look_through(connection, chief, COUNTY, Wanted(), limit=4, before=first.before or 0)
        assert [entry.seq for page in (first, rest) for entry in page.entries] == [6, 5, 4, 3, 2, 1]
        assert rest.before is None
        with pytest.raises(ForbiddenError):
            await trail.look_through(connection, Actor(9, "x", (Grant(Role.AUTHOR, COUNTY),)), COUNTY, Wanted())


async def test_managing_accounts_leaves_its_trace(database: Database, clock: ManualClock) -> None:
    chief = await _account(database, clock, "chief", (Role.ADMINISTRATOR, COUNTY))
    other = await _account(database, clock, "other", (Role.VIEWER, TOWN))
    number, now = other.account_id, clock.now()
    await accounts.set_grants(database, chief, number, [Grant(Role.AUTHOR, TOWN)], now)
    await accounts.set_password(database, chief, number, PASSWORD, now, given=True)
    await accounts.reset_factor(database, chief, number, now)
    await accounts.switch_off(database, chief, number, now)
    await accounts.switch_on(database, chief, number, now)
    async with database.connection() as connection:
        found = await trail.look_through(connection, chief, COUNTY, Wanted(account_id=chief.account_id))
        assert (await audit.verify(connection)).broken is None
    done = [entry.action for entry in reversed(found.entries)]
    assert done == ["account.grant", "account.password", "factor.off", "account.off", "account.on"]
    assert found.entries[-1].detail == f'{{"before":["viewer@{TOWN}"],"grants":["author@{TOWN}"]}}'


async def _seed(database: Database, actor: Actor) -> str:
    async with database.connection() as connection:
        seed: str = await connection.fetchval("SELECT factor_seed FROM account WHERE id = $1", actor.account_id)
    return seed
