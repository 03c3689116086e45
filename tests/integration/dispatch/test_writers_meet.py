"""The writers of the ledger meet all the time: none may ever wait for another that waits for it."""

from __future__ import annotations

import asyncio
import random

from broadcaster.dispatch import ledger
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.ledger import Batch, Event, Release
from tests.harness.district import District

ALERT = 7
VILLAGES, HOUSEHOLDS = 60, 4
ROUNDS = 60


async def test_folds_renewals_releases_and_claims_never_block_each_other_in_a_circle(district: District) -> None:
    for number in range(1, VILLAGES + 1):
        await district.village(number, HOUSEHOLDS, phones=0, risk=10)
    await district.issue(ALERT)
    await district.advance()
    held = await district.claim("wechat", VILLAGES)
    chance = random.Random(5)
    assert len(held) == VILLAGES
    async with asyncio.TaskGroup() as writers:
        writers.create_task(fold_news(district, held, chance))
        writers.create_task(renew(district, held, chance))
        writers.create_task(renew(district, held, chance))
        writers.create_task(release_and_claim(district, held, chance))
    assert await district.breaches(ALERT) == []


async def fold_news(district: District, held: list[Batch], chance: random.Random) -> None:
    """What gateways say about every batch at once, in any order."""
    for _ in range(ROUNDS):
        now = district.clock.now()
        news = [
            Event(ALERT, batch.first + chance.randrange(HOUSEHOLDS), batch.claims, state, 1, None, None, now)
            for batch in chance.sample(held, len(held))
            for state in [int(chance.choice([DeliveryState.UNKNOWN, DeliveryState.SUBMITTED]))]
        ]
        await ledger.write(district.database, "w", news)
        await ledger.fold(district.database, now)


async def renew(district: District, held: list[Batch], chance: random.Random) -> None:
    for _ in range(ROUNDS * 3):
        claims = [batch.claim for batch in chance.sample(held, len(held))]
        async with district.database.connection() as connection:
            await ledger.renew(connection, "w", 60, claims)


async def release_and_claim(district: District, held: list[Batch], chance: random.Random) -> None:
    for _ in range(ROUNDS):
        given = chance.sample(held, len(held) // 2)
        releases = [Release(batch, district.clock.now()) for batch in given]
        await ledger.write(district.database, "w", [], releases=releases)
        await ledger.fold(district.database, district.clock.now())
        again = await district.claim("wechat", VILLAGES)
        held[:] = [batch for batch in held if batch not in given] + again
