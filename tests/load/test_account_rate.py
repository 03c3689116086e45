"""An account's rate as its carrier counts it, whoever comes and goes among the workers."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path

import pytest

from audiences.generator.places import DISTRICT_CODE
from broadcaster.ports import Medium
from broadcaster.rehearsal.oracle import Report
from tests.harness.ground import ground, quantile

POLICIES = """
[policies.blue]
loudspeakers = false
households = [{ channels = ["sms"], wait = 3600 }]
units = [{ after = 0, action = "duty_desk" }]
"""


def seconds(report: Report, since: float, until: float) -> list[int]:
    """Messages taken in each whole second between two moments."""
    counts = Counter(int(one.at - since) for one in report.taken if since <= one.at < until)
    return [counts[second] for second in range(int(until - since))]


async def test_workers_that_come_and_are_killed_never_send_above_the_rate(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder: Path = tmp_path_factory.mktemp("rate")
    async with ground(folder, households=1200, rates={Medium.SMS: (100, 4)}, policies=POLICIES, lease=5) as made:
        await made.hire()
        await made.connected()
        blue = await made.send("blue", [DISTRICT_CODE])
        await made.taken(blue.id, 100)
        await made.hire(2)
        await made.taken(blue.id, 300)
        await made.kill()
        await made.taken(blue.id, 1200)
        report = await made.report()
    assert report.peak_rates()["sms"] <= 100
    assert report.distinct == 1200


@pytest.mark.soak
@pytest.mark.parametrize("workers", [1, 2, 5])
async def test_steady_workers_come_near_to_the_rate(tmp_path_factory: pytest.TempPathFactory, workers: int) -> None:
    folder: Path = tmp_path_factory.mktemp("steady")
    rate, lasts = 500, 30
    async with ground(folder, households=60_000, rates={Medium.SMS: (rate, 10)}, policies=POLICIES) as made:
        await made.hire(workers)
        await asyncio.sleep(15)  # until the connections are shared out evenly
        blue = await made.send("blue", [DISTRICT_CODE])
        await made.taken(blue.id, (lasts + 5) * rate, within=300)
        report = await made.report()
    begins = report.taken[0].at + 2
    counts = seconds(report, begins, begins + lasts)
    mean, peak = sum(counts) / lasts, report.peak_rates()["sms"]
    sys.stdout.write(
        f"\n| {workers} steady | {rate} | {peak} | {mean:.0f} ({mean / rate:.0%}) "
        f"| {quantile([float(one) for one in counts], 0.05):.0f} |\n"
    )
    assert peak <= rate
    assert mean >= 0.9 * rate


@pytest.mark.soak
async def test_workers_that_come_and_go_keep_the_rate(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("moving")
    rate = 500
    async with ground(folder, households=60_000, rates={Medium.SMS: (rate, 10)}, policies=POLICIES, lease=5) as made:
        await made.hire()
        await made.connected()
        blue = await made.send("blue", [DISTRICT_CODE])
        await made.taken(blue.id, 5 * rate)
        await made.hire(4)
        await asyncio.sleep(10)
        for _ in range(3):
            await made.kill()
            await asyncio.sleep(8)
        await made.hire(2)
        await asyncio.sleep(10)
        report = await made.report()
    begins, ends = report.taken[0].at, report.taken[-1].at
    counts = seconds(report, begins, ends)
    peak = report.peak_rates()["sms"]
    sys.stdout.write(
        f"\n| 1 → 5 → 2 (three killed) → 4 | {rate} | {peak} | {sum(counts) / len(counts):.0f} "
        f"({sum(counts) / len(counts) / rate:.0%}) | {min(counts)} |\n"
    )
    assert peak <= rate
