"""The people behind the addresses: who was asked confirms (or stays silent), some others write back all the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from broadcaster.ports import Medium
from broadcaster.rehearsal.browser import Browser
from broadcaster.rehearsal.fates import Traits
from broadcaster.rehearsal.names import Names
from broadcaster.rehearsal.outbox import Word
from broadcaster.rehearsal.reading import Reading
from broadcaster.rehearsal.script import Behaviour
from broadcaster.rehearsal.wheel import Wheel

REPLY, LINK, LOOK = "reply", "link", "look"
"""Ways of a duty holder: write back, press the button behind the link, or open the page and forget it."""


class Answer(NamedTuple):
    """What somebody will write, or (`link`) the page that they will open, and the button they will press there; or
    (`task`) the button of the message itself."""

    address: str
    text: str
    link: str
    button: str
    task: str = ""


class People:
    """The readers of one account's messages. Nobody answers the same alert twice on the same channel; who is asked back
    which one was meant answers for each."""

    def __init__(self, medium: Medium, names: Names, write_back: Callable[[list[Word]], None]) -> None:
        self._medium = medium
        self._names = names
        self._write_back = write_back
        self._answered: set[tuple[str, int]] = set()
        self._wheel: Wheel[Answer] = Wheel(self._answer)
        self._browser = Browser()
        self._clicks: set[asyncio.Task[bool]] = set()

    def follow(self, behaviour: Behaviour) -> None:
        """Behave like this from now on."""
        self._duty = behaviour.duty

    def read(self, address: str, alert: int, reading: Reading, traits: Traits, received: float) -> None:
        """`address` receives a message at the loop's time `received`; perhaps they will answer."""
        if choices := reading.choices():
            delay = received + traits.unit_delay
            for code in choices:
                self._wheel.put(delay, Answer(address, f"{traits.unit_text} {code}", "", ""))
            return
        text = self._unit_text(reading, traits) if reading.asks else traits.resident_text
        if not text or self._medium is Medium.LOUDSPEAKER or (address, alert) in self._answered:
            return
        self._answered.add((address, alert))
        way = traits.unit_way if reading.asks else REPLY
        link = "" if way == REPLY else reading.link()
        if way == LOOK and not link:
            return
        button = self._duty.button if way == LINK else ""
        delay = traits.unit_delay if reading.asks else traits.resident_delay
        if self._medium is Medium.VOICE and not link:
            delay = 0.0  # keys are pressed during the call
        self._wheel.put(received + delay, Answer(address, text, link, button, reading.task))

    def say(self, address: str, text: str, task: str = "") -> str:
        """Somebody writes now, out of the blue, or presses the button of `task`; the id of what they wrote."""
        row = self._row(address, text, task)
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
            return self._duty.key
        if reading.task:
            return reading.key
        return f"{traits.unit_text} {reading.code}" if reading.code and traits.with_code else traits.unit_text

    def _answer(self, answers: list[Answer]) -> None:
        rows = [self._row(answer.address, answer.text, answer.task) for answer in answers if not answer.link]
        if rows:
            self._write_back(rows)
        for answer in answers:
            if answer.link:
                click = asyncio.create_task(self._browser.open(answer.link, answer.button, self._duty.form))
                self._clicks.add(click)
                click.add_done_callback(self._clicks.discard)

    def _row(self, address: str, text: str, task: str) -> Word:
        return self._names.reply(), address, text, time.time(), task
