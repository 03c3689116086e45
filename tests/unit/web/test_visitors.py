"""However many connect and say nothing, the process keeps files for its work, and who asks is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from aiohttp import ClientSession, web
from structlog.testing import capture_logs

from broadcaster.clock import ManualClock
from broadcaster.web.visitors import Entrance, Visitors
from tests.harness.ports import free_port

MOST = 5


class Gate:
    """Holds answers back; `begun` counts the requests that wait at it."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.begun = asyncio.Semaphore(0)


@asynccontextmanager
async def house(gate: Gate) -> AsyncIterator[tuple[web.AppRunner, int]]:
    visitors = Visitors(ManualClock(datetime(2026, 8, 10, tzinfo=UTC)))
    app = web.Application(middlewares=[visitors.middleware])

    async def slow(_request: web.Request) -> web.Response:
        gate.begun.release()
        await gate.opened.wait()
        return web.Response(text="slow")

    async def quick(_request: web.Request) -> web.Response:
        return web.Response(text="quick")

    app.add_routes([web.get("/slow", slow), web.get("/quick", quick)])
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await Entrance(runner, visitors, "127.0.0.1", port, MOST).start()
    try:
        yield runner, port
    finally:
        await runner.cleanup()


async def silent(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /quick HTTP/1.1\r\n")
    return reader, writer


async def ended(reader: asyncio.StreamReader) -> None:
    try:
        assert await reader.read() == b""
    except ConnectionResetError:
        return


async def asked(port: int, path: str) -> str:
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return await answer.text()


async def test_who_says_nothing_gives_way_and_who_is_being_answered_stays() -> None:
    gate = Gate()
    async with house(gate) as (runner, port), asyncio.timeout(60):
        waiting = asyncio.ensure_future(asked(port, "/slow"))
        await gate.begun.acquire()
        kept = [await silent(port) for _ in range(3 * MOST)]
        assert await asked(port, "/quick") == "quick"
        for reader, _ in kept[: 2 * MOST]:
            await ended(reader)
        assert runner.server is not None
        assert len(runner.server.connections) <= MOST
        gate.opened.set()
        assert await waiting == "slow"
        for _, writer in kept:
            writer.close()


async def test_where_everybody_is_being_answered_no_more_come_in_and_it_is_told_once() -> None:
    gate = Gate()
    with capture_logs() as logs:
        async with house(gate) as (_, port), asyncio.timeout(60):
            waiting = [asyncio.ensure_future(asked(port, "/slow")) for _ in range(MOST)]
            for _ in waiting:
                await gate.begun.acquire()
            for _ in range(2):
                reader, writer = await silent(port)
                await ended(reader)
                writer.close()
            gate.opened.set()
            assert await asyncio.gather(*waiting) == ["slow"] * MOST
    assert [log["event"] for log in logs] == ["web.crowded"]
