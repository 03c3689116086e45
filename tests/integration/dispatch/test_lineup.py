"""What workers tell each other of their gateways: heard at once, believed for a few seconds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from broadcaster.database import Database
from broadcaster.dispatch import lineup, slots
from broadcaster.dispatch.lineup import Leads, Lineup, StandsBy, Word
from broadcaster.dispatch.slots import Gateway
from broadcaster.ports import GatewaySettings, Medium

FIRST = GatewaySettings("first", Medium.SMS, "straw", rate=10, rehearsal=True)
SECOND = GatewaySettings("second", Medium.SMS, "straw", rate=10, rehearsal=True, priority=10)


@pytest.fixture
async def gateways(database: Database) -> Sequence[Gateway]:
    async with database.connection() as connection:
        return [await slots.register(connection, settings) for settings in (FIRST, SECOND)]


def member(database: Database, worker: str, gateways: Sequence[Gateway]) -> Lineup:
    found = Lineup(database, worker)
    found.follow(gateways)
    return found


def word(gateway: Gateway, *, slot: int = 1, up: bool = True, given: int = 0, why: str = "") -> Word:
    return Word(gateway.id, slot, up, "closed" if up else "open", why, idle=True, given=given, connected=up)


async def test_nobody_leads_before_the_first_look(database: Database, gateways: Sequence[Gateway]) -> None:
    assert isinstance(member(database, "a", gateways).standing(gateways[0]), StandsBy)


async def test_what_one_worker_says_another_hears(database: Database, gateways: Sequence[Gateway]) -> None:
    first, second = gateways
    one, other = member(database, "a", gateways), member(database, "b", gateways)
    await one.beat([word(first)])
    await other.beat([word(second)])
    assert other.standing(second) == StandsBy("first")
    await one.beat([word(first, up=False, why="no route")])
    assert await other.beat([word(second)]), "it says that something has changed"
    assert isinstance(other.standing(second), Leads)
    assert not await other.beat([word(second)])


async def test_one_connection_that_works_is_enough(database: Database, gateways: Sequence[Gateway]) -> None:
    first, second = gateways
    one, other = member(database, "a", gateways), member(database, "b", gateways)
    await one.beat([word(first, up=False)])
    await other.beat([word(first, slot=2), word(second)])
    assert other.standing(second) == StandsBy("first")


async def test_the_word_of_a_dead_worker_is_not_believed_for_long(
    database: Database, gateways: Sequence[Gateway]
) -> None:
    first, second = gateways
    one, other = member(database, "a", gateways), member(database, "b", gateways)
    await one.beat([word(first)])
    async with database.connection() as connection:
        left = await connection.fetchval("SELECT max(extract(epoch FROM holds_until - said_at)) FROM gateway_word")
        assert left == pytest.approx(lineup.WORD, abs=0.01)
        await connection.execute("UPDATE gateway_word SET holds_until = clock_timestamp()")
    await other.beat([word(second)])
    assert isinstance(other.standing(second), Leads)


async def test_who_leaves_is_forgotten_at_once(database: Database, gateways: Sequence[Gateway]) -> None:
    first, second = gateways
    one, other = member(database, "a", gateways), member(database, "b", gateways)
    await one.beat([word(first)])
    async with database.connection() as connection:
        await lineup.forget(connection, "a")
    await other.beat([word(second)])
    assert isinstance(other.standing(second), Leads)


async def test_what_was_given_adds_up_over_couriers_and_fades(database: Database, gateways: Sequence[Gateway]) -> None:
    first, _ = gateways
    one = member(database, "a", gateways)
    for given in (10, 30, 30, 5):  # the last is a successor, which counts anew
        await one.beat([word(first, given=given)])
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT taken FROM gateway_word") == pytest.approx(35, rel=0.02)
        await connection.execute("UPDATE gateway_word SET said_at = said_at - make_interval(secs => $1)", lineup.MEMORY)
    await one.beat([word(first, given=5)])
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT taken FROM gateway_word") == pytest.approx(35 / 2.718, rel=0.03)


async def test_health_tells_states_and_the_latest_trouble(database: Database, gateways: Sequence[Gateway]) -> None:
    first, _ = gateways
    await member(database, "a", gateways).beat([word(first), word(first, slot=2, up=False, why="no route")])
    async with database.connection() as connection:
        [found] = await lineup.health(connection)
    assert (found.name, found.up, found.why) == ("first", True, "no route")
    assert found.states == {"closed": 1, "probing": 0, "open": 1}
