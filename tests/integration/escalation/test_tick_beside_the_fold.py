"""A step that only tells somebody waits for no fold; whoever confirms at that moment is still left in peace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from broadcaster.database import Connection
from broadcaster.dispatch import ledger
from broadcaster.escalation.settlement import settle_stored
from tests.harness.waiting import wait_until
from tests.integration.escalation.conftest import LADDER, SILENCE, County

CANCELLED = 3


@asynccontextmanager
async def somebody_else(county: County) -> AsyncIterator[Connection]:
    """A transaction that nothing which is started in the block inherits."""
    async with county.database.connection() as connection, connection.transaction():
        yield connection


async def test_people_are_asked_while_a_fold_takes_its_time(county: County) -> None:
    head, _ = await county.village()
    await county.issue(1)
    async with somebody_else(county) as fold:
        await ledger.lock_states(fold)
        async with asyncio.timeout(60):
            assert await county.tick() == 1
    unit = await county.unit()
    assert [address for _, address, _ in await county.messages(unit["id"])] == [head.phone, "wechat-1"]


async def test_door_tasks_wait_for_the_fold_and_then_come(county: County) -> None:
    await county.village()
    await county.superiors()
    await county.household()
    await county.issue(1, households=True)
    await county.silence(SILENCE - LADDER[-1].after)
    county.clock.advance(LADDER[-1].after)
    async with somebody_else(county) as fold:
        await ledger.lock_states(fold)
        ticking = asyncio.create_task(county.tick())
        await asyncio.sleep(0.3)
        assert not ticking.done()
        assert await county.value("SELECT count(*) FROM door_task") == 0
    assert await ticking == 1
    assert await county.value("SELECT count(*) FROM door_task") == 1


async def test_who_confirms_while_the_next_step_is_being_written_gets_none_of_it(county: County) -> None:
    head, deputy = await county.village()
    await county.issue(1)
    await county.tick()
    await county.tell(head)
    await county.keep(head)
    county.clock.advance(LADDER[1].after)
    async with somebody_else(county) as connection:
        # the ordinals are taken last, when the units are already: the tick stands still in the midst of its step
        await connection.execute("SELECT 1 FROM run_ordinal WHERE alert_id = 1 FOR UPDATE")
        ticking = asyncio.create_task(county.tick())
        await wait_until(lambda: _waiting(county), what="the tick to hold its unit")
        settling = asyncio.create_task(settle_stored(county.database, county.clock.now()))
        await asyncio.sleep(0.2)
        assert not settling.done()
    await ticking
    await settling
    unit = await county.unit()
    assert unit["state"] == "acknowledged"
    late = [(channel, state) for channel, _, state in await county.messages(unit["id"]) if channel == "voice"]
    assert late == [("voice", CANCELLED)]
    assert deputy.phone not in [address for _, address, _ in await county.messages(unit["id"])]


async def _waiting(county: County) -> bool:
    found: bool = await county.value(
        """
        SELECT EXISTS (
            SELECT FROM pg_stat_activity
            WHERE wait_event_type = 'Lock' AND query LIKE '-- Deliveries to duty holders%')
        """
    )
    return found
