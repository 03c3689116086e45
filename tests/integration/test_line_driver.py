"""The line's driver against a peer that answers what no gateway should."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadcaster.errors import UnavailableError
from broadcaster.ports import (
    Accepted,
    Deferred,
    DeliveryKey,
    Driver,
    Envelope,
    GatewaySettings,
    Medium,
    Message,
    Unknown,
)
from broadcaster.registry import Registry
from broadcaster.testing import MemoryInbox, MemoryJournal
from channels.line.wire import (
    Ack,
    Answers,
    Bye,
    Frame,
    Framer,
    Ping,
    Pong,
    Receipts,
    Refused,
    Replies,
    SignIn,
    Submit,
    Welcome,
    encode,
)
from tests.harness.waiting import wait_until

Answering = Callable[[Frame], list[Frame]]
MESSAGE = Message("台风红色预警")


def polite(frame: Frame) -> list[Frame]:
    match frame:
        case SignIn():
            return [Welcome("test")]
        case Submit():
            return [Answers(frame.frame, [(index, 0, f"m{index}", 0.0) for index in range(len(frame.rows))])]
        case Ping():
            return [Pong()]
        case Bye():
            return [Bye()]
        case _:
            return []


def instead(kind: type[Frame], *answers: Frame) -> Answering:
    """Polite, but frames of one kind get other answers."""
    return lambda frame: list(answers) if isinstance(frame, kind) else polite(frame)


@asynccontextmanager
async def line(
    folder: Path, answering: Answering, journal: MemoryJournal | None = None, **options: object
) -> AsyncIterator[tuple[Driver, MemoryInbox, list[Frame]]]:
    """A driver, not yet open, its inbox, and what the peer hears."""
    heard: list[Frame] = []
    served: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())
        framer = Framer()
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                for frame in framer.feed(data):
                    heard.append(frame)
                    for answer in answering(frame):
                        writer.write(encode(answer))
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    path = folder / "line.sock"
    server = await asyncio.start_unix_server(serve, path)
    times = {"connect_timeout": 10, "answer_timeout": 10, "heartbeat": 10}
    gateway = GatewaySettings(
        "line", Medium.SMS, "rehearsal", rate=1, options={"address": f"unix:{path}", **times, **options}
    )
    driver = Registry.installed().plugin(Medium.SMS, "rehearsal").build(gateway, journal or MemoryJournal())
    try:
        yield driver, MemoryInbox(), heard
    finally:
        await driver.close()
        server.close()
        await asyncio.gather(*(task for task in served if task is not None))
        await server.wait_closed()


def envelopes(count: int) -> list[Envelope]:
    expires = datetime.now(UTC) + timedelta(hours=1)
    return [Envelope(DeliveryKey(1, n, 1), f"138{n:08d}", MESSAGE, 0, expires) for n in range(1, count + 1)]


@pytest.mark.parametrize(
    "nonsense",
    [
        Answers(99, [(0, 0, "m", 0.0)]),
        Answers(1, [(5, 0, "m", 0.0)]),
        Answers(1, [(-1, 0, "m", 0.0)]),
        Answers(1, [(0, 1, "busy", float("nan"))]),
        Answers(1, [(0, 1, "busy", -1.0)]),
        Receipts(1, float("inf"), [("m", 1, 1, 1, True, "")]),
        Replies(1, [("r", "1", "收到", 1e300)]),
        SignIn(1, "a", "sms", ""),
        Refused("go away"),
    ],
    ids=repr,
)
async def test_nonsense_ends_the_connection_and_every_envelope_has_its_outcome(tmp_path: Path, nonsense: Frame) -> None:
    async with line(tmp_path, instead(Submit, nonsense)) as (driver, inbox, _):
        await driver.open(inbox)
        async with asyncio.timeout(40):
            outcomes = [outcome async for outcome in driver.send(envelopes(2))]
        assert [type(outcome) for outcome in outcomes] == [Unknown, Unknown]
        assert (inbox.stored_receipts, inbox.stored_replies) == ([], [])


async def test_a_second_answer_to_a_message_is_no_second_outcome(tmp_path: Path) -> None:
    twice = instead(Submit, Answers(1, [(0, 0, "a", 0.0), (0, 0, "b", 0.0), (1, 7, "?", 0.0)]))
    async with line(tmp_path, twice) as (driver, inbox, _):
        await driver.open(inbox)
        outcomes = [outcome async for outcome in driver.send(envelopes(2))]
    assert outcomes == [Accepted(DeliveryKey(1, 1, 1), "a"), Unknown(DeliveryKey(1, 2, 1), "verdict 7")]


async def test_no_more_is_in_flight_than_the_window_allows(tmp_path: Path) -> None:
    silent = instead(Submit)
    async with line(tmp_path, silent, window=10, answer_timeout=1) as (driver, inbox, heard):
        await driver.open(inbox)
        async with asyncio.timeout(40):
            outcomes = [outcome async for outcome in driver.send(envelopes(25))]
        written = [row for frame in heard if isinstance(frame, Submit) for row in frame.rows]
    assert 0 < len(written) <= 10
    unknown = [outcome.key.ordinal for outcome in outcomes if isinstance(outcome, Unknown)]
    assert unknown == [row[1] for row in written], "exactly what was written may have been sent"
    assert sum(isinstance(outcome, Deferred) for outcome in outcomes) == 25 - len(written)


async def test_an_idle_line_stays_up_by_its_heartbeat(tmp_path: Path) -> None:
    async with line(tmp_path, polite, heartbeat=0.5) as (driver, inbox, heard):
        await driver.open(inbox)
        async with asyncio.timeout(40):
            while sum(isinstance(frame, Ping) for frame in heard) < 3:  # noqa: ASYNC110 (the peer only listens)
                await asyncio.sleep(0.01)
        outcomes = [outcome async for outcome in driver.send(envelopes(1))]
    assert isinstance(outcomes[0], Accepted)


async def test_a_line_on_which_nothing_is_heard_any_more_is_given_up(tmp_path: Path) -> None:
    async with line(tmp_path, instead(Ping), heartbeat=0.02) as (driver, inbox, _):
        await driver.open(inbox)
        async with asyncio.timeout(40):
            assert "no sign of life" in await driver.lost()  # type: ignore[attr-defined]


async def test_a_sender_that_stops_listening_leaves_the_line_usable(tmp_path: Path) -> None:
    async with line(tmp_path, polite, window=4) as (driver, inbox, _):
        await driver.open(inbox)
        sending = driver.send(envelopes(10))
        await anext(sending)
        await sending.aclose()  # type: ignore[attr-defined]
        async with asyncio.timeout(40):
            outcomes = [outcome async for outcome in driver.send(envelopes(10))]
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)


async def test_a_flood_of_receipts_is_held_back_until_it_is_stored(tmp_path: Path) -> None:
    flood = [
        Receipts(batch, 1.0, [("m", 1, ordinal, 1, True, "") for ordinal in range(1, 10_001)]) for batch in range(12)
    ]
    answering = instead(Submit, *flood, Answers(1, [(0, 0, "m", 0.0)]))
    async with line(tmp_path, answering, answer_timeout=60, heartbeat=60) as (driver, inbox, heard):
        await driver.open(inbox)
        inbox.hold()
        sending = asyncio.ensure_future(anext(aiter(driver.send(envelopes(1)))))
        await inbox.until(lambda: inbox.attempts > 0)
        inbox.release()
        await inbox.until(lambda: len(inbox.stored_receipts) == 120_000)
        assert isinstance(await sending, Accepted)
        async with asyncio.timeout(40):
            while sum(len(frame.batches) for frame in heard if isinstance(frame, Ack)) < 12:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_an_answer_that_lies_behind_receipts_which_could_not_be_stored_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the database was away for: the gateway did answer, and sending again would be a duplicate."""
    flood = [Receipts(n, 1.0, [("m", 1, row, 1, True, "") for row in range(1, 10_001)]) for n in range(12)]
    answering = instead(Submit, *flood, Answers(1, [(0, 0, "m", 0.0)]))
    loop = asyncio.get_running_loop()
    real, ahead = loop.time, 0.0
    monkeypatch.setattr(loop, "time", lambda: real() + ahead)
    journal = MemoryJournal()
    async with line(tmp_path, answering, journal, answer_timeout=60, heartbeat=60) as (driver, inbox, heard):
        await driver.open(inbox)
        inbox.hold()
        sending = asyncio.ensure_future(anext(aiter(driver.send(envelopes(1)))))
        await wait_until(lambda: any("held back" in said for said in journal.lines), what="reading held back")
        for _ in range(5):  # an hour later, and again: every timer there is has come
            ahead += 3600
            await asyncio.sleep(0.02)
        inbox.release()
        assert isinstance(await sending, Accepted)
        assert not [frame for frame in heard if isinstance(frame, Submit)][1:]


async def test_giving_up_an_open_leaves_nothing_behind(tmp_path: Path) -> None:
    async with line(tmp_path, instead(SignIn), connect_timeout=60) as (driver, inbox, heard):
        opening = asyncio.create_task(driver.open(inbox))
        async with asyncio.timeout(40):
            while not heard:  # noqa: ASYNC110 (the peer only listens)
                await asyncio.sleep(0.01)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert isinstance(await anext(aiter(driver.send(envelopes(1)))), Deferred)


async def test_a_peer_that_hangs_up_at_the_sign_in_is_unavailable(tmp_path: Path) -> None:
    async with line(tmp_path, instead(SignIn, Refused("not today"))) as (driver, inbox, _):
        with pytest.raises(UnavailableError, match="not today"):
            await driver.open(inbox)
