"""One fault in a worker stays one fault: what else it looks after goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from broadcaster.clock import BEIJING, SystemClock
from broadcaster.database import Database
from broadcaster.dispatch import ledger
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.inbox import GatewayInbox
from broadcaster.dispatch.ledger import Event
from broadcaster.dispatch.recorder import Recorder
from broadcaster.dispatch.refs import RecentRefs
from broadcaster.dispatch.slots import Gateway
from broadcaster.ports import DeliveryKey, Evidence, GatewaySettings, Medium, Receipt, Reply
from broadcaster.share import Chore
from broadcaster.worker import Duties, Pulse, Worker
from tests.harness.district import District
from tests.harness.waiting import wait_until


class Silence:
    async def heard(self, seconds: float) -> bool:
        await asyncio.sleep(seconds)
        return False


async def keep_nothing(gateway: str, items: Sequence[Reply]) -> None: ...


@asynccontextmanager
async def worker_at_work(district: District, *chores: Chore) -> AsyncIterator[Worker]:
    """A worker without gateways."""
    duties = Duties(
        database=district.database,
        clock=SystemClock(),
        gateways=(),
        make_driver=None,  # type: ignore[arg-type]  # there is no gateway to drive
        composer=None,  # type: ignore[arg-type]  # nor anything to compose
        load_plan=district.load_plan,
        keep_replies=keep_nothing,
        bell=Silence(),
        make_trial=None,  # type: ignore[arg-type]  # nor to try
        chores=chores,
        pulse=Pulse(sweep=0.05, fold=0.05),
    )
    worker = Worker(duties)
    working = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def test_a_chore_that_fails_does_not_keep_the_others_from_their_turn(district: District) -> None:
    done: list[str] = []

    async def bad() -> int:
        done.append("bad")
        raise ValueError("a reply that nobody can digest")

    async def good() -> int:
        done.append("good")
        return 0

    async with worker_at_work(district, bad, good):
        await wait_until(lambda: done.count("good") > 1, what="the good chore's second turn")
        assert done.count("bad") > 1


async def test_the_batches_of_a_silent_worker_are_taken_up(district: District) -> None:
    await district.village(1, 5)
    await district.issue(7, lasts=timedelta(days=3650))
    await district.advance()
    await district.claim("wechat", lease=-1)

    async def taken_up() -> bool:
        return (await district.states(7)).get(DeliveryState.UNKNOWN) == 5

    async with worker_at_work(district):
        await wait_until(taken_up, what="5 unknown")


async def test_text_that_no_database_can_hold_does_not_stop_the_recorder(district: District) -> None:
    await district.village(1, 5)
    await district.issue(7)
    recorder = Recorder(district.database, district.clock, "w", seconds=0.02)
    gateway = Gateway(1, GatewaySettings("sms", Medium.SMS, "straw", rate=1, rehearsal=True))
    inbox = GatewayInbox(gateway, district.database, recorder, district.clock, RecentRefs(), keep_nothing)
    recording = asyncio.create_task(recorder.run())
    strange = "\ud800\0failed"
    receipts = [
        Receipt("", DeliveryKey(7, 1, 1), Evidence.FAILED, strange, district.clock.now()),
        Receipt(strange, None, Evidence.DELIVERED, "", district.clock.now()),
    ]
    try:
        await asyncio.wait_for(inbox.receipts(receipts), 60)
    finally:
        recorder.stop()
        await asyncio.wait([recording], timeout=60)
    assert await _events(district.database) == 1


async def test_a_receipt_with_another_messages_key_counts_for_the_message_of_its_id(district: District) -> None:
    clock, refs = district.clock, RecentRefs()
    await district.village(1, households=4)
    await district.issue(7)
    await district.advance()
    batches = await district.claim("wechat")
    await district.settle(batches, DeliveryState.SUBMITTED)
    first, second, third = (DeliveryKey(7, batches[0].first + n, 1) for n in range(3))
    recorder = Recorder(district.database, clock, "w", seconds=0.02)
    gateway = Gateway(1, GatewaySettings("wechat", Medium.WECHAT, "straw", rate=1, rehearsal=True))
    inbox = GatewayInbox(gateway, district.database, recorder, clock, refs, keep_nothing)
    recording = asyncio.create_task(recorder.run())
    # The first id is remembered; the second was told to another worker, and lies in the log.
    refs["id-1"] = first
    await ledger.write(district.database, "w", [Event(*second, 4, 1, "id-2", None, clock.now())])
    try:
        await ledger.fold(district.database, clock.now())
        await inbox.receipts([Receipt("id-1", third, Evidence.DELIVERED, "", clock.now())])
        await inbox.receipts([Receipt("id-2", third, Evidence.DELIVERED, "", clock.now())])
    finally:
        recorder.stop()
        await asyncio.wait([recording], timeout=60)
    while await ledger.fold(district.database, clock.now()):
        pass
    assert await _delivered(district.database) == [first.ordinal, second.ordinal]


async def test_a_receipt_without_a_time_counts_and_keeps_none_of_the_others_from_counting(district: District) -> None:
    clock = district.clock
    await district.village(1, households=4)
    await district.issue(7)
    await district.advance()
    batches = await district.claim("wechat")
    await district.settle(batches, DeliveryState.SUBMITTED)
    first, second = (DeliveryKey(7, batches[0].first + n, 1) for n in range(2))
    recorder = Recorder(district.database, clock, "w", seconds=0.02)
    gateway = Gateway(1, GatewaySettings("wechat", Medium.WECHAT, "straw", rate=1, rehearsal=True))
    inbox = GatewayInbox(gateway, district.database, recorder, clock, RecentRefs(), keep_nothing)
    recording = asyncio.create_task(recorder.run())
    nothing = datetime(1, 1, 1, tzinfo=BEIJING)
    try:
        await asyncio.wait_for(
            inbox.receipts(
                [
                    Receipt("", first, Evidence.DELIVERED, "", nothing),
                    Receipt("", second, Evidence.DELIVERED, "", clock.now()),
                    Receipt("nobody's", None, Evidence.DELIVERED, "", nothing),
                ]
            ),
            3,
        )
    finally:
        recorder.stop()
        await asyncio.wait([recording], timeout=3)
    while await ledger.fold(district.database, clock.now()):
        pass
    assert await _delivered(district.database) == [first.ordinal, second.ordinal]


async def _delivered(database: Database) -> list[int]:
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT ordinal FROM delivery WHERE state = 6 ORDER BY ordinal")
    return [row["ordinal"] for row in rows]


async def test_what_a_gateway_says_across_the_wall_between_drills_and_the_real_thing_is_no_evidence(
    district: District,
) -> None:
    await district.village(1, 5)
    await district.issue(7)
    recorder = Recorder(district.database, district.clock, "w", seconds=0.02)
    real = Gateway(1, GatewaySettings("sms", Medium.SMS, "straw", rate=1, rehearsal=False))
    inbox = GatewayInbox(real, district.database, recorder, district.clock, RecentRefs(), keep_nothing)
    recording = asyncio.create_task(recorder.run())
    said = [
        Receipt("", DeliveryKey(alert, 1, 1), Evidence.DELIVERED, "", district.clock.now())
        for alert in (7, 8)  # a drill; an alert that was never issued
    ]
    try:
        async with asyncio.timeout(60):
            await inbox.receipts(said)
    finally:
        recorder.stop()
        await asyncio.wait([recording], timeout=60)
    assert await _events(district.database) == 0


async def _events(database: Database) -> int:
    async with database.connection() as connection:
        count: int = await connection.fetchval("SELECT coalesce(sum(cardinality(ordinals)), 0) FROM entry")
        return count
