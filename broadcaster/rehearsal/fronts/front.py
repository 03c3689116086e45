"""A connection to the rehearsal, seen from the gateway's side: what all protocols share, and the accidents that the
script wants."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from broadcaster.ports import Medium
from broadcaster.rehearsal.accidents import Accidents
from broadcaster.rehearsal.account import Account
from broadcaster.rehearsal.fates import draw, repeatable
from broadcaster.rehearsal.logbook import Lost, SignedIn
from broadcaster.rehearsal.names import Names
from channels.line.wire import AnswerRow

if TYPE_CHECKING:
    from broadcaster.rehearsal.stage import Stage

T = TypeVar("T")

MOST_TARDY = 0.002
"""Seconds that a timer is taken to be late by itself; what is more was a busy machine."""

Proof = Callable[[str], bool]
"""Whether a client has shown that it knows this password."""


WRONG_PASSWORD = "wrong password"  # noqa: S105 (that is no password)
TOO_MANY = "too many connections"


class FrontError(ValueError):
    """What came is not the protocol; the connection cannot be used further."""


class Front(asyncio.Protocol, ABC, Generic[T]):
    """Hands what a client sends to its account and answers after the gateway's delay. `T` is what a protocol needs to
    remember to answer what came together."""

    protocol: ClassVar[str]
    garbage: ClassVar[bytes] = b"\xff\xfe\xfd\xfcHTTP/1.1 502 Bad Gateway\r\n\r\n"
    """Where frames begin with their length, its first four bytes announce one far longer than any."""

    def __init__(self, stage: Stage, number: int) -> None:
        self.number = number
        self.stage = stage
        self.account: Account | None = None
        self.transport: asyncio.Transport | None = None
        self.leaving = False
        self.mute = False
        self.loop = asyncio.get_running_loop()
        self._random = repeatable(f"{stage.script.seed}/{number}")
        self._accidents = Accidents(self._random)
        self._writable = True
        self._resuming = False
        self._reason = ""
        self._unanswered = 0
        self._came = 0.0
        self._tardiness = 0.0

    @abstractmethod
    def hear(self, data: bytes) -> None:
        """Do what the client asks for; `FrontError` when nobody can tell what that is."""

    @abstractmethod
    def answer(self, frame: T, answers: list[AnswerRow]) -> None:
        """Write the answers to messages that came together in `frame`."""

    @abstractmethod
    def say_bye(self) -> None:
        """Everything that was taken is answered, and the client wants to leave: the last word."""

    def complain(self, problem: FrontError) -> None:
        """Tell the client what cannot be understood, before the connection is cut."""

    @property
    def free(self) -> bool:
        """Whether something may be written of our own accord now: receipts, replies."""
        return self._writable and not self.mute and not self.leaving and not self.silence()

    def send(self, data: bytes) -> None:
        if self.transport is not None and not self.mute:
            self.transport.write(data)

    def admit(self, name: str, medium: Medium, proves: Proof, names: Callable[[str], Names]) -> str:
        """Sign in to an account; why not, or "". `names` makes the ids of a new account from its prefix. A
        gateway that hangs says nothing any more: look at `mute`."""
        account, refusal = self.stage.admit(name, medium, self.protocol, proves, names)
        if account is None:
            return refusal
        if self._random.random() < account.behaviour.faults.hang:
            self.mute = True
            return ""
        self.account = account
        self.stage.logbook.write(SignedIn(time.time(), account.name, account.medium.value, self.number))
        account.join(self)
        return ""

    def expect(self, count: int) -> None:
        """So many messages have come and are to be answered."""
        self._unanswered += count

    def take(self, frame: T, count: int, judge: Callable[[], list[AnswerRow]]) -> None:
        """Let `judge` take `count` messages, and answer them the gateway's delay after they came, unless something
        happens."""
        account = self.account
        if account is None or self.mute:
            return
        faults, chance = account.behaviour.faults, self._random.random
        if faults.cut and chance() < faults.cut:
            if chance() < faults.cut_taken:
                judge()
            self.cut("cut by the script")
            return
        if faults.garbage and chance() < faults.garbage:
            self.send(self.garbage)
        answers = judge()
        self._accidents.took(count, faults, self.loop.time())
        if faults.half_open and chance() < faults.half_open:
            self._fall_silent()
            return
        moment = self._came + draw(self._random, account.behaviour.answer) * self.stage.script.pace
        now = self.loop.time()
        for later, part in self._accidents.pieces(answers, faults):
            if moment + later > now:
                begin = moment + later - self._tardiness
                self.loop.call_at(begin, self._on_time, begin, frame, part)
            else:
                self._answer(frame, part)

    def leave(self) -> None:
        """The client wants to go: answer what is open, then say good-bye."""
        self.leaving = True
        if self._unanswered == 0:
            self.say_bye()

    def cut(self, reason: str) -> None:
        """Disconnect at once."""
        self._reason = self._reason or reason
        self.mute = True
        if self.transport is not None:
            self.transport.abort()

    def silence(self) -> float:
        """Seconds for which the gateway hangs; once they are over, what is owed goes out."""
        silence = self._accidents.silence(self.loop.time())
        if silence > 0 and not self._resuming:
            self._resuming = True
            self.loop.call_later(silence, self._resume)
        return silence

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("A gateway needs a stream.")
        self.transport = transport
        self.stage.connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self.mute:
            return
        self._came = self.loop.time()
        self._rest(len(data))
        try:
            self.hear(data)
        except FrontError as problem:
            if self.account is not None:
                self.account.protocol_error()
            self.complain(problem)
            self.cut("protocol error")

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self.go_on()

    def go_on(self) -> None:
        """There is room again, or the gateway has come to: what is owed goes out."""
        if self.account is not None:
            self.account.push()

    def connection_lost(self, problem: Exception | None) -> None:
        self.stage.connections.discard(self)
        self.mute = True
        self.depart("" if self.leaving else self._reason or f"closed by the client: {problem or 'no good-bye'}")

    def depart(self, lost: str) -> None:
        """The account has one connection less."""
        account, self.account = self.account, None
        if account is not None:
            account.leave(self, self._unanswered, lost)
            if lost:
                self.stage.logbook.write(Lost(time.time(), account.name, self.number, self._unanswered, lost))

    def _on_time(self, meant: float, frame: T, answers: list[AnswerRow]) -> None:
        """Answer, and learn by how much timers are late: the next are set so much sooner, or every delay would be half
        a millisecond longer than the script says."""
        late = min(MOST_TARDY, max(0.0, self.loop.time() - meant))
        self._tardiness += (late - self._tardiness) / 16
        self._answer(frame, answers)

    def _answer(self, frame: T, answers: list[AnswerRow]) -> None:
        if self.mute:
            return
        if (silence := self.silence()) > 0:
            self.loop.call_later(silence, self._answer, frame, answers)
            return
        self.answer(frame, answers)
        self._unanswered -= len(answers)
        if self.leaving and self._unanswered == 0:
            self.say_bye()

    def _resume(self) -> None:
        self._resuming = False
        self.go_on()

    def _rest(self, size: int) -> None:
        """Read nothing more until `size` bytes have had their time."""
        rate = self.account.behaviour.faults.read_rate if self.account is not None else 0.0
        if rate and self.transport is not None:
            self.transport.pause_reading()
            self.loop.call_later(size / rate, self._read_on)

    def _read_on(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def _fall_silent(self) -> None:
        """Half-open: the socket stays, nobody is there any more."""
        self.mute = True
        self.depart("half-open by the script")
