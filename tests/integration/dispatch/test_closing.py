"""A run that is over sends nothing more, its sums hold, and whoever may have heard it hears what becomes of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broadcaster.alerts.policy import ChannelStep, Policy
from broadcaster.dispatch import closing, ledger, targets
from broadcaster.dispatch.delivery import DeliveryState, RunState
from broadcaster.dispatch.ledger import Event, Release
from broadcaster.ports import Medium
from tests.harness.district import District

SMS_ONLY = Policy(households=(ChannelStep((Medium.SMS,), 60),), loudspeakers=False, units=())
QUEUED, UNKNOWN, EXPIRED, CANCELLED = (
    DeliveryState.QUEUED,
    DeliveryState.UNKNOWN,
    DeliveryState.EXPIRED,
    DeliveryState.CANCELLED,
)
SUBMITTED, FAILED, DELIVERED = DeliveryState.SUBMITTED, DeliveryState.FAILED, DeliveryState.DELIVERED


async def _close(district: District, how: str) -> None:
    if how == "expire":
        await closing.close_due(district.database, district.clock.now())
        return
    async with district.database.transaction() as connection:
        if how == "supersede":
            await closing.supersede(connection, 1, 2, district.clock.now())
        else:
            await closing.end(connection, 1, district.clock.now())


async def _targets(district: District, alert_id: int) -> list[int]:
    async with district.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT household_id FROM target WHERE alert_id = $1 ORDER BY household_id", alert_id
        )
    return [row["household_id"] for row in rows]


async def _run(district: District) -> tuple[int, int]:
    async with district.database.connection() as connection:
        row = await connection.fetchrow("SELECT state, (SELECT max(state) FROM chunk) AS chunk FROM run")
    return row["state"], row["chunk"]


@pytest.mark.parametrize(
    ("how", "end", "run"),
    [
        ("supersede", CANCELLED, RunState.SUPERSEDED),
        ("end", CANCELLED, RunState.ENDED),
        ("expire", EXPIRED, RunState.EXPIRED),
    ],
)
async def test_a_closed_run_sends_nothing_more_and_its_sums_hold(
    district: District, how: str, end: DeliveryState, run: RunState
) -> None:
    await district.village(1, 1200)
    await district.issue(1, policy=SMS_ONLY, lasts=timedelta(seconds=600))
    await district.advance()
    first, second = await district.claim("sms", limit=2)
    await district.settle([first], DELIVERED)
    if how == "expire":
        district.clock.advance(600)

    await _close(district, how)
    assert await district.claim("sms") == []
    assert await district.advance() == 0
    assert await _run(district) == (run, 2)
    sent, waiting = first.last - first.first + 1, second.last - second.first + 1
    assert await district.states(1) == {DELIVERED: sent, QUEUED: waiting, end: 1200 - sent - waiting}
    assert await district.breaches(1) == []

    await ledger.write(district.database, "w", [], releases=[Release(second, district.clock.now())])
    await ledger.fold(district.database, district.clock.now())
    assert await district.claim("sms") == [], "what a courier gives back is not taken again"
    await closing.close_due(district.database, district.clock.now())
    assert await district.states(1) == {DELIVERED: sent, end: 1200 - sent}
    assert await district.breaches(1) == []


async def test_closing_twice_changes_nothing(district: District) -> None:
    await district.village(1, 30)
    await district.issue(1, policy=SMS_ONLY)
    await district.advance()
    await _close(district, "end")
    before = await district.states(1)

    await _close(district, "end")
    await _close(district, "supersede")
    district.clock.advance(100_000)
    await _close(district, "expire")
    assert await district.states(1) == before == {CANCELLED: 30}
    assert await _run(district) == (RunState.ENDED, 2)
    assert await district.breaches(1) == []


async def test_nothing_is_claimed_from_a_second_before_expiry_for_it_would_arrive_too_late(district: District) -> None:
    await district.village(1, 10)
    await district.issue(1, policy=SMS_ONLY, lasts=timedelta(seconds=60))
    await district.advance()
    district.clock.advance(58)
    assert await district.claim("sms", limit=1) != []
    district.clock.advance(1)

    assert await district.claim("sms") == []


async def test_evidence_after_the_end_still_counts(district: District) -> None:
    await district.village(1, 10)
    await district.issue(1, policy=SMS_ONLY)
    await district.advance()
    await district.settle(await district.claim("sms"), SUBMITTED)
    await _close(district, "end")
    async with district.database.connection() as connection:
        assert await connection.fetchval("SELECT unreached FROM chunk WHERE region <> ''") == 10

    await ledger.write(
        district.database, "w", [Event(1, n, 1, int(DELIVERED), 1, None, None, district.clock.now()) for n in range(10)]
    )
    await ledger.fold(district.database, district.clock.now())
    assert await district.states(1) == {DELIVERED: 10}
    async with district.database.connection() as connection:
        assert await connection.fetchval("SELECT reached FROM chunk WHERE region <> ''") == 10
    assert await district.breaches(1) == []


@pytest.mark.parametrize(
    ("proved", "told"), [(DELIVERED, True), (SUBMITTED, True), (UNKNOWN, True), (FAILED, False), (None, False)]
)
async def test_a_cancel_without_area_goes_to_whoever_was_or_may_have_been_reached(
    district: District, proved: DeliveryState | None, told: bool
) -> None:
    await district.village(1, 8, risk=10)
    await district.issue(1, policy=SMS_ONLY)
    await district.advance()
    batches = await district.claim("sms")
    events = (
        [] if proved is None else [Event(1, n, 1, int(proved), 1, None, None, district.clock.now()) for n in range(3)]
    )
    await ledger.write(
        district.database, "w", events, releases=[Release(batch, district.clock.now()) for batch in batches]
    )
    await _close(district, "supersede")
    heard = (await _targets(district, 1))[:3] if told else []

    await district.issue(2, lineage=1, policy=SMS_ONLY, regions=())
    await district.advance()
    assert await _targets(district, 2) == heard
    assert await district.breaches(2) == []


async def test_a_cancel_goes_to_whoever_answered_or_was_met_at_the_door(district: District) -> None:
    await district.village(1, 4)
    await district.issue(1, policy=SMS_ONLY)
    await district.advance()
    homes = await _targets(district, 1)
    async with district.database.transaction() as connection:
        await targets.reach(connection, 1, homes[0], "response", district.clock.now())
        await targets.reach(connection, 1, homes[1], "door", district.clock.now())
    await _close(district, "supersede")

    await district.issue(2, lineage=1, policy=SMS_ONLY, regions=())
    await district.advance()
    assert await _targets(district, 2) == homes[:2]


@pytest.mark.parametrize("worker", ["answers", "dies"])
async def test_a_cancel_goes_to_whoever_is_being_told_while_it_is_planned(district: District, worker: str) -> None:
    await district.village(1, 8, risk=10)
    await district.issue(1, policy=SMS_ONLY)
    await district.advance()
    on_the_wire = await district.claim("sms")
    await _close(district, "supersede")
    await district.issue(2, lineage=1, policy=SMS_ONLY, regions=())
    if worker == "dies":
        async with district.database.connection() as connection:
            await connection.execute("UPDATE batch SET lease_until = clock_timestamp() - interval '1 second'")
        await ledger.reclaim_lapsed(district.database, district.clock.now())
        await closing.close_due(district.database, district.clock.now())
        await district.advance()
    else:
        await district.advance()
        await district.settle(on_the_wire, SUBMITTED)

    assert await _targets(district, 2) == await _targets(district, 1)
    assert await district.breaches(1) == []
    assert await district.breaches(2) == []
