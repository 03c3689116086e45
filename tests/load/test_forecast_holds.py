"""A forecast holds: what a small alert takes through slow gateways, by the carrier's own record."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from audiences.generator.places import DISTRICT_CODE
from broadcaster.capacity.forecast import Verdict
from broadcaster.ports import Medium
from tests.harness.ground import ground

ANSWER = 0.05
"""Seconds that the carrier takes to answer: what a forecast reckons with."""

HOUSEHOLDS, RATE = 600, 50

POLICIES = """
[policies.red]
loudspeakers = false
households = [{ channels = ["sms"], wait = 10 }]
units = [{ after = 0, action = "notify_primary", channels = ["sms"] }]
"""


async def test_an_alert_takes_as_long_as_was_foretold(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("forecast")
    rates = {Medium.SMS: (float(RATE), 2)}
    async with ground(folder, households=HOUSEHOLDS, rates=rates, policies=POLICIES, answer=ANSWER) as made:
        async with made.house.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT c.address FROM contact c JOIN household h ON h.id = c.household_id WHERE h.risk < 50"
            )
        draft = await made.draft("red", [DISTRICT_CODE])
        outlook = await made.house.planner.outlook(draft.id, str)
        await made.hire()
        await made.connected()
        await made.issue(draft)
        heads = outlook.forecast.audience.units
        await made.taken(draft.id, HOUSEHOLDS + heads)
        taken = (await made.report()).taken

    [channel] = outlook.forecast.steps[0].channels
    vulnerable = {row["address"] for row in rows}
    assert channel.messages == HOUSEHOLDS
    assert channel.vulnerable == len(vulnerable) == HOUSEHOLDS // 10
    assert channel.verdict is Verdict.AFTER_WAIT
    assert [one.code for one in outlook.findings if one.step == 1] == ["after_wait"]
    assert channel.finishes is not None
    assert channel.vulnerable_by is not None

    foretold = channel.finishes - outlook.forecast.machine.first_submit
    lasted = taken[-1].at - taken[0].at
    sys.stdout.write(f"\nforetold {foretold:.1f} s, lasted {lasted:.1f} s by the carrier's record\n")
    assert len(taken) == HOUSEHOLDS + heads
    # never much sooner: the carrier takes no more than its rate, though the first second's may all come at once
    assert lasted >= 0.9 * (foretold - 1)
    assert lasted <= 1.5 * foretold + 2

    # in messages, not seconds: others go before them only while the last village is still being planned
    last = max(place for place, one in enumerate(taken) if one.address in vulnerable) + 1
    assert last <= (channel.vulnerable_by + 2) * RATE
