"""One connection to a gateway: frames out, answers matched to what was sent, signs of life."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from broadcaster.ports import Journal
from channels.sms.parts import Part
from channels.sms.session.events import (
    Alive,
    Answered,
    Asked,
    Dialect,
    Farewell,
    Reported,
    Said,
    SignedIn,
    WireError,
)

MOST_SEQUENCE = 0x7FFFFFFF
SHORTEST = 12
WRITE_BUFFER = 256 * 1024

Answer = Callable[[Answered], None]
Incoming = Callable[[Reported | Said], None]


class Patience(NamedTuple):
    """Seconds: until an answer is given up, of silence after which a sign of life is asked for; and how many of those
    may stay unanswered."""

    answer: float
    heartbeat: float
    unanswered: int


class _Sent(NamedTuple):
    answer: Answer
    since: float


class Link(asyncio.Protocol):
    """`signed_in` resolves with "" or with why not; `ended` with the reason once the connection is over. Events in
    `waiting` are set whenever there may be room again, or never again."""

    def __init__(
        self, dialect: Dialect, window: int, patience: Patience, journal: Journal, incoming: Incoming, now: datetime
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._dialect = dialect
        self._window = window
        self._patience = patience
        self._journal = journal
        self._incoming = incoming
        self._now = now
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._sequence = 0
        self._sent: dict[int, _Sent] = {}
        self._writable = True
        self._held = False
        self._leaving = False
        self._heard = self._loop.time()
        self._asked = 0
        self._watch: asyncio.TimerHandle | None = None
        self.waiting: set[asyncio.Event] = set()
        self.signed_in: asyncio.Future[str] = self._loop.create_future()
        self.ended: asyncio.Future[str] = self._loop.create_future()

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

    def settled(self, written: int) -> bool:
        """Whether everything up to frame `written` has its answer, or will never get one."""
        oldest = next(iter(self._sent), None)
        return oldest is None or oldest > written

    def submit(self, part: Part, address: str, urgency: int, expires: datetime, answer: Answer) -> None:
        """Write one part; `answer` is called with the gateway's word on it, never if the connection ends before."""
        sequence = self._next()
        self._sent[sequence] = _Sent(answer, self._loop.time())
        self.write(self._dialect.submit(sequence, part, address, urgency, expires))

    def write(self, data: bytes) -> None:
        """Write octets; on a connection that is over, nothing."""
        if self._transport is not None and not self.ended.done():
            self._transport.write(data)

    def leave(self) -> None:
        """Submit nothing more, and say good-bye once everything is answered."""
        if not self._leaving and self.alive:
            self._leaving = True
            self._journal.note("→", "good-bye")
            if not self._sent:
                self.write(self._dialect.farewell(self._next()))
        self._wake()

    def end(self, reason: str) -> None:
        """The connection is over; the first reason counts."""
        if self.ended.done():
            return
        self.ended.set_result(reason)
        self._journal.note("!", reason)
        if not self.signed_in.done():
            self.signed_in.set_result(reason)
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.close()
        self._sent.clear()
        self._wake()

    def hold(self, held: bool) -> None:
        """Stop or resume reading, when what comes back is not stored fast enough."""
        if held == self._held or self._transport is None or self.ended.done():
            return
        self._held = held
        if held:
            self._transport.pause_reading()
        else:
            self._heard = self._loop.time()
            self._transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("A gateway needs a stream.")
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        self._transport = transport
        self._journal.note("→", "sign in")
        self.write(self._dialect.sign_in(self._next(), self._now))
        self._look_after()

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        self._asked = 0
        data = self._rest + data if self._rest else data
        start, end = 0, len(data)
        try:
            while end - start >= 4 and not self.ended.done():
                length = int.from_bytes(data[start : start + 4])
                if not SHORTEST <= length <= self._dialect.longest:
                    raise WireError(f"a frame of {length} octets")
                if end - start < length:
                    break
                self._take(data[start : start + length])
                start += length
        except WireError as problem:
            self.end(f"not the protocol: {problem}")
        self._rest = data[start:]

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._wake()

    def connection_lost(self, problem: Exception | None) -> None:
        self.end("disconnected" if self._leaving else f"connection lost: {problem or 'closed by the gateway'}")

    def _take(self, frame: bytes) -> None:
        event = self._dialect.read(frame)
        match event:
            case Answered():
                sent = self._sent.pop(event.sequence, None)
                if sent is not None:  # one that we gave up, or another's: nothing to learn from it
                    sent.answer(event)
                    self._wake()
                if self._leaving and not self._sent:
                    self.write(self._dialect.farewell(self._next()))
            case Reported() | Said():
                self._incoming(event)
            case Asked(answer):
                self.write(answer)
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
        if oldest is not None and now - oldest.since > self._patience.answer:
            self.end(f"no answer to a submit within {self._patience.answer:g} s")
            return
        if self.alive and not self._held and now - self._heard > self._patience.heartbeat * (self._asked + 1):
            if self._asked >= self._patience.unanswered:
                self.end(f"no sign of life for {now - self._heard:.0f} s")
                return
            self._asked += 1
            self.write(self._dialect.ask(self._next()))
        self._watch = self._loop.call_later(min(self._patience.answer, self._patience.heartbeat) / 4, self._look_after)

    def _next(self) -> int:
        self._sequence = self._sequence % MOST_SEQUENCE + 1
        return self._sequence

    def _wake(self) -> None:
        for event in self.waiting:
            event.set()
