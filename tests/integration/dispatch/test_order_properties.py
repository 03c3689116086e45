"""Whatever happens in whatever order, nothing of an earlier alert is sent after something of a later one was."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadcaster.dispatch.closing import close_due, supersede
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.ledger import Batch
from tests.harness.district import District

LINEAGES = itertools.count(1000, 10)
STEPS = ("plan", "claim wechat", "claim sms", "settle", "fail", "replace", "tidy", "wait")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(STEPS), min_size=6, max_size=40))
async def test_nothing_is_overtaken(district: District, steps: Sequence[str]) -> None:
    first = next(LINEAGES)
    if not district.plans:
        await district.village(1, 30)
        await district.village(2, 10)
    for plan in district.plans.values():  # what the examples before left open is none of this one's business
        async with district.database.transaction() as connection:
            await supersede(connection, plan.lineage, 2**31 - 1, district.clock.now())
    await district.issue(first)
    latest = first
    in_hand: list[Batch] = []
    newest_sent = first
    for step in steps:
        match step.split():
            case ["plan"]:
                await district.advance()
            case ["claim", channel]:
                claimed = [batch for batch in await district.claim(channel, limit=1) if batch.alert_id >= first]
                for batch in claimed:
                    assert batch.alert_id >= newest_sent
                    assert all(other.alert_id == batch.alert_id for other in in_hand)
                    newest_sent = batch.alert_id
                in_hand += claimed
            case ["settle" | "fail" as end]:
                state = DeliveryState.DELIVERED if end == "settle" else DeliveryState.FAILED
                await district.settle(in_hand[:1], state)
                del in_hand[:1]
            case ["replace"]:
                latest += 1
                async with district.database.transaction() as connection:
                    await supersede(connection, first, latest, district.clock.now())
                await district.issue(latest, lineage=first)
            case ["tidy"]:
                await close_due(district.database, district.clock.now())
            case ["wait"]:
                district.clock.advance(61)
    await district.settle(in_hand, DeliveryState.SUBMITTED)
    for alert in range(first, latest + 1):
        assert await district.breaches(alert) == []
