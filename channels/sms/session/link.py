"""One connection to a gateway: parts out, answers matched to what was sent, signs of life."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol

from broadcaster.ports import Journal
from channels.sms.parts import Part
from channels.sms.session.connection import Connection
from channels.sms.session.events import (
    Alive,
    Answered,
    Asked,
    Dialect,
    Farewell,
    Knocks,
    Reported,
    Said,
    SignedIn,
    WireError,
)
from channels.sms.session.flight import Flight

MOST_SEQUENCE = 0x7FFFFFFF
NEVER = MOST_SEQUENCE + 1

Incoming = Callable[[Reported | Said], None]


class Patience(NamedTuple):
    """Seconds: until an answer is given up, of silence after which a sign of life is asked for; and how many of those
    may stay unanswered."""

    answer: float
    heartbeat: float
    unanswered: int


class Sender(Protocol):
    """Whoever submitted a part."""

    def answered(self, part: Part, answer: Answered) -> None: ...


class Filler(Protocol):
    """Whoever has more to submit."""

    def fill(self) -> None: ...


class Link(Connection):
    """`signed_in` resolves with "" or with why not. Who is in `waiting` may fill the room that answers made, in its
    turn; its event is set whenever there may be room again, or never again."""

    def __init__(
        self,
        dialect: Dialect,
        window: int,
        patience: Patience,
        journal: Journal,
        incoming: Incoming,
        flight: Flight,
        now: datetime,
    ) -> None:
        super().__init__(dialect.shortest, dialect.longest, patience.heartbeat)
        self._dialect = dialect
        self._window = window
        self._patience = patience
        self._journal = journal
        self._incoming = incoming
        self._flight = flight
        self._now = now
        self._sequence = 0
        self._sent: dict[int, tuple[Sender, Part, float]] = {}
        self._unwritten: list[bytes] = []
        self._writable = True
        self._leaving = False
        self._asked = 0
        self._watch: asyncio.TimerHandle | None = None
        self.waiting: dict[Filler, asyncio.Event] = {}
        self.signed_in: asyncio.Future[str] = self._loop.create_future()

    @property
    def alive(self) -> bool:
        """Signed in and not over."""
        return self.signed_in.done() and not self.ended.done()

    @property
    def open_for_more(self) -> bool:
        """Alive, and not yet taking leave."""
        return self.alive and not self._leaving

    @property
    def room(self) -> int:
        """How many parts may be written now."""
        return self._window - len(self._sent) if self._writable and self.open_for_more else 0

    @property
    def written(self) -> int:
        """The number of the frame that was written last."""
        return self._sequence

    @property
    def oldest(self) -> int:
        """The number of the first frame that still waits for its answer; beyond all numbers where none does."""
        return next(iter(self._sent), NEVER)

    def submit(self, part: Part, address: str, urgency: int, expires: datetime, sender: Sender) -> None:
        """Submit one part; it is written with the next `flush`, so that many go out together. `sender` is told the
        gateway's word on it, never if the connection ends before."""
        sequence = self._next()
        self._sent[sequence] = (sender, part, self._loop.time())
        self._unwritten.append(self._dialect.submit(sequence, part, address, urgency, expires))

    def flush(self) -> None:
        """Write what was submitted."""
        if self._unwritten:
            self.write(b"")

    def write(self, data: bytes) -> None:
        """Write octets, behind what was submitted; on a connection that is over, nothing."""
        if self._unwritten:
            data = b"".join([*self._unwritten, data])
            self._unwritten.clear()
        super().write(data)

    def leave(self) -> None:
        """Submit nothing more, and say good-bye once everything is answered."""
        if not self._leaving and self.alive:
            self._leaving = True
            self._journal.note("→", "good-bye")
            if not self._sent:
                self.write(self._dialect.farewell(self._next()))
        self._wake()

    def over(self, reason: str) -> None:
        self._journal.note("!", reason)
        if not self.signed_in.done():
            self.signed_in.set_result(reason)
        if self._watch is not None:
            self._watch.cancel()
        self._sent.clear()
        self._unwritten.clear()
        self._flight.leave(self)
        self._wake()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._flight.join(self)
        self._journal.note("→", "sign in")
        self.write(self._dialect.sign_in(self._next(), self._now))
        self._look_after()

    def data_received(self, data: bytes) -> None:
        self._asked = 0
        open_before = len(self._sent)
        super().data_received(data)
        if len(self._sent) < open_before:
            if self.open_for_more:
                for filler in self.waiting:
                    filler.fill()
            self._wake()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._wake()

    def connection_lost(self, problem: Exception | None) -> None:
        self.end("disconnected" if self._leaving else f"connection lost: {problem or 'closed by the gateway'}")

    def take(self, frame: bytes) -> None:
        event = self._dialect.read(frame)
        match event:
            case Answered():
                sent = self._sent.pop(event.sequence, None)
                if sent is not None:  # one that we gave up, or another's: nothing to learn from it
                    sender, part, _ = sent
                    sender.answered(part, event)
                if self._leaving and not self._sent:
                    self.write(self._dialect.farewell(self._next()))
            case Reported() | Said():
                self._incoming(event)
            case Asked(answer):
                self.write(answer)
            case Knocks():
                raise WireError("a sign-in of the gateway on our own connection")
            case Alive():
                pass
            case SignedIn(why):
                if why:
                    self.end(f"not let in: {why}")
                elif not self.signed_in.done():
                    self._journal.note("←", "signed in")
                    self.signed_in.set_result("")
            case Farewell(answer):
                if answer:
                    self.write(answer)
                self.end("disconnected" if self._leaving else "the gateway said good-bye")

    def _look_after(self) -> None:
        """Ask for a sign of life after a silence; give up when there is none, or an answer that never comes."""
        now = self._loop.time()
        oldest = next(iter(self._sent.values()), None)
        if oldest is not None and self.waited(oldest[2]) > self._patience.answer:
            self.end(f"no answer to a submit within {self._patience.answer:g} s")
            return
        if self.alive and not self._held and now - self._heard > self._patience.heartbeat * (self._asked + 1):
            if self._asked >= self._patience.unanswered:
                self.end(f"no sign of life for {now - self._heard:.0f} s")
                return
            if question := self._dialect.ask(self._next()):
                self._asked += 1
                self.write(question)
        self._watch = self._loop.call_later(min(self._patience.answer, self._patience.heartbeat) / 4, self._look_after)

    def _next(self) -> int:
        self._sequence = self._sequence % MOST_SEQUENCE + 1
        return self._sequence

    def _wake(self) -> None:
        for event in self.waiting.values():
            event.set()
        self._flight.landed()
