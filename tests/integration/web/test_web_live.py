"""Live progress: one reader for many watchers, nothing repeated, and the line is closed when asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientConnectionResetError, ClientResponse, web
from structlog.testing import capture_logs

from broadcaster.clock import ManualClock
from broadcaster.errors import LimitedError
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.envelope import LEFT, envelope
from broadcaster.web.live import LIVE, Live, Pace
from broadcaster.web.pages.rendering import error_page
from tests.harness.web import Web


async def _events(answer: ClientResponse) -> AsyncIterator[tuple[str, dict[str, object]]]:
    name = ""
    async for raw in answer.content:
        line = raw.decode().rstrip("\n")
        if line.startswith("id: "):
            name = line[4:]
        if line.startswith("data: "):
            yield name, json.loads(line[6:])


async def _next(events: AsyncIterator[tuple[str, dict[str, object]]]) -> tuple[str, dict[str, object]]:
    async with asyncio.timeout(60):
        return await anext(events)


async def _newer(web: Web, events: AsyncIterator[tuple[str, dict[str, object]]]) -> tuple[str, dict[str, object]]:
    """The next event, however long the look before it takes: its pause begins only then."""
    waiting = asyncio.ensure_future(_next(events))
    while not waiting.done():
        web.clock.advance(1)
        await asyncio.wait({waiting}, timeout=0.05)
    return await waiting


async def test_watchers_get_the_state_now_and_each_newer_one(web: Web) -> None:
    number = await web.issued()
    answer = await web.ask("GET", f"/api/v1/alerts/{number}/events", "viewer")
    assert answer.content_type == "text/event-stream"
    events = _events(answer)
    _, first = await _next(events)
    assert first["planned"] is False
    await web.fan_out()
    name, second = await _newer(web, events)
    assert second["planned"] is True
    assert second["households"] == {"total": 6, "reached": 0, "pending": 6, "unreached": 0}
    answer.close()

    again = await web.ask("GET", f"/api/v1/alerts/{number}/events", "viewer", headers={"Last-Event-ID": name})
    async with web.database.connection() as connection:
        await connection.execute("UPDATE tally SET duplicates = 7 WHERE alert_id = $1 AND first = 0", number)
    _, third = await _newer(web, _events(again))
    assert third["duplicates"] == 7, "the state that was seen is not sent again"
    again.close()


async def test_a_call_for_help_and_a_notice_to_the_desk_are_news(web: Web) -> None:
    number = await web.issued()
    answer = await web.ask("GET", f"/api/v1/alerts/{number}/events", "viewer")
    events = _events(answer)
    assert (await _next(events))[1]["helps"] == 0
    async with web.database.connection() as connection:
        await connection.execute(
            "INSERT INTO help_request (alert_id, response_id, region, address, text, created_at, repeated_at)"
            " VALUES ($1, 1, '', '', '求助', $2, $2)",
            number,
            web.clock.now(),
        )
    assert (await _newer(web, events))[1]["helps"] == 1
    async with web.database.connection() as connection:
        await connection.execute(
            "INSERT INTO duty_notice (alert_id, unit_id, region, kind, created_at) VALUES ($1, 1, '', 'call', $2)",
            number,
            web.clock.now(),
        )
    assert (await _newer(web, events))[1]["notices"] == 1
    answer.close()


async def test_many_watchers_are_one_reader(web: Web) -> None:
    number = await web.issued()
    answers = [await web.ask("GET", f"/api/v1/alerts/{number}/events", "viewer") for _ in range(5)]
    for answer in answers:
        await _next(_events(answer))
    live = web.client.app[LIVE]
    assert live.readers == 1
    for answer in answers:
        answer.close()


async def test_stopping_the_server_ends_every_line(web: Web) -> None:
    number = await web.issued()
    answer = await web.ask("GET", f"/api/v1/alerts/{number}/events", "viewer")
    events = _events(answer)
    await _next(events)
    await web.client.app[LIVE].close()
    async with asyncio.timeout(60):
        assert [event async for event in events] == []


async def _numbers(alert_id: int) -> object:
    return {"alert": alert_id}


async def test_a_quiet_line_gives_signs_of_life(clock: ManualClock) -> None:
    live = Live(_numbers, clock, Pace(heartbeat=0.01))
    watch = live.watch(1)
    assert (await anext(watch)) is not None
    assert await anext(watch) is None
    await watch.aclose()
    assert live.readers == 0


async def test_a_line_ends_after_its_longest_time_so_that_the_watcher_proves_itself_again(clock: ManualClock) -> None:
    live = Live(_numbers, clock, Pace(longest=0.0))
    assert [each async for each in live.watch(1)] == []


async def test_too_many_watchers_are_turned_away(clock: ManualClock) -> None:
    live = Live(_numbers, clock, Pace(watchers=0))
    with pytest.raises(LimitedError):
        live.admit()


async def test_a_database_that_is_away_for_a_moment_ends_nothing(clock: ManualClock) -> None:
    asked = 0

    async def read(alert_id: int) -> object:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise ConnectionError("away")
        return {"asked": asked}

    live = Live(read, clock, Pace(heartbeat=0.01))
    watch = live.watch(1)
    assert await anext(watch) is None
    clock.advance(1)
    shown = None
    async with asyncio.timeout(60):
        while shown is None:
            shown = await anext(watch)
    assert json.loads(shown.data) == {"asked": 2}
    await watch.aclose()


async def test_one_look_that_fails_does_not_freeze_the_page(clock: ManualClock) -> None:
    looks = 0

    async def read(alert_id: int) -> object:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise ValueError("a fault of ours")
        return {"look": looks}

    live = Live(read, clock, Pace(heartbeat=10))
    watch = live.watch(7)
    seen = asyncio.ensure_future(anext(watch))
    for _ in range(5):
        await asyncio.sleep(0)
    clock.advance(1)
    async with asyncio.timeout(60):
        snapshot = await seen
    assert snapshot is not None
    assert snapshot.data == b'{"look":2}'
    await watch.aclose()


async def test_whoever_leaves_is_noted_and_is_no_fault(
    context: Context, aiohttp_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def gone(request: web.Request) -> web.Response:
        raise ClientConnectionResetError("Cannot write to closing transport")

    app = web.Application(middlewares=[envelope(error_page)])
    app[CONTEXT] = context
    app.router.add_get("/line", gone)
    with capture_logs() as logs:
        await (await aiohttp_client(app)).get("/line")
    assert [one["status"] for one in logs if one["event"] == "request"] == [LEFT]
    assert [record for record in caplog.records if record.name == "aiohttp.server"] == []
