"""A message that two attempts brought is a duplicate, once, in whatever order the evidence comes."""

from __future__ import annotations

import pytest

from broadcaster.dispatch.delivery import DeliveryState
from tests.harness.district import District

UNKNOWN, SUBMITTED, DELIVERED = DeliveryState.UNKNOWN, DeliveryState.SUBMITTED, DeliveryState.DELIVERED


@pytest.mark.parametrize(
    ("news", "duplicates"),
    [
        ([(1, SUBMITTED), (1, DELIVERED), (1, DELIVERED)], 0),
        ([(1, UNKNOWN), (2, SUBMITTED), (2, DELIVERED)], 0),
        ([(1, SUBMITTED), (2, SUBMITTED), (1, DELIVERED), (2, DELIVERED)], 1),
        ([(1, UNKNOWN), (2, UNKNOWN), (1, DELIVERED), (2, DELIVERED)], 1),
        ([(3, UNKNOWN), (1, DELIVERED), (2, SUBMITTED), (3, DELIVERED)], 1),
    ],
)
async def test_a_delivery_that_was_taken_twice_is_counted_once(
    district: District, news: list[tuple[int, DeliveryState]], duplicates: int
) -> None:
    await district.village(1, 5)
    await district.issue(7)
    await district.advance()
    for attempt, state in news:
        await district.say([(0, attempt, state)], alert_id=7)
    async with district.database.connection() as connection:
        assert await connection.fetchval("SELECT sum(duplicates)::int FROM tally WHERE alert_id = 7") == duplicates
