"""Connections are shared out evenly among the workers that live, and never held by two."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable

import pytest

from broadcaster.database import Database
from broadcaster.dispatch import slots
from broadcaster.ports import GatewaySettings, Medium

LEASE = 15.0
FOUR = GatewaySettings("sms", Medium.SMS, "rehearsal", rate=100, slots=4)


class Memory(defaultdict[str, slots.Leased]):
    """What each process of a test remembers, by the name that the test gives it."""


@pytest.fixture
def memory() -> Memory:
    return Memory(dict)


Hold = Callable[..., Awaitable[set[int]]]


@pytest.fixture
def hold(database: Database, memory: Memory) -> Hold:
    async def held(process: str, settings: GatewaySettings = FOUR, *, name: str = "") -> set[int]:
        """What a process holds after it has looked once, under its own name unless it has another."""
        async with database.connection() as connection:
            gateway = await slots.register(connection, settings)
            alive = await slots.appear(connection, name or process, LEASE)
            return await slots.hold(connection, gateway, name or process, LEASE, alive=alive, mine=memory[process])

    return held


async def lapse(database: Database, worker: str) -> None:
    """Time passes until what this worker did not renew is over."""
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE gateway_slot SET lease_until = clock_timestamp() - interval '1 second' WHERE owner = $1", worker
        )


async def test_a_worker_alone_holds_every_connection(database: Database, memory: Memory, hold: Hold) -> None:
    assert await hold("a") == {1, 2, 3, 4}


async def test_a_newcomer_gets_its_share_once_the_first_has_let_go_of_it(
    database: Database, memory: Memory, hold: Hold
) -> None:
    await hold("a")
    assert await hold("b") == set(), "what is leased is not taken away"
    assert await hold("a") == {1, 2}
    async with database.connection() as connection:
        await connection.execute("UPDATE gateway_slot SET lease_until = now() - interval '1 second' WHERE slot > 2")
    assert await hold("b") == {3, 4}
    assert await hold("a") == {1, 2}


async def test_who_has_gone_leaves_everything_to_the_others(database: Database, memory: Memory, hold: Hold) -> None:
    await hold("a")
    await hold("b")
    async with database.connection() as connection:
        await slots.leave(connection, "a", memory["a"])
    assert await hold("b") == {1, 2, 3, 4}


async def test_what_a_dead_worker_held_is_taken_up_when_its_lease_is_over(
    database: Database, memory: Memory, hold: Hold
) -> None:
    await hold("a")
    async with database.connection() as connection:
        await connection.execute("UPDATE worker SET seen_at = now() - interval '1 minute'")
    await lapse(database, "a")
    assert await hold("b") == {1, 2, 3, 4}


async def test_five_workers_of_two_connections_hold_two(database: Database, memory: Memory, hold: Hold) -> None:
    two = GatewaySettings("mail", Medium.EMAIL, "smtp", rate=10, slots=2)
    held = [await hold(name, two) for name in "abcde"]
    assert sorted(number for one in held for number in one) == [1, 2]


async def test_two_processes_of_one_name_never_hold_the_same_connection(hold: Hold) -> None:
    assert await hold("first", name="twin") == {1, 2, 3, 4}
    assert await hold("second", name="twin") == set()
    assert await hold("first", name="twin") == {1, 2, 3, 4}


async def test_who_stops_does_not_give_back_what_a_process_of_the_same_name_holds(
    database: Database, memory: Memory, hold: Hold
) -> None:
    await hold("first", name="twin")
    async with database.connection() as connection:
        await slots.leave(connection, "twin", memory["second"])
    assert await hold("other") == set()
