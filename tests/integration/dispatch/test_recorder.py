"""The recorder gathers, but what somebody waits for it writes soon."""

from __future__ import annotations

import asyncio

from broadcaster.dispatch.ledger import StrayReceipt
from broadcaster.dispatch.recorder import Recorder
from tests.harness.district import District


async def test_what_a_gateway_waits_for_does_not_wait_for_the_usual_moment(district: District) -> None:
    now = district.clock.now()
    recorder = Recorder(district.database, district.clock, "w", seconds=3600)
    recording = asyncio.create_task(recorder.run())
    for number in range(3):
        async with asyncio.timeout(60):
            await recorder.store([], [StrayReceipt(1, f"ref-{number}", 6, None, now, now)])
        async with district.database.connection() as connection:
            assert await connection.fetchval("SELECT count(*) FROM stray_receipt") == number + 1
    recorder.stop()
    await recording
