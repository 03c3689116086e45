"""A lease belongs to one claim: whoever lost it, and took the same batch again, does not mix the two up."""

from __future__ import annotations

import time

from broadcaster.dispatch import ledger, units
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.leases import Leases
from broadcaster.dispatch.ledger import Event, Release
from broadcaster.dispatch.recorder import Recorder
from broadcaster.dispatch.units import UnitDelivery
from broadcaster.ports import Medium
from tests.harness.district import District

LEASED = 1


async def batch_state(district: District, first: int) -> int:
    async with district.database.connection() as connection:
        state: int = await connection.fetchval("SELECT state FROM batch WHERE alert_id = 7 AND first = $1", first)
        return state


async def test_what_is_left_of_a_lost_claim_neither_ends_nor_lends_the_next_one(district: District) -> None:
    await district.village(1, 5)
    await district.issue(7)
    await district.advance()
    (lost,) = await district.claim("wechat", lease=-1)
    await ledger.reclaim_lapsed(district.database, district.clock.now())
    (held,) = await district.claim("wechat")
    assert (lost.first, lost.claims, held.claims) == (held.first, 1, 2)

    leases = Leases(district.database, "w", 15)
    leases.took(lost, time.monotonic() - 60)
    leases.took(held, time.monotonic())
    await leases.renew()
    assert (leases.holds(lost), leases.holds(held)) == (False, True)

    await ledger.write(district.database, "w", [], releases=[Release(lost, district.clock.now())])
    assert await batch_state(district, held.first) == LEASED


async def test_results_that_wait_for_the_database_keep_their_lease(district: District) -> None:
    await district.village(1, 5)
    await district.issue(7)
    await district.advance()
    (batch,) = await district.claim("wechat", lease=-1)  # the database was away for longer than the lease
    leases = Leases(district.database, "w", 15)
    leases.took(batch, time.monotonic() - 60)
    recorder = Recorder(district.database, district.clock, "w", released=leases.gave)
    for ordinal in range(batch.first, batch.last + 1):
        recorder.add(Event(7, ordinal, batch.claims, 4, 1, None, None, district.clock.now()))
    recorder.release(Release(batch, district.clock.now()))

    await leases.renew()
    assert await ledger.reclaim_lapsed(district.database, district.clock.now()) == 0
    recorder.stop()
    await recorder.run()
    await ledger.fold(district.database, district.clock.now())
    assert (await district.states(7))[4] == 5
    assert not leases.held


async def test_a_thirty_thousandth_claim_is_a_claim_like_any_other(district: District) -> None:
    await district.village(1, 5)
    await district.issue(7)
    await district.advance()
    async with district.database.connection() as connection:
        await connection.execute("UPDATE batch SET claims = 32767")
    (batch,) = await district.claim("wechat")
    await district.settle([batch], DeliveryState.SUBMITTED)
    assert (await district.states(7)) == {4: 5}


async def test_what_a_worker_held_when_the_unit_answered_counts_as_tried(district: District) -> None:
    await district.village(1, 1)
    await district.issue(7)
    now = district.clock.now()
    asked = [UnitDelivery(unit, "330212001001", Medium.SMS, unit, f"head-{unit}") for unit in (1, 2)]
    async with district.database.transaction() as connection:
        await units.enqueue(connection, 7, asked[:1], now)
    held = await district.claim("sms", limit=1)  # it is on the wire, and the worker dies before it can say so
    async with district.database.transaction() as connection:
        await units.enqueue(connection, 7, asked[1:], now)
        await units.withdraw(connection, 7, [1, 2], now)
        rows = await connection.fetch(
            "SELECT unit_id, state, attempts FROM delivery WHERE unit_id IS NOT NULL ORDER BY unit_id"
        )
    assert len(held) == 1
    assert [tuple(row) for row in rows] == [(1, DeliveryState.CANCELLED, 1), (2, DeliveryState.CANCELLED, 0)]
