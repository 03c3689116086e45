"""The people behind the addresses: who was asked confirms (or stays silent), some others write back all the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import aiohttp

from broadcaster.ports import Medium
from broadcaster.rehearsal.fates import Traits
from broadcaster.rehearsal.reading import Reading
from broadcaster.rehearsal.script import Behaviour
from broadcaster.rehearsal.wheel import Wheel
from channels.line.wire import ReplyRow

LINK_TIMEOUT = aiohttp.ClientTimeout(total=30)


class Answer(NamedTuple):
    """What somebody will write, or (`link`) the page on which they will press the button."""

    address: str
    text: str
    link: str


class People:
    """The readers of one account's messages. Nobody answers the same alert twice on the same channel."""

    def __init__(self, medium: Medium, prefix: str, write_back: Callable[[list[ReplyRow]], None]) -> None:
        self._medium = medium
        self._prefix = prefix
        self._write_back = write_back
        self._answered: set[tuple[str, int]] = set()
        self._wheel: Wheel[Answer] = Wheel(self._answer)
        self._next_id = 1
        self._clicks: set[asyncio.Task[None]] = set()

    def follow(self, behaviour: Behaviour) -> None:
        """Behave like this from now on."""
        self._key = behaviour.duty.key
        self._form: Mapping[str, str] = behaviour.duty.form

    def read(self, address: str, alert: int, reading: Reading, traits: Traits, received: float) -> None:
        """`address` receives a message at the loop's time `received`; perhaps they will answer."""
        text = self._unit_text(reading, traits) if reading.asks else traits.resident_text
        if not text or self._medium is Medium.LOUDSPEAKER or (address, alert) in self._answered:
            return
        self._answered.add((address, alert))
        link = reading.link() if reading.asks and traits.unit_way == "link" else ""
        delay = traits.unit_delay if reading.asks else traits.resident_delay
        if self._medium is Medium.VOICE and not link:
            delay = 0.0  # keys are pressed during the call
        self._wheel.put(received + delay, Answer(address, text, link))

    def say(self, address: str, text: str) -> str:
        """Somebody writes now, out of the blue; the id of what they wrote."""
        row = self._row(address, text)
        self._write_back([row])
        return row[0]

    def stop(self) -> None:
        self._wheel.stop()
        for click in self._clicks:
            click.cancel()

    def _unit_text(self, reading: Reading, traits: Traits) -> str:
        if traits.silent:
            return ""
        if self._medium is Medium.VOICE:
            return self._key
        return f"{traits.unit_text} {reading.code}" if reading.code and traits.with_code else traits.unit_text

    def _answer(self, answers: list[Answer]) -> None:
        rows = [self._row(answer.address, answer.text) for answer in answers if not answer.link]
        if rows:
            self._write_back(rows)
        for answer in answers:
            if answer.link:
                click = asyncio.create_task(self._click(answer.link))
                self._clicks.add(click)
                click.add_done_callback(self._clicks.discard)

    def _row(self, address: str, text: str) -> ReplyRow:
        number = self._next_id
        self._next_id += 1
        return f"{self._prefix}r{number}", address, text, time.time()

    async def _click(self, link: str) -> None:
        try:
            async with (
                aiohttp.ClientSession(timeout=LINK_TIMEOUT) as browser,
                browser.post(link, data=self._form) as page,
            ):
                await page.read()
        except (aiohttp.ClientError, TimeoutError):
            return  # the page does not open: this person gives up, as people do
