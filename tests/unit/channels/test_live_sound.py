"""Sound in real time: the pace, the packets, and who makes way for whom."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import pytest

from broadcaster.ports import Accepted, Deferred, DeliveryKey, Envelope, Message, Notice, Outcome, Rejected, Sent
from channels.loudspeaker.live.g711 import OCTETS
from channels.loudspeaker.live.outlets import Broadcast, Outlets
from channels.loudspeaker.live.pacing import Pacer
from channels.loudspeaker.live.rtp import Source
from channels.speech.track import Line
from tests.harness.radio import parsed

AT = datetime(2026, 11, 27, tzinfo=UTC)


class Hours:
    """A clock that a test moves; whoever sleeps wakes a little late."""

    def __init__(self, late: float = 0.0) -> None:
        self.now = 100.0
        self.late = late

    async def sleep(self, seconds: float) -> None:
        self.now += seconds + self.late


async def turns(pacer: Pacer, hours: Hours, count: int, work: float = 0.0) -> list[float]:
    found = []
    for _ in range(count):
        await pacer.turn()
        found.append(hours.now)
        hours.now += work
    return found


async def test_late_sleepers_do_not_add_up() -> None:
    hours = Hours(late=0.003)
    pacer = Pacer(0.02, now=lambda: hours.now, sleep=hours.sleep)
    found = await turns(pacer, hours, 5001, work=0.001)
    assert found[0] == 100.0
    assert found[-1] == pytest.approx(100.0 + 5000 * 0.02, abs=0.004)


async def test_after_a_short_halt_the_rest_is_made_up_for() -> None:
    hours = Hours()
    pacer = Pacer(0.02, now=lambda: hours.now, sleep=hours.sleep)
    await turns(pacer, hours, 10)
    hours.now += 0.1
    assert (await turns(pacer, hours, 10))[-1] == pytest.approx(100.0 + 19 * 0.02)


async def test_after_a_long_halt_the_rest_is_not_poured_out_at_once() -> None:
    hours = Hours()
    pacer = Pacer(0.02, now=lambda: hours.now, sleep=hours.sleep)
    await turns(pacer, hours, 10)
    hours.now += 5
    found = await turns(pacer, hours, 10)
    assert found[-1] - found[0] == pytest.approx(9 * 0.02)


async def test_a_store_is_filled_first_and_its_time_is_waited_for_in_the_end() -> None:
    hours = Hours()
    pacer = Pacer(0.1, ahead=1.0, now=lambda: hours.now, sleep=hours.sleep)
    found = await turns(pacer, hours, 20)
    assert found[:11] == [100.0] * 11
    assert found[-1] == pytest.approx(100.9)
    await pacer.rest()
    assert hours.now == pytest.approx(102.0)


def test_packets_count_on_and_the_first_after_silence_is_marked() -> None:
    hours = Hours()
    source = Source(Line.A_LAW, now=lambda: hours.now)
    source.begin()
    first = [parsed(source.packet(bytes(OCTETS))) for _ in range(3)]
    hours.now += 2
    source.begin()
    later = [parsed(source.packet(bytes(OCTETS))) for _ in range(2)]
    assert [one.marker for one in first + later] == [True, False, False, True, False]
    assert len({one.source for one in first + later}) == 1
    steps = [(b.sequence - a.sequence) & 0xFFFF for a, b in zip([*first, *later], [*first, *later][1:], strict=False)]
    assert steps == [1] * 4
    assert [(b.time - a.time) & 0xFFFFFFFF for a, b in itertools.pairwise(first)] == [160, 160]
    assert (later[0].time - first[-1].time) & 0xFFFFFFFF == 160 + 2 * 8000
    assert {one.type for one in first} == {8}
    assert parsed(Source(Line.MU_LAW).packet(bytes(OCTETS))).type == 0


def broadcast(alert: int, urgency: int = 0, *, replaces: tuple[str, ...] = (), attempt: int = 1) -> Broadcast:
    notice = Notice(
        identifier=str(alert), references=replaces, kind="warning", status="Actual", msg_type="Alert", title="t",
        sender="s", sent=AT, starts=AT, ends=AT,
    )  # fmt: skip
    key = DeliveryKey(alert, 1, attempt)
    envelope = Envelope(key, "a", Message("x", notice=notice), urgency, AT + timedelta(hours=1))
    return Broadcast(envelope, 30)


class Played:
    """Plays until it is ended."""

    def __init__(self) -> None:
        self.now: list[int] = []

    async def __call__(self, one: Broadcast) -> Outcome | None:
        self.now.append(one.key.alert)
        one.sounds()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.now.remove(one.key.alert)
        return None


async def test_the_more_urgent_ends_the_less_urgent_and_the_same_waits() -> None:
    outlets, played = Outlets(), Played()
    assert isinstance(await outlets.begin("a", broadcast(1, 2), played), Accepted)
    assert isinstance(await outlets.begin("b", broadcast(9, 3), played), Accepted)
    put_off = await outlets.begin("a", broadcast(2, 2), played)
    assert isinstance(put_off, Deferred)
    assert put_off.address_only
    assert 29 < put_off.after < 32
    assert isinstance(await outlets.begin("a", broadcast(3, 0), played), Accepted)
    assert played.now == [9, 3]
    assert isinstance(await outlets.begin("a", broadcast(1, 2), played), Deferred)
    await outlets.finish(0)
    assert not played.now


async def test_an_end_that_is_hurried_leaves_nothing_sounding() -> None:
    outlets, played = Outlets(), Played()
    await outlets.begin("a", broadcast(1), played)
    await outlets.begin("b", broadcast(2), played)
    finishing = asyncio.create_task(outlets.finish(60))
    await asyncio.sleep(0)
    finishing.cancel()
    await asyncio.gather(finishing, return_exceptions=True)
    assert not played.now


async def test_what_follows_an_alert_ends_it_whatever_its_urgency() -> None:
    outlets, played = Outlets(), Played()
    await outlets.begin("a", broadcast(1, 0), played)
    assert isinstance(await outlets.begin("a", broadcast(2, 3, replaces=("1",)), played), Accepted)
    assert played.now == [2]
    await outlets.finish(0)


async def test_the_same_again_while_it_sounds_is_not_played_twice() -> None:
    outlets, played = Outlets(), Played()
    await outlets.begin("a", broadcast(1), played)
    assert isinstance(await outlets.begin("a", broadcast(1, attempt=2), played), Accepted)
    assert played.now == [1]
    await outlets.finish(0)


async def test_of_two_that_come_together_the_more_urgent_sounds() -> None:
    outlets, played = Outlets(), Played()
    await outlets.begin("a", broadcast(1, 3), played)
    outcomes = await asyncio.gather(*(outlets.begin("a", broadcast(n, u), played) for n, u in ((2, 1), (3, 0))))
    assert played.now == [3]
    assert [type(one) for one in outcomes] == [Deferred, Accepted]
    await outlets.finish(0)


async def test_recall_ends_what_it_names_and_nothing_else() -> None:
    outlets, played = Outlets(), Played()
    await outlets.begin("a", broadcast(1), played)
    assert await outlets.recall([Sent(DeliveryKey(2, 1, 1), "", "a"), Sent(DeliveryKey(1, 1, 1), "", "b")]) == 0
    assert played.now == [1]
    assert await outlets.recall([Sent(DeliveryKey(1, 1, 2), "", "a")]) == 1
    assert not played.now


async def test_why_it_did_not_begin_is_the_outcome() -> None:
    async def refuses(one: Broadcast) -> Outcome | None:
        return Rejected(one.key, "no")

    outlets = Outlets()
    assert await outlets.begin("a", broadcast(1), refuses) == Rejected(DeliveryKey(1, 1, 1), "no")
    assert isinstance(await outlets.begin("a", broadcast(1), Played()), Accepted)
    await outlets.finish(0)
