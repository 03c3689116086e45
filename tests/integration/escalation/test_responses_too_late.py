"""Answers that come when the alert is over, and answers that meet a step of the escalation."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from broadcaster.alerts.policy import EscalationAction, EscalationStep
from broadcaster.clock import ManualClock
from broadcaster.dispatch import closing
from broadcaster.dispatch.ledger import lock_states
from broadcaster.errors import ForbiddenError, RuleError
from broadcaster.escalation import links
from broadcaster.escalation.settlement import settle_stored
from broadcaster.escalation.tick import tick
from broadcaster.ports import Reply
from broadcaster.responses import inbox
from tests.integration.escalation.conftest import SMS, VILLAGE, County, policy

DOORS = policy(EscalationStep(0, EscalationAction.DOOR_TASKS))


async def _link(county: County, *, unit: bool) -> int:
    ordinal: int = await county.value(
        "SELECT min(ordinal) FROM delivery WHERE alert_id = 1 AND (unit_id IS NOT NULL) = $1", unit
    )
    return ordinal


async def _end(county: County, how: str) -> None:
    now = county.clock.now()
    if how in {"superseded", "ended"}:
        async with county.database.transaction() as connection:
            if how == "superseded":
                await closing.supersede(connection, 1, 2, now)
            else:
                await closing.end(connection, 1, now)
        return
    county.clock.advance(60)
    if how == "expired":
        await closing.close_due(county.database, county.clock.now())


@pytest.mark.parametrize(
    ("how", "said"), [("superseded", "已有更新"), ("ended", "已经结束"), ("expired", "已经结束"), ("late", "已经结束")]
)
@pytest.mark.parametrize("unit", [True, False])
async def test_a_confirmation_by_link_after_the_end_is_refused_in_words_and_nothing_is_recorded(
    county: County, clock: ManualClock, how: str, said: str, unit: bool
) -> None:
    await county.village()
    await county.household()
    await county.issue(1, households=True, lasts=timedelta(seconds=60))
    await county.tick()
    ordinal = await _link(county, unit=unit)
    await _end(county, how)

    with pytest.raises(RuleError, match=said):
        await links.answer(county.database, 1, ordinal, "acknowledge", clock.now(), key="k")
    assert await county.value("SELECT count(*) FROM response") == 0
    assert (await county.unit())["state"] == "waiting"
    assert await county.value("SELECT count(*) FROM target WHERE state = 1") == 0


@pytest.mark.parametrize("how", ["superseded", "ended", "expired", "late"])
async def test_a_call_for_help_by_link_is_heard_after_the_end(county: County, clock: ManualClock, how: str) -> None:
    await county.village()
    await county.household()
    await county.issue(1, households=True, lasts=timedelta(seconds=60))
    ordinal = await _link(county, unit=False)
    await _end(county, how)

    await links.answer(county.database, 1, ordinal, "help", clock.now(), key="k")
    assert await county.value("SELECT count(*) FROM help_request WHERE state = 'open'") == 1


async def test_a_confirmation_by_link_that_may_not_count_is_refused_and_not_recorded(
    county: County, clock: ManualClock
) -> None:
    await county.region(VILLAGE)
    await county.duty(await county.person(), VILLAGE, until=timedelta(minutes=1))
    await county.issue(1)
    await county.tick()
    ordinal = await _link(county, unit=True)
    clock.advance(60)

    with pytest.raises(ForbiddenError):
        await links.answer(county.database, 1, ordinal, "acknowledge", clock.now(), key="k")
    assert await county.value("SELECT count(*) FROM response") == 0


async def test_a_second_answer_by_link_is_no_error(county: County, clock: ManualClock) -> None:
    await county.village()
    await county.issue(1)
    await county.tick()
    ordinal = await _link(county, unit=True)

    for key in ("k", "k", "another" * 100, "another" * 100):
        await links.answer(county.database, 1, ordinal, "acknowledge", clock.now(), key=key)
    assert await county.value("SELECT count(*) FROM response") == 2
    assert (await county.unit())["state"] == "acknowledged"


async def test_a_confirmation_by_link_whose_note_calls_for_help_is_both(county: County, clock: ManualClock) -> None:
    await county.village()
    await county.issue(1)
    await county.tick()
    ordinal = await _link(county, unit=True)

    await links.answer(county.database, 1, ordinal, "acknowledge", clock.now(), note="三人被困，请救援", key="k")
    assert (await county.unit())["state"] == "acknowledged"
    assert await county.value("SELECT count(*) FROM help_request") == 1


async def test_a_household_that_answers_while_door_tasks_are_opened_is_on_no_list(
    county: County, clock: ManualClock
) -> None:
    await county.village()
    _, phone = await county.household()
    await county.household()
    await county.issue(1, households=True, steps=DOORS)
    await county.keep(phone)

    async with county.database.connection() as connection:
        await connection.execute("BEGIN")
        await lock_states(connection)  # an answer is being settled, and not committed
        await connection.execute(
            "UPDATE target SET state = 1 WHERE household_id = (SELECT min(household_id) FROM target)"
        )
        ticking = asyncio.create_task(tick(county.database, county.load_plan, clock.now()))
        await _wait_or_end(county, ticking)
        await connection.execute("UPDATE chunk SET reached = reached + 1 WHERE alert_id = 1 AND region = $1", VILLAGE)
        await connection.execute("COMMIT")
    await ticking
    await settle_stored(county.database, clock.now())
    assert await county.value("SELECT count(*) FROM door_task WHERE state = 'open'") == 1


async def test_replies_without_an_id_or_with_endless_ones_are_not_taken_for_each_other(
    county: County, clock: ManualClock
) -> None:
    for start, end in (("", ""), ("x" * 500, "a"), ("x" * 500, "b"), ("\ud83d", ""), ("\0", "")):
        for text in ("吃饭了", "求助"):
            reply = Reply(start + end, "13911112222", text, clock.now())
            await inbox.keep(county.database, "g", SMS, [reply] * 2, clock.now(), rehearsal=True)

    assert await county.value("SELECT count(*) FROM response") == 6, "an id names one reply; without one, its words do"
    assert await county.value("SELECT count(*) FROM response WHERE text = '求助'") == 1


async def _wait_or_end(county: County, task: asyncio.Task[int]) -> None:
    """Until the task has ended, or waits for a lock."""
    while not task.done():
        if await county.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            return
        await asyncio.sleep(0.01)
