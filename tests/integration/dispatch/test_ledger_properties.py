"""Whatever the order in which news arrives, and however it is cut into segments, the ledger ends the same."""

from __future__ import annotations

import itertools
import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadcaster.alerts.policy import ChannelStep, Policy
from broadcaster.conservation import breaches
from broadcaster.dispatch import ledger
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.ledger import Event
from broadcaster.ports import Medium
from tests.harness.district import District

HOUSEHOLDS = 6
ALERTS = itertools.count(100)

news = st.lists(
    st.tuples(
        st.integers(0, HOUSEHOLDS - 1),
        st.integers(1, 3),
        st.sampled_from(
            [DeliveryState.UNKNOWN, DeliveryState.SUBMITTED, DeliveryState.FAILED, DeliveryState.DELIVERED]
        ),
    ),
    max_size=40,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=news, cuts=st.lists(st.integers(0, 40), max_size=6), order=st.randoms(use_true_random=False))
async def test_receipts_are_monotone_and_nothing_appears_or_vanishes(
    district: District, events: list[tuple[int, int, DeliveryState]], cuts: list[int], order: random.Random
) -> None:
    alert = next(ALERTS)
    if not district.plans:
        await district.village(1, HOUSEHOLDS, risk=10)
    await district.issue(alert, policy=Policy((ChannelStep((Medium.SMS,), 60),), loudspeakers=False, units=()))
    await district.advance()

    shuffled = list(events)
    order.shuffle(shuffled)
    edges = [0, *sorted(min(cut, len(shuffled)) for cut in cuts), len(shuffled)]
    for start, end in itertools.pairwise(edges):
        rows = [
            Event(alert, n, attempt, int(state), 1, None, None, district.clock.now())
            for n, attempt, state in shuffled[start:end]
        ]
        await ledger.write(district.database, "w", rows)
        await ledger.fold(district.database, district.clock.now())

    async with district.database.connection() as connection:
        stored = await connection.fetch("SELECT ordinal, state FROM delivery WHERE alert_id = $1", alert)
        duplicates = await connection.fetchval("SELECT sum(duplicates)::int FROM tally WHERE alert_id = $1", alert)
        reached = await connection.fetchval("SELECT count(*) FROM target WHERE alert_id = $1 AND state = 1", alert)
        assert await breaches(connection, alert) == []
    expected = {
        n: max((state for m, _, state in events if m == n), default=DeliveryState.QUEUED) for n in range(HOUSEHOLDS)
    }
    assert {row["ordinal"]: row["state"] for row in stored} == expected
    assert reached == sum(state is DeliveryState.DELIVERED for state in expected.values())
    taken = {(n, attempt) for n, attempt, state in events if state >= DeliveryState.SUBMITTED}
    assert duplicates == sum(sum(m == n for m, _ in taken) > 1 for n in range(HOUSEHOLDS))
