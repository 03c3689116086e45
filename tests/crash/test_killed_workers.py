"""Workers are killed at random moments of a running fan-out; the carriers' own books are the oracle.

Nothing is lost, nothing is overtaken, what goes out twice is no more than was on the wire, and it is counted; and no
account is ever given more in a second than it may take.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis

from broadcaster.demo import story
from broadcaster.demo.play import Demo, settled
from broadcaster.embedded import EmbeddedServers
from broadcaster.ports import Medium
from broadcaster.rehearsal.script import Behaviour, Delay, Duty, Residents, Script
from tests.harness.outpost import Outpost, outpost, shake
from tests.harness.waiting import wait_until

FLUSH = 0.2
"""Seconds that results wait before they are written: what a kill can take with it, besides what is unanswered."""


@dataclass(frozen=True, slots=True)
class Ordeal:
    """What one run goes through. `rate` in messages/s of each of the two channels."""

    households: int
    rate: float
    kills: int
    floods: int = 0
    longest: float = 1.5


def script(seed: int) -> Script:
    behaviour = Behaviour(
        answer=Delay(median=0.02, spread=0.5),
        receipt=Delay(median=0.3, spread=0.7, most=4),
        loss=0.01,
        failures={"UNDELIV": 0.02},
        duplicate=0.02,
        early=0.05,
        duty=Duty(silent=0.2, after=Delay(median=1.0, most=4)),
        residents=Residents(share=0.01),
    )
    return Script(seed=seed, sms=behaviour, wechat=behaviour, email=behaviour, loudspeaker=behaviour)


async def check_nothing_is_lost(folder: Path, ordeal: Ordeal, seed: int) -> None:
    rates = {
        Medium.SMS: (ordeal.rate, 2),
        Medium.WECHAT: (ordeal.rate, 2),
        Medium.EMAIL: (ordeal.rate, 1),
        Medium.LOUDSPEAKER: (200.0, 1),
    }
    async with outpost(folder, script(seed), households=ordeal.households, seed=seed, rates=rates) as post:
        chance = random.Random(seed)
        demo = Demo(post.house, post.rehearsal)
        await post.hire()
        first = await demo.send(story.warning("typhoon", post.house.clock.now()))
        emptying = asyncio.create_task(empty_redis(post, ordeal.floods, chance))
        midst = await shake(post, ordeal.kills // 2, chance, longest=ordeal.longest)
        second = await demo.send(story.update("typhoon", first.alert, post.house.clock.now()))
        midst += await shake(post, ordeal.kills - ordeal.kills // 2, chance, longest=ordeal.longest)
        await emptying

        async def over() -> bool:
            return settled(await post.progress(second.id))

        await wait_until(over, within=600, what="the update to be settled")
        await asyncio.sleep(1.0)  # the last receipts are on their way
        alerts = [first.id, second.id]
        report = post.rehearsal.report()
        worst = ordeal.kills * sum(rate * FLUSH + 2 * rate / 20 for rate, _ in rates.values())
        counted = await post.counted_duplicates(alerts)
        figures = (
            f"kills {ordeal.kills} ({midst} while sending), redis emptied {ordeal.floods}, "
            f"taken {report.accepted}, distinct {report.distinct}, "
            f"duplicates {report.duplicates} (bound {worst:.0f}, provable {report.provable_duplicates}), "
            f"counted {counted}"
        )
        print(figures)  # noqa: T201 - the figures of a long run are its result
        assert await post.breaches(alerts) == []
        assert await post.lost(alerts, report) == 0
        assert report.overtakings({second.id: first.id}) == []
        limits = {f"rehearsal-{medium.value}": rate for medium, (rate, _) in rates.items()}
        assert {account: peak for account, peak in report.peak_rates().items() if peak > limits[account]} == {}
        assert report.duplicates <= worst
        assert counted >= report.provable_duplicates
        assert midst >= ordeal.kills // 4, "kills that meet nobody at work prove nothing"


async def empty_redis(post: Outpost, times: int, chance: random.Random) -> None:
    if not times:
        return
    url = EmbeddedServers(post.house.settings.data.dir).endpoints.redis_url
    async with Redis.from_url(url) as redis:
        for _ in range(times):
            await asyncio.sleep(chance.uniform(0.5, 3))
            await redis.flushall()


async def test_a_few_kills_lose_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    await check_nothing_is_lost(
        tmp_path_factory.mktemp("few"), Ordeal(households=800, rate=150, kills=4, longest=0.8), seed=11
    )


async def test_a_few_kills_and_an_empty_redis_lose_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    ordeal = Ordeal(households=600, rate=150, kills=2, floods=3, longest=0.8)
    await check_nothing_is_lost(tmp_path_factory.mktemp("empty"), ordeal, seed=12)


@pytest.mark.soak
async def test_fifty_kills_in_twenty_thousand_deliveries_lose_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    await check_nothing_is_lost(tmp_path_factory.mktemp("fifty"), Ordeal(households=8000, rate=160, kills=50), seed=50)


@pytest.mark.soak
async def test_fifty_kills_and_five_empty_redis_lose_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    ordeal = Ordeal(households=8000, rate=160, kills=50, floods=5)
    await check_nothing_is_lost(tmp_path_factory.mktemp("flood"), ordeal, seed=51)
