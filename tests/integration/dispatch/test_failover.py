"""Several gateways of one channel, with carriers in processes of their own whose books are the oracle.

A gateway that dies or falls silent hands its traffic to the next and gets it back; nothing is lost or overtaken.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from broadcaster.clock import ManualClock, SystemClock
from broadcaster.dispatch.closing import supersede
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.ports import Medium
from broadcaster.rehearsal.oracle import Taken
from broadcaster.rehearsal.script import Delay
from tests.harness.carriers import SMS_ONLY, Carriers, carriers, sms
from tests.harness.district import District
from tests.harness.waiting import wait_until

RATE = 150
TAKEOVER = 5.0
"""Seconds after a preferred gateway is seen to be down in which the next has to take a message: about one on a quiet
machine, and less than a lease (6 s) on a busy one."""

SEEN = 5.0
"""Seconds of silence that count as being down."""

GIVING = """
SELECT count(DISTINCT w.worker) FROM gateway_word w JOIN gateway g ON g.id = w.gateway_id
WHERE g.name = $1 AND w.taken > 0
"""

FIRST, SECOND = sms("first", rate=RATE), sms("second", rate=RATE, priority=10)


async def issue(district: District, alert_id: int, *, villages: int, homes: int = 30) -> None:
    """An alert for new villages; the workers plan it."""
    for number in range(1, villages + 1):
        await district.village(number, homes, wechat=0)
    district.clock = ManualClock(SystemClock().now())
    await district.issue(alert_id, policy=SMS_ONLY)


def show(*figures: object) -> None:
    sys.stdout.write(" ".join(map(str, figures)) + "\n")


def gap(taken: Sequence[Taken], moment: float) -> float:
    """The longest time, from `moment` on, in which nobody took anything."""
    times = [moment, *(one.at for one in taken if one.at > moment)]
    return max((later - earlier for earlier, later in itertools.pairwise(times)), default=0.0)


async def check_the_books(at: Carriers, alert_id: int, deliveries: int, *, doubled: int) -> None:
    """Everybody was sent the alert, hardly anybody twice, by the carriers' books as by the ledger."""
    report, states = at.report(), await at.district.states(alert_id)
    assert states.get(DeliveryState.SUBMITTED, 0) + states.get(DeliveryState.DELIVERED, 0) == deliveries
    assert len({one.ordinal for one in report.taken if one.alert == alert_id}) == deliveries
    assert report.duplicates <= doubled
    assert await at.district.breaches(alert_id) == []
    assert {name: peak for name, peak in report.peak_rates().items() if peak > RATE} == {}


async def test_the_next_gateway_takes_over_from_a_dead_one_and_gives_back(tmp_path: Path, district: District) -> None:
    async with carriers(tmp_path, district, SECOND, FIRST) as at, at.worker():
        await at.connected()
        await issue(district, 7, villages=80)
        await asyncio.sleep(2)
        assert at.taken("second") == [], "the standby is quiet"
        at.processes["first"].kill()
        killed = time.time()
        takeover = await at.first_after("second", killed, within=120)
        await asyncio.sleep(3)
        await at.processes["first"].restart()
        restarted = time.time()
        back = await at.first_after("first", restarted, within=120)
        await at.settled(7, within=120)
        over = max(one.at for one in at.taken("second")) - (restarted + back)
        counts = Counter(one.account for one in at.report().taken)
        show(
            f"takeover {takeover:.2f} s, tried again {back:.2f} s after it was back, then the standby for {over:.2f} s;"
        )
        show(f"longest gap {gap(at.report().taken, killed):.2f} s; {dict(counts)}")
        assert takeover < TAKEOVER
        assert over < 10.0
        await check_the_books(at, 7, 80 * 30, doubled=RATE // 2)


async def test_a_silent_gateway_is_stood_in_for_and_gets_its_traffic_back(tmp_path: Path, district: District) -> None:
    async with carriers(tmp_path, district, SECOND, FIRST) as at, at.worker():
        await at.connected()
        await issue(district, 7, villages=80)
        await asyncio.sleep(2)
        with at.silent("first") as since:
            takeover = await at.first_after("second", since, within=120)
            await asyncio.sleep(2)
            assert at.taken("second"), "it goes on while the first is silent"
        back = await at.first_after("first", time.time() + 0.2, within=120)
        await at.settled(7, within=120)
        last = max(one.at for one in at.taken("second"))
        show(f"takeover {takeover:.2f} s after its last word, back {back:.2f} s after it woke;")
        show(f"the standby stopped {last - since - takeover - 2:.2f} s after that")
        assert takeover < SEEN + TAKEOVER
        await check_the_books(at, 7, 80 * 30, doubled=0)


async def test_a_silent_gateway_keeps_no_more_than_it_was_given(tmp_path: Path, district: District) -> None:
    async with carriers(tmp_path, district, SECOND, FIRST) as at, at.worker():
        await at.connected()
        await issue(district, 7, villages=10, homes=100)
        await at.first_after("first", 0.0, within=120)
        await asyncio.sleep(0.5)
        with at.silent("first"):
            on_the_wire, begun = RATE, 100

            def nearly_all() -> bool:
                return at.report().distinct >= 10 * 100 - on_the_wire - begun

            await wait_until(nearly_all, within=120, what="all to be sent but what the silent one was given")
        await at.settled(7, within=120)


async def test_a_gateway_that_falls_silent_with_little_to_do_is_noticed_too(tmp_path: Path, district: District) -> None:
    async with carriers(tmp_path, district, SECOND, FIRST) as at, at.worker():
        await at.connected()
        with at.silent("first"):
            await issue(district, 7, villages=1, homes=3)
            await asyncio.sleep(SEEN + TAKEOVER)
            await district.village(2, 3, wechat=0)
            await district.issue(8, policy=SMS_ONLY, regions=("330212001002",))
            issued = time.time()
            assert await at.first_after("second", issued, within=120) < TAKEOVER
            await at.settled(8, within=120)
        await at.settled(7, within=120)


async def test_an_update_during_a_failover_overtakes_nothing(tmp_path: Path, district: District) -> None:
    async with carriers(tmp_path, district, SECOND, FIRST) as at, at.worker():
        await at.connected()
        await issue(district, 7, villages=40)
        await asyncio.sleep(1.5)
        at.processes["first"].kill()
        await at.first_after("second", time.time(), within=120)
        async with district.database.transaction() as connection:
            district.clock = ManualClock(SystemClock().now())
            await supersede(connection, 7, 8, SystemClock().now())
            await district.open(connection, 8, lineage=7, policy=SMS_ONLY)
        await at.processes["first"].restart()
        await at.settled(8, within=120)
        report = at.report()
        assert report.overtakings({8: 7}) == []
        assert len({one.address for one in report.taken if one.alert == 8}) == 40 * 30


async def test_two_workers_agree_on_who_goes_first(tmp_path: Path, district: District) -> None:
    first, second = sms("first", rate=RATE, slots=2), sms("second", rate=RATE, slots=2, priority=10)
    async with carriers(tmp_path, district, second, first) as at, at.worker():
        await at.connected()
        async with at.worker():
            await at.connected(workers=2)
            await issue(district, 7, villages=60)
            await asyncio.sleep(2)
            assert at.taken("second") == []
            at.processes["first"].kill()
            killed = time.time()
            takeover = await at.first_after("second", killed, within=120)
            show(f"takeover by two workers {takeover:.2f} s")
            assert takeover < TAKEOVER

            async def both() -> bool:
                async with district.database.connection() as connection:
                    return bool(await connection.fetchval(GIVING, "second") == 2)

            await wait_until(both, what="both workers' connections of the second gateway to be at work")
            await at.processes["first"].restart()
            await at.settled(7, within=120)
            await check_the_books(at, 7, 60 * 30, doubled=RATE // 2)


@pytest.mark.parametrize("weights", [(3, 1), (1, 3), (1, 1)])
async def test_equals_share_what_both_could_take_by_weight(
    tmp_path: Path, district: District, weights: tuple[int, int]
) -> None:
    pair = [sms(name, rate=400, weight=weight) for name, weight in zip(("first", "second"), weights, strict=True)]
    async with carriers(tmp_path, district, *pair) as at, at.worker():
        await at.connected()
        for number in range(1, 81):
            village = await district.village(number, 20, wechat=0)
            district.clock = ManualClock(SystemClock().now())
            await district.issue(100 + number, policy=SMS_ONLY, regions=(village,))
            at.bells.ring()
            await asyncio.sleep(0.15)
        await at.settled(180, within=120)
        counts = Counter(one.account for one in at.report().taken)
        show(f"weights {weights}: {dict(counts)}")
        assert counts.total() == 80 * 20
        share = weights[0] / sum(weights)
        assert abs(counts["first"] / counts.total() - share) < 0.1


async def test_an_equal_of_little_weight_does_what_it_can_when_there_is_too_much(
    tmp_path: Path, district: District
) -> None:
    pair = [sms("first", rate=RATE, weight=100), sms("second", rate=RATE)]
    async with carriers(tmp_path, district, *pair) as at, at.worker():
        await at.connected()
        began = time.time()
        await issue(district, 7, villages=50)
        await at.settled(7, within=120)
        counts = Counter(one.account for one in at.report().taken)
        show(f"weights 100:1, too much for either: {dict(counts)} in {at.report().taken[-1].at - began:.1f} s")
        assert counts["second"] > counts["first"] * 0.6


async def test_a_slow_gateway_leaves_what_it_has_not_begun_to_an_idle_equal(tmp_path: Path, district: District) -> None:
    pair = [sms("slow", rate=RATE), sms("quick", rate=RATE)]
    async with carriers(tmp_path, district, *pair) as at, at.worker():
        await at.connected()
        await at.processes["slow"].client.behave(Medium.SMS, answer=Delay(median=4.0))
        began = time.time()
        await issue(district, 7, villages=40)
        await at.settled(7, within=120)
        ends = {name: max(one.at for one in at.taken(name)) - began for name in ("slow", "quick")}
        counts = Counter(one.account for one in at.report().taken)
        show(f"a slow and a quick equal: {dict(counts)}, over after {ends}")
        assert ends["slow"] < ends["quick"] + 10
        assert counts.total() == 40 * 30
