"""One loudspeaker terminal of GD/J 089 that does what a test wants: it speaks the codec that was written for terminals,
which shares no line with the driver's."""

from __future__ import annotations

import asyncio
import contextlib
import time
from types import TracebackType
from typing import Self

from broadcaster.rehearsal.fronts import terminal_frames as frames
from broadcaster.rehearsal.fronts.terminal_frames import Frames, Heard, Order, Seals
from tests.harness.waiting import wait_until

PLATFORM = "43415230000000103010101"


class Terminal:
    """Connected as long as it is entered. `orders` and `stops` are what it was told, `answers` the bodies by which the
    platform acknowledged, by session. `result` is what it answers an order with; None: nothing."""

    def __init__(
        self, code: str, port: int, *, result: int | None = 0, words: str = "", flagged: bool = False,
        seals: Seals | None = None,
    ) -> None:  # fmt: skip
        self.code = code
        self.result = result
        self.words = words
        self.orders: list[Order] = []
        self.order_sessions: list[int] = []
        self.stops: list[str] = []
        self.told: list[str] = []
        self.answers: dict[int, bytes] = {}
        self.gone = asyncio.Event()
        self._port = port
        self._flagged = flagged
        self._seals = seals
        self._session = 0
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.dial()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.hang_up()

    async def dial(self, *, register: bool = True) -> None:
        self._frames = Frames(self.code, PLATFORM, flagged=self._flagged, seals=self._seals)
        self.gone.clear()
        reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._reading = asyncio.create_task(self._listen(reader))
        if register:
            session = self.beat(first=True)
            await self.acknowledged(session)

    async def hang_up(self) -> None:
        if self._reading is not None:
            self.writer.transport.abort()
            await asyncio.wait([self._reading])

    def beat(self, *, first: bool = False) -> int:
        return self.say(frames.HEARTBEAT, frames.heartbeat(first=first))

    def say(self, kind: int, body: bytes, session: int | None = None) -> int:
        if session is None:
            self._session += 1
            session = self._session
        self.writer.write(self._frames.write(session, frames.REQUEST, kind, body))
        return session

    def respond(self, session: int, kind: int, result: int) -> None:
        self.writer.write(self._frames.write(session, frames.RESPONSE, kind, frames.answered(result)))

    def began(self, message: str, task: int = frames.EMERGENCY) -> int:
        return self.say(frames.SWITCHED, frames.switched(frames.BEGAN, task, message, time.time()))

    def played(self, message: str, *, good: bool = True, words: str = "", seconds: float = 60.0) -> int:
        """Report the result of a broadcast that sounded so long, just now."""
        now = time.time()
        body = frames.played(message, good=good, words=words, began=now - seconds, ended=now, now=now)
        return self.say(frames.PLAYED, body)

    async def acknowledged(self, session: int) -> bytes:
        """The body by which the platform acknowledged one of ours."""
        await wait_until(lambda: session in self.answers, within=60, what="an acknowledgement")
        return self.answers[session]

    async def ordered(self, count: int = 1) -> list[Order]:
        await wait_until(lambda: len(self.orders) >= count, within=60, what=f"{count} orders")
        return self.orders

    async def stopped(self, count: int = 1) -> list[str]:
        await wait_until(lambda: len(self.stops) >= count, within=60, what=f"{count} stops")
        return self.stops

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                for heard in self._frames.feed(data):
                    self._obey(heard)
        self.gone.set()

    def _obey(self, heard: Heard) -> None:
        if heard.packet == frames.RESPONSE:
            self.answers[heard.session] = heard.body
        elif heard.kind == frames.STOP:
            self.stops.append(heard.body.hex()[1:])
            self.told.append("stop")
            if self.result is not None:
                self.respond(heard.session, frames.STOP, 0)
        elif heard.kind == frames.PLAY:
            self.orders.append(frames.order(heard.body))
            self.order_sessions.append(heard.session)
            self.told.append("play")
            if self.result is not None:
                body = frames.answered(self.result, self.words)
                self.writer.write(self._frames.write(heard.session, frames.RESPONSE, frames.PLAY, body))
