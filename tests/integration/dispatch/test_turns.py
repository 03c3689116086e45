"""Alerts of one colour take turns, whenever each of them came."""

from __future__ import annotations

from datetime import timedelta

from tests.harness.district import District

VILLAGES = 12


async def claimed(district: District, count: int) -> list[int]:
    """The alerts of the next batches, claimed one by one; a village has two, and the vulnerable's goes first."""
    return [(await district.claim("wechat", limit=1))[0].alert_id for _ in range(count)]


async def planned(district: District, alert_id: int, *, urgency: int = 3) -> None:
    await district.issue(alert_id, urgency=urgency, lasts=timedelta(hours=6))
    await district.advance()


async def test_a_newcomer_of_the_same_colour_goes_on_where_the_others_are(district: District) -> None:
    for number in range(1, VILLAGES + 1):
        await district.village(number, 10)
    await planned(district, 7)
    assert set(await claimed(district, VILLAGES + 6)) == {7}, "everybody vulnerable, and half of the villages"
    await planned(district, 8)
    assert await claimed(district, VILLAGES) == [8] * VILLAGES, "the vulnerable come first, whosesoever"
    assert await claimed(district, 12) == [7, *[7, 8] * 5, 8], "the loudspeakers have the newcomer's first rank"
    assert await claimed(district, 6) == [8] * 6


async def test_what_another_colour_has_waiting_changes_nothing(district: District) -> None:
    for number in range(1, 4):
        await district.village(number, 10)
    await planned(district, 7, urgency=0)
    await claimed(district, 4)
    await planned(district, 8)
    async with district.database.connection() as connection:
        assert await connection.fetchval("SELECT min(rank) FROM chunk WHERE alert_id = 8") == 1
