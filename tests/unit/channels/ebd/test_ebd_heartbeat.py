"""The watch over a connection ends when it is told to, whatever comes at the same moment."""

from __future__ import annotations

import asyncio

from broadcaster.tasks import ended
from broadcaster.testing.memory import MemoryJournal
from channels.loudspeaker.ebd.driver import EbdDriver
from channels.loudspeaker.ebd.plugin import EbdPlugin
from tests.harness.ebd_platform import gateway

TURNS = 8
"""Turns of the loop between an answer and the end of whoever waits for it."""


class Line:
    """A conversation in which answers come when they are told to."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def say(self, body: object) -> None:
        self.asked.set()
        await self.answer


async def test_an_answer_that_comes_as_the_connection_is_closed_does_not_keep_it_open() -> None:
    driver = EbdPlugin().build(gateway(heartbeat=0.001), MemoryJournal())
    assert isinstance(driver, EbdDriver)
    for turns in range(TURNS):
        line, over = Line(), asyncio.get_running_loop().create_future()
        watching = asyncio.create_task(driver._keep_alive(line, over))  # type: ignore[arg-type]
        await line.asked.wait()
        line.answer.set_result(None)
        for _ in range(turns):
            await asyncio.sleep(0)
        watching.cancel()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        heard = watching.done()
        await ended(watching)
        assert heard, f"told {turns} turns after the answer"
