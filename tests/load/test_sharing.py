"""Two alerts of one colour share a channel: neither's backlog keeps the other waiting."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from audiences.generator.places import DISTRICT_CODE
from broadcaster.ports import Medium
from broadcaster.rehearsal.oracle import Taken
from tests.harness.ground import Sent, ground

POLICIES = """
[policies.blue]
loudspeakers = false
households = [{ channels = ["sms"], wait = 3600 }]
units = [{ after = 0, action = "duty_desk" }]
"""


def shares(taken: Sequence[Taken], first: Sent, second: Sent, window: int) -> list[float]:
    """Of every `window` messages from the second alert's first on: which share was the first alert's."""
    begins = next(place for place, one in enumerate(taken) if one.alert == second.id)
    whose = [one.alert for one in taken[begins:]]
    return [whose[start : start + window].count(first.id) / window for start in range(0, len(whose) - window, window)]


async def run(folder: Path, households: int, rate: int, head_start: int, until: int) -> list[float]:
    """The shares per second of the rate while both alerts have a backlog: the second has got `until` messages out."""
    async with ground(folder, households=households, rates={Medium.SMS: (rate, 2)}, policies=POLICIES) as made:
        async with made.house.database.connection() as connection:
            await connection.execute("UPDATE household SET risk = 100")  # the vulnerable come first, whosesoever
        await made.hire()
        await made.connected()
        first = await made.send("blue", [DISTRICT_CODE])
        await made.taken(first.id, head_start)
        second = await made.send("blue", [DISTRICT_CODE])
        await made.taken(second.id, until, within=600)
        assert (await made.progress(first.id)).deliveries["queued"] > 0, "both have a backlog all the while"
        taken = (await made.report()).taken
    return shares(taken, first, second, rate)


CLAIMED = 3
"""Seconds of the rate that may have been claimed for the first alert when the second came."""


async def test_two_alerts_of_one_colour_take_turns(tmp_path_factory: pytest.TempPathFactory) -> None:
    found = await run(tmp_path_factory.mktemp("share"), 4000, 200, 1200, 800)
    steady = found[CLAIMED:]
    assert len(steady) >= 3
    assert all(0.25 <= share <= 0.75 for share in steady), found


@pytest.mark.soak
async def test_a_large_backlog_keeps_nobody_waiting(tmp_path_factory: pytest.TempPathFactory) -> None:
    found = await run(tmp_path_factory.mktemp("backlog"), 50_000, 1000, 15_000, 15_000)
    sys.stdout.write("\nshare of the first alert, second by second: " + " ".join(f"{one:.0%}" for one in found) + "\n")
    assert all(0.25 <= share <= 0.75 for share in found[CLAIMED:]), found
