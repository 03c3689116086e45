"""How fast the ledger alone is, without gateways. The bounds are far below a quiet machine's pace; -s shows figures."""

from __future__ import annotations

import sys
import time

import pytest

from broadcaster.alerts.policy import ChannelStep, Policy
from broadcaster.conservation import breaches
from broadcaster.dispatch import ledger
from broadcaster.dispatch.ledger import Event, Release
from broadcaster.ports import Medium
from tests.harness.district import District

ALERT = 7
SUBMITTED, DELIVERED = 4, 6
VILLAGES, HOUSEHOLDS, PHONES = 100, 1000, 2


@pytest.mark.soak
async def test_two_hundred_thousand_deliveries_are_planned_sent_and_receipted_at_pace(district: District) -> None:
    for number in range(1, VILLAGES + 1):
        await district.village(number, HOUSEHOLDS, phones=PHONES)
    async with district.database.connection() as connection:
        await connection.execute("ANALYZE")
    await district.issue(ALERT, policy=Policy((ChannelStep((Medium.SMS,), 60),), loudspeakers=False, units=()))

    began = time.perf_counter()
    planned = await district.advance()
    planning = time.perf_counter() - began

    began = time.perf_counter()
    settled = await settle_all(district)
    settling = time.perf_counter() - began

    async with district.database.connection() as connection:
        assert await breaches(connection, ALERT) == []
    assert settled == VILLAGES * HOUSEHOLDS * PHONES
    sys.stdout.write(f"\n{planned} planned, {settled / planning:.0f} rows/s; settled {settled / settling:.0f}/s\n")
    assert settled / planning > 5_000
    assert settled / settling > 5_000


async def settle_all(district: District) -> int:
    """Claim, record acceptance and receipt, and fold until nothing is left; returns how many deliveries."""
    settled = 0
    while True:
        now = district.clock.now()
        async with district.database.connection() as connection:
            batches = await ledger.claim(
                connection, channel="sms", rehearsal=True, now=now, limit=8, rows=8000, worker="w", lease=60
            )
            rows = [row for found in await ledger.claimed_rows(connection, batches) for row in found]
        if not batches:
            return settled
        accepted = [Event(ALERT, row.ordinal, 1, SUBMITTED, 1, f"{row.ordinal:012d}", None, now) for row in rows]
        await ledger.write(district.database, "w", accepted, releases=[Release(batch, now) for batch in batches])
        await ledger.write(district.database, "w", [event._replace(state=DELIVERED, ref=None) for event in accepted])
        await ledger.fold(district.database, now)
        settled += len(rows)
