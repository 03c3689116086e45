"""One loudspeaker that has dialled in: it plays what it is told and reports, over one connection."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple
from zlib import crc32

from broadcaster.ports import Medium
from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.evidence import Proof
from broadcaster.rehearsal.fronts import terminal_frames as frames
from broadcaster.rehearsal.fronts.front import Front, FrontError
from broadcaster.rehearsal.fronts.line import words
from broadcaster.rehearsal.fronts.terminal_frames import Frames, Heard, Order, TerminalFrameError
from broadcaster.rehearsal.judge import Batch
from broadcaster.rehearsal.logbook import Sounded
from broadcaster.rehearsal.reading import Reading
from broadcaster.rehearsal.recordings import Verdict
from channels.line.wire import ACCEPTED, DEFERRED, AnswerRow

if TYPE_CHECKING:
    from broadcaster.rehearsal.fronts.terminals import Population
    from broadcaster.rehearsal.stage import Stage

ACCOUNT = "terminals"
"""Terminals sign in with their codes; in the record all of them are one account."""

BUSY, REFUSED = 3, 1
"""Results of a response."""

MARGIN = 10.0
"""Seconds by which an order lasts longer than its sound, about."""

STOPPED = "被停播"

YESTERDAY = "20200101"


class Playing(NamedTuple):
    """A broadcast on a terminal: when it begins, by the wall clock; what the decoder makes of it."""

    row: Proof
    begins: float
    check: asyncio.Future[Verdict]


class TerminalFront(Front[int]):
    """One connection; what came together is one order, whose session the answer names."""

    protocol: ClassVar[str] = "terminal_tcp"

    def __init__(self, stage: Stage, number: int, population: Population, code: str) -> None:
        super().__init__(stage, number)
        self.code = code
        self.gone = asyncio.Event()
        self.open: dict[int, tuple[int, float, Proof]] = {}
        settings = population.settings
        self._population = population
        self._frames = Frames(code, settings.platform, flagged=settings.sign_flag, seals=population.seals(code))
        self._session = 0
        self._beats: asyncio.TimerHandle | None = None
        self._dumb = population.fate(code, "silent", settings.silent)
        self._fetches: set[asyncio.Task[None]] = set()
        self._daily = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.admit(ACCOUNT, Medium.LOUDSPEAKER, lambda _: True, words):
            self.cut("not let in")
            return
        self._beat(first=True)
        if self.account is not None:
            self._population.join(self, self.account)
        if self._population.fate(self.code, "daily", self._population.settings.daily):
            self._daily = f"{self._population.settings.platform}{YESTERDAY}0001"
            self._say(frames.SWITCHED, frames.switched(frames.BEGAN, frames.DAILY, self._daily, time.time()))

    def connection_lost(self, problem: Exception | None) -> None:
        super().connection_lost(problem)
        self.gone.set()

    def depart(self, lost: str) -> None:
        if self._beats is not None:
            self._beats.cancel()
        for one in self._fetches:
            one.cancel()
        self._population.leave(self)
        super().depart(lost)

    def hear(self, data: bytes) -> None:
        try:
            for heard in self._frames.feed(data):
                if heard.packet == frames.RESPONSE:
                    self._acknowledged(heard)
                elif not self._dumb:
                    self._obey(heard)
                if self.mute:
                    return
        except TerminalFrameError as problem:
            raise FrontError(str(problem)) from problem

    def answer(self, frame: int, answers: list[AnswerRow]) -> None:
        for _, verdict, why, _ in answers:
            result = 0 if verdict == ACCEPTED else BUSY if verdict == DEFERRED else REFUSED
            self._respond(frame, frames.PLAY, frames.answered(result, "" if result == 0 else why))

    def say_bye(self) -> None:
        """The protocol has no good-bye."""

    def report(self, number: int, at: float, row: Proof, playing: Playing | None) -> None:
        """Say that a broadcast is over, and how it went."""
        ref, _, _, _, good, reason, *_ = row
        message, now = ref.partition("-")[0], time.time()
        if not message.isdigit():
            message = f"{self._population.settings.platform}{YESTERDAY}{crc32(ref.encode()) % 10_000:04d}"
        began, seconds = (playing.begins, playing.check.result().seconds) if playing is not None else (now, 0.0)
        ended = began + seconds if good else min(now, began + seconds)
        if playing is not None:
            self._say(frames.SWITCHED, frames.switched(frames.ENDED, frames.EMERGENCY, message, ended))
        body = frames.played(message, good=good, words=reason, began=began, ended=max(began, ended), now=now)
        session = self._say(frames.PLAYED, body)
        self.open[session] = (number, at, row)

    def _beat(self, *, first: bool) -> None:
        if first or not self._dumb:
            self._say(frames.HEARTBEAT, frames.heartbeat(first=first))
            self._beats = self.loop.call_later(self._population.settings.heartbeat, lambda: self._beat(first=False))

    def _say(self, kind: int, body: bytes) -> int:
        self._session += 1
        self.send(self._frames.write(self._session, frames.REQUEST, kind, body))
        return self._session

    def _respond(self, session: int, kind: int, body: bytes) -> None:
        self.send(self._frames.write(session, frames.RESPONSE, kind, body))

    def _acknowledged(self, heard: Heard) -> None:
        found = self.open.pop(heard.session, None)
        if found is not None:
            self._population.acknowledged(*found)

    def _obey(self, heard: Heard) -> None:
        match heard.kind:
            case frames.PLAY:
                self.expect(1)
                playing = asyncio.create_task(self._play(heard.session, frames.order(heard.body), time.time()))
                self._fetches.add(playing)
                playing.add_done_callback(self._fetches.discard)
            case frames.STOP:
                self._stop(heard.body[: frames.MESSAGE].hex()[1:])
                self._respond(heard.session, frames.STOP, frames.answered(0))
            case _:
                self._respond(heard.session, heard.kind, frames.answered(0))

    async def _play(self, session: int, order: Order, arrived: float) -> None:
        """Fetch the beginning of the sound, then take the order; the rest, and decoding it, take their time beside. One
        that is told again is answered, and played once."""
        ref = f"{order.message}-{self.code}"
        sha256, check = await self._begin(order.url)
        account = self.account
        if account is None or self.mute:
            return
        self.stage.logbook.write(Sounded(time.time(), account.name, ref, "fetched"))
        if ref in self._population.known:
            self._unanswered -= 1
            self._respond(session, frames.PLAY, frames.answered(0))
            return
        self.take(session, 1, lambda: self._judge(account, ref, order, sha256, check, arrived))

    async def _begin(self, url: str) -> tuple[str, asyncio.Future[Verdict]]:
        """As `Population.fetch`, as soon as there is something to play; before all of it is there, its SHA-256 is not
        known."""
        begun = asyncio.Event()
        fetching = asyncio.create_task(self._population.fetch(url, begun.set))
        fetching.add_done_callback(lambda _: begun.set())
        self._population.keep(fetching)
        await begun.wait()
        if fetching.done():
            return await fetching
        whole = asyncio.create_task(_checked(fetching))
        self._population.keep(whole)
        return "", whole

    def _judge(
        self, account: Account, ref: str, order: Order, sha256: str, check: asyncio.Future[Verdict], arrived: float
    ) -> list[AnswerRow]:
        verdict = check.result() if check.done() else Verdict(max(0.0, order.ends - order.begins - MARGIN), "")
        expires = float(order.ends)
        wait = max(0.0, order.begins - time.time())
        reading = Reading("", crc32((sha256 or order.url).encode()), asks=False, code="", url="", audio=sha256 or "-")
        batch = Batch([(0, 0, 0, self.code, 0, 3, expires)], [ref], [reading], waits=[wait])
        answers = account.take(batch, self, {reading.audio: verdict}, arrived)
        if answers[0][1] == ACCEPTED:
            row: Proof = (ref, 0, 0, 0, False, STOPPED, self.code, 1)
            self._population.known.add(ref)
            self._population.playing[ref] = Playing(row, time.time() + wait, check)
            if not check.done():
                check.add_done_callback(partial(self._checked, account, row))
            if not verdict.problem:
                self.loop.call_later(wait * account.pace, self._sound, account, ref, order.message)
        return answers

    def _checked(self, account: Account, row: Proof, check: asyncio.Future[Verdict]) -> None:
        """The sound has been decoded: if it is none, nothing was heard."""
        verdict = Verdict(0.0, "") if check.cancelled() else check.result()
        if verdict.problem:
            account.evidence.cut_short((*row[:5], verdict.problem, *row[6:]))

    def _sound(self, account: Account, ref: str, message: str) -> None:
        """It begins to sound, unless it was stopped."""
        if ref in self._population.playing:
            self.stage.logbook.write(Sounded(time.time(), account.name, ref, "began"))
            self._say(frames.SWITCHED, frames.switched(frames.BEGAN, frames.EMERGENCY, message, time.time()))

    def _stop(self, message: str) -> None:
        """Be silent; what was to be reported is reported as cut short, now."""
        ref = f"{message}-{self.code}"
        playing = self._population.playing.get(ref)
        if playing is not None and self.account is not None:
            self.stage.logbook.write(Sounded(time.time(), self.account.name, ref, "stopped"))
            self.account.evidence.cut_short(playing.row)
        elif message == self._daily and self.account is not None:
            self._daily = ""
            self.stage.logbook.write(Sounded(time.time(), self.account.name, ref, "stopped"))
            self._say(frames.SWITCHED, frames.switched(frames.ENDED, frames.DAILY, message, time.time()))


async def _checked(fetching: asyncio.Task[tuple[str, asyncio.Future[Verdict]]]) -> Verdict:
    """What becomes of a sound of which only the beginning is there."""
    _, check = await fetching
    return await asyncio.shield(check)
