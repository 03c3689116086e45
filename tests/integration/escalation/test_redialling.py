"""People on duty are called again until they answer: so many times, so far apart, and never while their phone rings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from broadcaster.alerts.policy import EscalationAction, EscalationStep
from broadcaster.clock import ManualClock
from broadcaster.dispatch import ledger
from broadcaster.dispatch.ledger import Event
from broadcaster.settings.policies import DEFAULT_POLICIES
from tests.integration.escalation.conftest import SMS, VOICE, County, policy

CALLING = policy(
    EscalationStep(0, EscalationAction.NOTIFY_PRIMARY, (SMS,)),
    EscalationStep(60, EscalationAction.NOTIFY_PRIMARY, (VOICE,), times=3, every=90),
    EscalationStep(60, EscalationAction.NOTIFY_DEPUTY, (VOICE,)),
    EscalationStep(120, EscalationAction.DUTY_DESK),
)
SUBMITTED, FAILED, DELIVERED = 4, 5, 6


async def becomes(county: County, state: int) -> None:
    """What came of the last call."""
    found = await county.fetch(
        "SELECT d.alert_id, d.ordinal FROM delivery d JOIN batch b ON b.alert_id = d.alert_id AND b.first = d.batch"
        " WHERE b.channel = 'voice' ORDER BY d.ordinal DESC LIMIT 1"
    )
    now = county.clock.now()
    await ledger.write(
        county.database, "w", [Event(found[0]["alert_id"], found[0]["ordinal"], 1, state, 1, None, None, now)]
    )
    await ledger.fold(county.database, now)


async def calls(county: County, phone: str) -> int:
    unit = await county.unit()
    return sum((channel, address) == ("voice", phone) for channel, address, _ in await county.messages(unit["id"]))


async def test_who_does_not_answer_is_called_three_times_and_then_the_deputy_is(
    county: County, clock: ManualClock
) -> None:
    head, deputy = await county.village()
    await county.issue(1, steps=CALLING)
    await county.tick()
    start, seen = clock.now(), list[float]()
    while clock.now() < start + timedelta(minutes=10):
        before = await calls(county, head.phone)
        await county.later(10)
        if await calls(county, head.phone) > before:
            seen.append((clock.now() - start).total_seconds())
            await becomes(county, FAILED)
    assert seen == [60, 150, 240]
    assert await calls(county, deputy.phone) == 1
    unit = await county.unit()
    log = await county.fetch("SELECT action, at FROM escalation_log WHERE unit_id = $1 ORDER BY id", unit["id"])
    assert [(row["action"], (row["at"] - start).total_seconds()) for row in log] == [
        ("notify_primary", 0),
        ("notify_primary", 60),
        ("notify_primary", 150),
        ("notify_primary", 240),
        ("notify_deputy", 300),
        ("duty_desk", 420),
        ("exhausted", 420),
    ]


@pytest.mark.parametrize("state", [SUBMITTED, DELIVERED], ids=["still rings", "was heard out"])
async def test_a_phone_that_rings_or_on_which_it_was_heard_is_not_called_again(county: County, state: int) -> None:
    head, _ = await county.village()
    await county.issue(1, steps=CALLING)
    await county.tick()
    await county.later(60)
    await becomes(county, state)
    await county.later(90)
    assert await calls(county, head.phone) == 1
    await becomes(county, FAILED if state == SUBMITTED else DELIVERED)
    await county.later(90)
    assert await calls(county, head.phone) == (2 if state == SUBMITTED else 1)


async def test_a_call_that_waits_for_a_line_is_not_doubled(county: County) -> None:
    head, _ = await county.village()
    await county.issue(1, steps=CALLING)
    await county.tick()
    for wait in (60, 90, 90):
        await county.later(wait)
    assert await calls(county, head.phone) == 1


async def test_a_call_whose_end_nobody_tells_does_not_ring_for_ever(county: County) -> None:
    head, _ = await county.village()
    steps = replace(CALLING.units[1], every=300)
    await county.issue(1, steps=policy(CALLING.units[0], steps))
    await county.tick()
    await county.later(60)
    await becomes(county, SUBMITTED)
    await county.later(300)
    assert await calls(county, head.phone) == 2


async def test_who_confirms_is_not_called_again(county: County) -> None:
    head, _ = await county.village()
    await county.issue(1, steps=CALLING)
    await county.tick()
    await county.later(60)
    await becomes(county, FAILED)
    await county.reply(head)
    await county.later(90)
    await county.later(600)
    assert await calls(county, head.phone) == 1


@pytest.mark.parametrize("colour", ["red", "orange"])
def test_red_and_orange_call_three_times_within_five_minutes(colour: str) -> None:
    rungs = DEFAULT_POLICIES[colour].rungs
    waits = [rung.wait for rung in rungs if rung.step.channels == (VOICE,)]
    assert len(waits) == 3
    assert sum(waits[1:]) <= 300
    assert sum(rung.wait for rung in rungs[:5]) <= 600, "the deputy does not wait for longer than before"
