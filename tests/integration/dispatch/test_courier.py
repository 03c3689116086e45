"""A courier on a real ledger with a driver of straw: whatever goes wrong beside it, nothing is kept back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest

from broadcaster.clock import ManualClock, SystemClock
from broadcaster.database import Database
from broadcaster.dispatch import ledger, stream, units
from broadcaster.dispatch.closing import close_due, supersede
from broadcaster.dispatch.courier import Courier, Tools
from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.dispatch.leases import Leases
from broadcaster.dispatch.ledger import Batch, Row
from broadcaster.dispatch.recorder import Recorder
from broadcaster.dispatch.refs import RecentRefs
from broadcaster.dispatch.slots import Gateway, Slot
from broadcaster.dispatch.units import UnitDelivery
from broadcaster.errors import InputError, UnavailableError
from broadcaster.ports import (
    Accepted,
    Capabilities,
    Deferred,
    DeliveryKey,
    Envelope,
    GatewaySettings,
    Inbox,
    Medium,
    Message,
    Outcome,
    Receipt,
    Reply,
    Sound,
)
from tests.harness.district import District
from tests.harness.waiting import wait_until


class Straw:
    """A driver that accepts everything at once and remembers it."""

    capabilities = Capabilities(receipts=False, replies=False, window=16, batch_max=100)

    def __init__(self) -> None:
        self.opened = 0
        self.sent: list[DeliveryKey] = []

    async def open(self, inbox: Inbox) -> None:
        self.opened += 1

    async def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        for envelope in batch:
            self.sent.append(envelope.key)
            yield Accepted(envelope.key, "")

    async def close(self) -> None: ...


class Parted(Straw):
    """Counts a message as one to four, by its ordinal, and remembers when."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[tuple[float, int]] = []

    def weight(self, envelope: Envelope) -> int:
        return envelope.key.ordinal % 4 + 1

    async def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        for envelope in batch:
            self.taken.append((time.monotonic(), self.weight(envelope)))
            yield Accepted(envelope.key, "")

    def peak(self) -> int:
        """The most that was taken in any second."""
        return max(sum(weight for at, weight in self.taken if begin <= at < begin + 1) for begin, _ in self.taken)


class Restricted(Straw):
    """Puts everything off: for the address's own reasons, or for the gateway's."""

    def __init__(self, address_only: bool) -> None:
        super().__init__()
        self.address_only = address_only

    async def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        for envelope in batch:
            self.sent.append(envelope.key)
            yield Deferred(envelope.key, "no more this minute", 0.05, self.address_only)


class Fickle(Straw):
    """Counts a message as one when it is asked first, and as four from then on."""

    def __init__(self) -> None:
        super().__init__()
        self.weighed: list[int] = []

    def weight(self, envelope: Envelope) -> int:
        self.weighed.append(envelope.key.ordinal)
        return 1 if self.weighed.count(envelope.key.ordinal) == 1 else 4


class Calls(Straw):
    """Three lines, each taken until the test hangs up."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = 3
        self.most = 0
        self.looked = 0
        self._freed: Callable[[], None] = lambda: None

    def free(self) -> int:
        self.looked += 1
        return self.lines

    def when_freed(self, call: Callable[[], None]) -> None:
        self._freed = call

    async def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        self.lines -= len(batch)
        self.most = max(self.most, 3 - self.lines)
        for envelope in batch:
            self.sent.append(envelope.key)
            yield Accepted(envelope.key, "")

    def hang_up(self) -> None:
        """The calls that there are come to their end."""
        self.lines = 3
        self._freed()


class Dropping(Straw):
    """A gateway that lets us in and hangs up at once."""

    async def lost(self) -> str:
        return "hung up"


class Plain:
    """A composer; the first `faults` are raised before anything is composed."""

    def __init__(self, *faults: Exception) -> None:
        self._faults = list(faults)
        self.sounds: set[Sound | None] = set()

    async def envelopes(self, batch: Batch, rows: Sequence[Row], sound: Sound | None = None) -> list[Envelope]:
        self.sounds.add(sound)
        if self._faults:
            raise self._faults.pop(0)
        return [
            Envelope(
                DeliveryKey(batch.alert_id, row.ordinal, batch.claims),
                row.address,
                Message("text"),
                batch.urgency,
                batch.expires_at,
            )
            for row in rows
        ]


class NoInbox:
    async def receipts(self, items: Sequence[Receipt]) -> None: ...

    async def replies(self, items: Sequence[Reply]) -> None: ...


@asynccontextmanager
async def courier_at_work(
    database: Database, driver: Straw, composer: Plain, *, rate: float = 1000, lease: float = 15.0
) -> AsyncIterator[Courier]:
    """A courier of a drill's WeChat gateway, with a recorder and a fold beside it."""
    clock = SystemClock()
    leases = Leases(database, "w", lease)
    recorder = Recorder(database, clock, "w", seconds=0.02, released=leases.gave)
    settings = GatewaySettings("wechat", Medium.WECHAT, "straw", rate=rate, rehearsal=True)
    tools = Tools(database, recorder, leases, composer, clock, "w")
    courier = Courier(Slot(Gateway(1, settings), 1), driver, NoInbox(), RecentRefs(), tools)

    async def fold() -> None:
        while True:
            await ledger.fold(database, clock.now())
            await close_due(database, clock.now())
            await leases.renew()
            await asyncio.sleep(0.02)

    recording, folding = asyncio.create_task(recorder.run()), asyncio.create_task(fold())
    working = asyncio.create_task(courier.run())
    try:
        yield courier
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        recorder.stop()
        await recording
        folding.cancel()
        await asyncio.gather(folding, return_exceptions=True)


async def submitted(district: District, alert_id: int) -> int:
    return (await district.states(alert_id)).get(DeliveryState.SUBMITTED, 0)


@pytest.fixture
async def planned(district: District) -> District:
    """Alert 7 for a village of 20, planned by the real time of day."""
    district.clock = ManualClock(SystemClock().now())
    await district.village(1, 20)
    await district.issue(7)
    await district.advance()
    return district


@pytest.mark.parametrize(
    "fault", [asyncpg.ConnectionDoesNotExistError("the connection was closed"), KeyError("a template's own fault")]
)
async def test_a_batch_that_could_not_be_composed_is_tried_again(planned: District, fault: Exception) -> None:
    async with courier_at_work(planned.database, Straw(), Plain(fault)):
        await wait_until(lambda: _all_submitted(planned, 20), what="20 submitted")


async def test_recordings_are_asked_for_in_the_format_that_the_driver_wants(planned: District) -> None:
    driver, composer = Straw(), Plain()
    driver.capabilities = Capabilities(receipts=False, replies=False, window=16, batch_max=100, sound=Sound.AMR)
    async with courier_at_work(planned.database, driver, composer):
        await wait_until(lambda: _all_submitted(planned, 20), what="20 submitted")
    assert composer.sounds == {Sound.AMR}


async def test_who_can_never_be_sent_this_message_gets_the_next_channel_at_once(planned: District) -> None:
    async with courier_at_work(planned.database, Straw(), Plain(InputError("no voice for it", remedy="another"))):
        await wait_until(lambda: _all_failed(planned), what="one batch failed, the others sent")
    async with planned.database.connection() as connection:
        reasons = await connection.fetch("SELECT DISTINCT reason FROM delivery WHERE alert_id = 7 AND state = 5")
        assert [record["reason"] for record in reasons] == ["no voice for it"]
        assert await connection.fetchval("SELECT count(*) FROM batch WHERE alert_id = 7 AND state <> 2") == 0
    failed = (await planned.states(7))[DeliveryState.FAILED]
    planned.clock = ManualClock(SystemClock().now() + timedelta(seconds=6))
    assert await planned.advance() == failed
    assert await planned.breaches(7) == []


async def _all_failed(district: District) -> bool:
    states = await district.states(7)
    return bool(states.get(DeliveryState.FAILED)) and sum(states.values()) == states.get(
        DeliveryState.FAILED, 0
    ) + states.get(DeliveryState.SUBMITTED, 0)


async def _all_submitted(district: District, count: int) -> bool:
    return await submitted(district, 7) == count


async def test_a_slow_gateway_stops_soon_after_the_alert_is_superseded(planned: District) -> None:
    driver = Straw()
    async with courier_at_work(planned.database, driver, Plain(), rate=4):
        await wait_until(lambda: driver.sent, what="the first message")
        async with planned.database.transaction() as connection:
            await supersede(connection, 7, 8, SystemClock().now())
        before = len(driver.sent)
        await wait_until(lambda: _settled(planned), what="everything sent or cancelled")
        assert len(driver.sent) - before <= 8
    states = await planned.states(7)
    assert states[DeliveryState.CANCELLED] == 20 - len(driver.sent)


@pytest.mark.parametrize("rate", [15, 3])
async def test_a_rate_holds_for_the_parts_where_the_gateway_counts_those(planned: District, rate: int) -> None:
    driver = Parted()
    async with courier_at_work(planned.database, driver, Plain(), rate=rate):
        await wait_until(lambda: sum(weight for _, weight in driver.taken) > 2 * rate, what="two seconds")
    assert driver.peak() <= max(rate, 4), "a message of four parts goes out whole even where three are a second's"
    assert len({at for at, _ in driver.taken}) > 1


async def test_a_slow_gateway_leaves_out_who_has_confirmed_meanwhile(planned: District) -> None:
    asked = [UnitDelivery(unit, "330212001001", Medium.WECHAT, unit, f"head-{unit}") for unit in range(1, 21)]
    async with planned.database.transaction() as connection:
        await connection.execute("UPDATE batch SET not_before = not_before + interval '1 day'")
        await units.enqueue(connection, 7, asked, SystemClock().now())
    driver = Straw()
    async with courier_at_work(planned.database, driver, Plain(), rate=4):
        await wait_until(lambda: driver.sent, what="the first message")
        async with planned.database.transaction() as connection:
            await units.withdraw(connection, 7, range(1, 21), SystemClock().now())

        async def all_are_settled() -> bool:
            return (await planned.states(7)).get(DeliveryState.CANCELLED, 0) == 20 - len(driver.sent)

        await wait_until(all_are_settled, what="everybody sent to or left out")
    assert len(driver.sent) <= 8
    assert await planned.breaches(7) == []


class Hanging(Straw):
    """A driver that takes messages and never says what became of them."""

    async def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        self.sent += [envelope.key for envelope in batch]
        await asyncio.Event().wait()
        for envelope in batch:
            yield Accepted(envelope.key, "")


async def test_what_a_hanging_driver_took_is_sent_again(planned: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PATIENCE", 0.2)
    driver = Hanging()
    async with courier_at_work(planned.database, driver, Plain()):
        await wait_until(lambda: len(driver.sent) > len({key.ordinal for key in driver.sent}), what="a second attempt")
    assert driver.opened > 1, "the connection that hung is not used again"
    assert set(await planned.states(7)) == {DeliveryState.UNKNOWN}


async def test_a_gateway_that_answers_nothing_keeps_only_what_it_was_given(
    planned: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "STALL", 0.2)
    await planned.village(2, 300)
    await planned.issue(8, regions=("330212001002",))
    await planned.advance()
    async with courier_at_work(planned.database, Hanging(), Plain(), rate=200):

        async def free_again() -> bool:
            async with planned.database.connection() as connection:
                held = await connection.fetchval("SELECT count(*) FROM batch WHERE state = 1 AND channel = 'wechat'")
                begun = await connection.fetchval("SELECT count(*) FROM batch WHERE claims > 0 AND channel = 'wechat'")
            return bool(begun >= 2 and held < begun)

        await wait_until(free_again, what="batches for other gateways")


async def test_a_courier_that_is_dismissed_gives_back_what_hangs(planned: District) -> None:
    driver = Hanging()
    async with courier_at_work(planned.database, driver, Plain()):
        await wait_until(lambda: driver.sent, what="a message on the wire")
    await ledger.fold(planned.database, SystemClock().now())
    async with planned.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM batch WHERE state IN (1, 3)") == 0


async def _settled(district: District) -> bool:
    states = await district.states(7)
    return not states.get(DeliveryState.QUEUED) and not states.get(DeliveryState.UNKNOWN)


async def test_a_red_alert_overtakes_a_blue_one_on_a_slow_gateway(planned: District) -> None:
    await planned.village(2, 3)
    await planned.issue(8, urgency=3, regions=("330212001001",))
    await planned.issue(9, urgency=0, regions=("330212001002",), lasts=timedelta(hours=5))
    async with planned.database.transaction() as connection:
        await supersede(connection, 7, 8, SystemClock().now())  # only 8 is left
    async with planned.database.connection() as connection:
        await connection.execute("UPDATE chunk SET next_at = next_at + interval '1 day' WHERE alert_id = 9")
    await planned.advance()
    driver = Straw()
    async with courier_at_work(planned.database, driver, Plain(), rate=4):
        await wait_until(lambda: driver.sent, what="the first blue message")
        async with planned.database.connection() as connection:
            await connection.execute("UPDATE chunk SET next_at = next_at - interval '1 day' WHERE alert_id = 9")
        await planned.advance()
        before = len(driver.sent)
        await wait_until(lambda: any(key.alert == 9 for key in driver.sent), what="the first red message")
        blue = next(place for place, key in enumerate(driver.sent) if key.alert == 9)
        assert blue - before <= 2 * 4, "no more than two seconds of blue ones go out first"


async def test_a_gateway_that_hangs_up_at_once_is_not_stormed(planned: District) -> None:
    for number in range(2, 12):
        await planned.village(number, 10)
    await planned.issue(8)
    await planned.advance()
    driver = Dropping()
    async with courier_at_work(planned.database, driver, Plain(), rate=1):
        await asyncio.sleep(1.2)
    assert driver.opened <= 3


async def test_a_gateway_that_is_away_is_tried_again(planned: District) -> None:
    class Late(Straw):
        async def open(self, inbox: Inbox) -> None:
            await super().open(inbox)
            if self.opened == 1:
                raise UnavailableError("away", remedy="wait")

    async with courier_at_work(planned.database, Late(), Plain()):
        await wait_until(lambda: _all_submitted(planned, 20), what="20 submitted")


async def test_calls_wait_for_a_line_and_a_gateway_whose_lines_are_taken_is_not_taken_for_silent(
    planned: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "STALL", 0.1)
    monkeypatch.setattr(stream, "LOOK", 0.05)
    calls = Calls()
    async with courier_at_work(planned.database, calls, Plain()) as courier:
        for reached in (3, 6, 9):
            await wait_until(lambda: len(calls.sent) >= reached, what=f"{reached} calls")  # noqa: B023
            before = calls.looked
            await asyncio.sleep(0.3)  # three times as long as a silence may last
            assert (len(calls.sent), courier.word().state) == (reached, "closed")
            assert calls.looked - before < 100, "who waits for a line does not ask all the time"
            calls.hang_up()
    assert calls.most == 3


async def test_what_waits_for_its_turn_when_a_courier_is_dismissed_is_given_back(planned: District) -> None:
    fickle = Fickle()
    async with courier_at_work(planned.database, fickle, Plain(), rate=4, lease=600):
        await wait_until(lambda: fickle.weighed.count(fickle.weighed[0]) > 1 if fickle.weighed else False)
        assert fickle.sent == []
    await ledger.fold(planned.database, SystemClock().now())
    async with planned.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM batch WHERE state = 1") == 0
    assert await planned.states(7) == {DeliveryState.QUEUED: 20}


@pytest.mark.parametrize(("address_only", "state"), [(True, "closed"), (False, "open")])
async def test_addresses_that_are_put_off_for_their_own_reasons_say_nothing_against_the_gateway(
    planned: District, address_only: bool, state: str
) -> None:
    restricted = Restricted(address_only)
    async with courier_at_work(planned.database, restricted, Plain()) as courier:
        await wait_until(lambda: len(restricted.sent) >= 60 or courier.word().state == "open")
        assert courier.word().state == state
