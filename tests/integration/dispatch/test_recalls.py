"""What sounds is stopped when its alert is superseded or ended, also what was under way, and again after a fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from broadcaster.alerts.policy import ChannelStep, Policy
from broadcaster.clock import SystemClock
from broadcaster.dispatch import closing, recalls
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.ledger import Batch, Row
from broadcaster.errors import UnavailableError
from broadcaster.ports import (
    Accepted,
    Capabilities,
    DeliveryKey,
    Envelope,
    GatewaySettings,
    Inbox,
    Medium,
    Message,
    Outcome,
    Reply,
    Sent,
    Sound,
)
from broadcaster.report.timeline import timeline
from broadcaster.worker import Duties, Pulse, Worker
from tests.harness.district import District
from tests.harness.waiting import wait_until

CALLS = Policy(households=(ChannelStep((Medium.VOICE,), 60),), loudspeakers=False, units=())
WRITTEN = Policy(households=(ChannelStep((Medium.SMS,), 60),), loudspeakers=False, units=())


class Exchange:
    """A gateway's driver: it takes every call, and remembers what it was told to stop."""

    capabilities = Capabilities(receipts=True, replies=False, window=16, batch_max=100)

    def __init__(self, faults: Sequence[Exception] = ()) -> None:
        self.faults = list(faults)
        self.taken: dict[DeliveryKey, str] = {}
        self.stopped: list[Sent] = []
        self.slowly = asyncio.Event()
        self.slowly.set()

    async def open(self, inbox: Inbox) -> None: ...

    async def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        for envelope in batch:
            await self.slowly.wait()
            self.taken[envelope.key] = f"call-{envelope.key}"
            yield Accepted(envelope.key, self.taken[envelope.key])

    async def recall(self, sent: Sequence[Sent]) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.stopped += sent

    async def close(self) -> None: ...

    def all_stopped(self) -> bool:
        return {(one.key, one.ref) for one in self.stopped} >= set(self.taken.items()) and bool(self.taken)


class Writer(Exchange):
    """One that cannot stop anything."""

    recall = None  # type: ignore[assignment]


class Plain:
    async def envelopes(self, batch: Batch, rows: Sequence[Row], sound: Sound | None = None) -> list[Envelope]:
        keys = [DeliveryKey(batch.alert_id, row.ordinal, batch.claims) for row in rows]
        return [
            Envelope(key, row.address, Message("text"), batch.urgency, batch.expires_at)
            for key, row in zip(keys, rows, strict=True)
        ]


class Bell:
    async def heard(self, seconds: float) -> bool:
        await asyncio.sleep(seconds)
        return False


async def keep_nothing(gateway: str, items: Sequence[Reply]) -> None: ...


@asynccontextmanager
async def at_work(district: District, driver: Exchange, channel: Medium = Medium.VOICE) -> AsyncIterator[None]:
    gateway = GatewaySettings("exchange", channel, "straw", rate=1000, rehearsal=True)
    duties = Duties(
        database=district.database,
        clock=SystemClock(),
        gateways=(gateway,),
        make_driver=lambda _: driver,
        composer=Plain(),
        load_plan=district.load_plan,
        keep_replies=keep_nothing,
        bell=Bell(),
        make_trial=None,  # type: ignore[arg-type]  # nobody tries it
        pulse=Pulse(sweep=0.05, fold=0.05),
    )
    working = asyncio.create_task(Worker(duties).run())
    try:
        yield
    finally:
        driver.slowly.set()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


@pytest.fixture
async def village(district: District) -> District:
    district.clock.advance((SystemClock().now() - district.clock.now()).total_seconds())
    await district.village(1, 20)
    return district


async def _close(district: District, how: str, alert: int = 7) -> None:
    async with district.database.transaction() as connection:
        if how == "superseded":
            await closing.supersede(connection, alert, alert + 1, SystemClock().now())
        else:
            await closing.end(connection, alert, SystemClock().now())


async def _state(district: District) -> tuple[str, int, str]:
    async with district.database.connection() as connection:
        row = await connection.fetchrow("SELECT state, told, why FROM recall")
    return (row["state"], row["told"], row["why"]) if row else ("none", 0, "")


@pytest.mark.parametrize("how", ["superseded", "ended"])
async def test_calls_of_an_alert_that_is_over_are_stopped_each_by_its_id(village: District, how: str) -> None:
    exchange = Exchange()
    async with at_work(village, exchange):
        await village.issue(7, policy=CALLS)
        await wait_until(lambda: len(exchange.taken) == 20, what="20 calls")
        await _close(village, how)
        await wait_until(exchange.all_stopped, what="all stopped")

        async def done() -> bool:
            return (await _state(village))[0] == "done"

        await wait_until(done, what="the recall done")
    assert {one.address[:5] for one in exchange.stopped} == {"phone"}
    async with village.database.connection() as connection:
        (shown,) = [one for one in await timeline(connection, 7, [""], 20) if one.kind == "recall"]
    assert (shown.what, shown.n, shown.who) == ("done", 20, "exchange")


async def test_what_was_just_being_given_to_the_gateway_is_stopped_as_well(village: District) -> None:
    exchange = Exchange()
    exchange.slowly.clear()
    async with at_work(village, exchange):
        await village.issue(7, policy=CALLS)

        async def leased() -> bool:
            async with village.database.connection() as connection:
                found: bool = await connection.fetchval("SELECT EXISTS (SELECT 1 FROM batch WHERE state = 1)")
            return found

        await wait_until(leased, what="a batch under way")
        await _close(village, "ended")
        exchange.slowly.set()
        await wait_until(exchange.all_stopped, what="all stopped")


async def test_a_gateway_that_cannot_be_told_is_told_again(village: District) -> None:
    exchange = Exchange([UnavailableError("no line"), RuntimeError("a bug")])
    async with at_work(village, exchange):
        await village.issue(7, policy=CALLS)
        await wait_until(lambda: len(exchange.taken) == 20, what="20 calls")
        await _close(village, "ended")
        await wait_until(exchange.all_stopped, within=60, what="all stopped")


async def test_what_is_over_is_left_in_peace(village: District) -> None:
    await village.issue(7, policy=CALLS)
    await village.advance()
    await village.settle(await village.claim("voice"), DeliveryState.DELIVERED)
    await _close(village, "ended")
    exchange = Exchange()
    async with at_work(village, exchange):
        await asyncio.sleep(0.5)
    assert exchange.stopped == []


@pytest.mark.parametrize("channel", [Medium.SMS, Medium.VOICE])
async def test_what_cannot_be_stopped_is_nobodys_task(village: District, channel: Medium) -> None:
    writer = Writer()
    async with at_work(village, writer, channel):
        await village.issue(7, policy=WRITTEN if channel is Medium.SMS else CALLS)
        await wait_until(lambda: len(writer.taken) == 20, what="20 taken")
        await _close(village, "ended")

        async def settled() -> bool:
            return (await _state(village)) in (("none", 0, ""), ("done", 0, ""))

        await wait_until(settled, what="nothing open")
    assert (await _state(village))[0] == ("none" if channel is Medium.SMS else "done")


async def test_a_gateway_that_nobody_can_reach_is_given_up_after_an_hour(village: District) -> None:
    exchange = Exchange()
    async with at_work(village, exchange):
        await village.issue(7, policy=CALLS)
        await wait_until(lambda: len(exchange.taken) == 20, what="20 calls")
    await _close(village, "ended")
    assert await recalls.take(village.database, [], SystemClock().now()) == []
    assert (await _state(village))[0] == "open"
    await recalls.take(village.database, [], SystemClock().now() + timedelta(hours=1, seconds=1))
    assert (await _state(village))[0] == "failed"
