"""Connections are shared out evenly among the workers that live, and never held by two."""

from __future__ import annotations

from broadcaster.database import Database
from broadcaster.dispatch import slots
from broadcaster.ports import GatewaySettings, Medium

LEASE = 15.0
FOUR = GatewaySettings("sms", Medium.SMS, "rehearsal", rate=100, slots=4)


async def hold(database: Database, worker: str, settings: GatewaySettings = FOUR) -> set[int]:
    async with database.connection() as connection:
        gateway = await slots.register(connection, settings)
        alive = await slots.appear(connection, worker, LEASE)
        return await slots.hold(connection, gateway, worker, LEASE, alive=alive)


async def lapse(database: Database, worker: str) -> None:
    """Time passes until what this worker did not renew is over."""
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE gateway_slot SET lease_until = clock_timestamp() - interval '1 second' WHERE owner = $1", worker
        )


async def test_a_worker_alone_holds_every_connection(database: Database) -> None:
    assert await hold(database, "a") == {1, 2, 3, 4}


async def test_a_newcomer_gets_its_share_once_the_first_has_let_go_of_it(database: Database) -> None:
    await hold(database, "a")
    assert await hold(database, "b") == set(), "what is leased is not taken away"
    assert await hold(database, "a") == {1, 2}
    async with database.connection() as connection:
        await connection.execute("UPDATE gateway_slot SET lease_until = now() - interval '1 second' WHERE slot > 2")
    assert await hold(database, "b") == {3, 4}
    assert await hold(database, "a") == {1, 2}


async def test_who_has_gone_leaves_everything_to_the_others(database: Database) -> None:
    await hold(database, "a")
    await hold(database, "b")
    async with database.connection() as connection:
        await slots.leave(connection, "a")
    assert await hold(database, "b") == {1, 2, 3, 4}


async def test_what_a_dead_worker_held_is_taken_up_when_its_lease_is_over(database: Database) -> None:
    await hold(database, "a")
    async with database.connection() as connection:
        await connection.execute("UPDATE worker SET seen_at = now() - interval '1 minute'")
    await lapse(database, "a")
    assert await hold(database, "b") == {1, 2, 3, 4}


async def test_five_workers_of_two_connections_hold_two(database: Database) -> None:
    two = GatewaySettings("mail", Medium.EMAIL, "smtp", rate=10, slots=2)
    held = [await hold(database, name, two) for name in "abcde"]
    assert sorted(number for one in held for number in one) == [1, 2]
