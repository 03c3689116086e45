"""How much one claim takes: what is beyond a second of a connection's rate is left to the others."""

from __future__ import annotations

import math

import pytest

from broadcaster.dispatch import ledger, units
from broadcaster.dispatch.units import UnitDelivery
from broadcaster.ports import Medium
from tests.harness.district import District


async def claimed(district: District, rows: float, limit: int = 100) -> list[int]:
    """The sizes of the batches that one claim gets."""
    async with district.database.connection() as connection:
        batches = await ledger.claim(
            connection,
            channel="sms",
            rehearsal=True,
            now=district.clock.now(),
            limit=limit,
            worker="w",
            lease=60,
            rows=rows,
        )
    return [batch.last - batch.first + 1 for batch in batches]


@pytest.fixture
async def asked(district: District) -> District:
    """Alert 7 asks 220 heads by text message."""
    await district.village(1, 1)
    await district.issue(7)
    items = [UnitDelivery(unit, "330212001001", Medium.SMS, unit, f"head-{unit}") for unit in range(220)]
    async with district.database.transaction() as connection:
        await units.enqueue(connection, 7, items, district.clock.now())
    return district


async def test_messages_to_people_on_duty_lie_in_small_batches(asked: District) -> None:
    assert sorted(await claimed(asked, math.inf)) == [20, 50, 50, 50, 50]


async def test_a_claim_ends_with_the_batch_that_makes_its_rows_full(asked: District) -> None:
    found = [await claimed(asked, 100) for _ in range(3)]
    assert sorted(size for sizes in found for size in sizes) == [20, 50, 50, 50, 50], (
        "of one tier and place, in any order"
    )
    assert all(sum(sizes[:-1]) < 100 for sizes in found)
    assert sum(found[0]) >= 100


async def test_a_claim_takes_one_batch_however_large(asked: District) -> None:
    assert len(await claimed(asked, 1)) == 1
    assert len(await claimed(asked, math.inf, limit=1)) == 1
