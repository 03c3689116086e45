"""One connection of the rehearsal line, seen from our side: frames out, answers matched to what was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeAlias

from broadcaster.ports import Journal
from channels.line.settings import LineOptions
from channels.line.wire import (
    AnswerRow,
    Answers,
    Bye,
    Frame,
    Framer,
    LineError,
    Ping,
    Pong,
    Receipts,
    Refused,
    Replies,
    Submit,
    SubmitRow,
    Welcome,
    encode,
)

Answered: TypeAlias = Callable[[list[AnswerRow]], int]
"""Takes the answers to a frame's rows; returns how many of them were answers not given before."""

Incoming: TypeAlias = Callable[[Receipts | Replies], None]

WRITE_BUFFER = 256 * 1024
"""Bytes that may wait for the socket before senders hold back."""


class _Sent:
    """A submitted frame that waits for answers."""

    __slots__ = ("answered", "left", "since")

    def __init__(self, answered: Answered, left: int, since: float) -> None:
        self.answered = answered
        self.left = left
        self.since = since


class Link(asyncio.Protocol):
    """Submits frames within the window and notices when the peer is gone, silent or talking nonsense.

    `signed_in` resolves with None, or with why not; `ended` with the reason once the connection is over; `finished`
    when the peer has said good-bye. Events in `senders` are set when nothing more can be sent, those in
    `short_of_room` when there is room again.
    """

    def __init__(self, options: LineOptions, journal: Journal, incoming: Incoming) -> None:
        self._loop = asyncio.get_running_loop()
        self._options = options
        self._journal = journal
        self._incoming = incoming
        self._framer = Framer()
        self._transport: asyncio.Transport | None = None
        self._writable = True
        self._held = False
        self._saying_bye = False
        self._sent: dict[int, _Sent] = {}
        self._next_frame = 1
        self._heard = self._listening_since = self._loop.time()
        self._watch: asyncio.TimerHandle | None = None
        self.in_flight = 0
        self.senders: set[asyncio.Event] = set()
        self.short_of_room: set[asyncio.Event] = set()
        self.signed_in: asyncio.Future[str | None] = self._loop.create_future()
        self.finished: asyncio.Future[None] = self._loop.create_future()
        self.ended: asyncio.Future[str] = self._loop.create_future()

    @property
    def alive(self) -> bool:
        """Signed in and not over."""
        return self.signed_in.done() and not self.ended.done()

    @property
    def open_for_more(self) -> bool:
        """Alive, and not yet saying good-bye."""
        return self.alive and not self._saying_bye

    def room(self) -> int:
        """How many more messages may be written now."""
        return self._options.window - self.in_flight if self._writable else 0

    async def wait_until_writable(self) -> None:
        """Return when the socket takes more, or the connection is over."""
        changed = asyncio.Event()
        self.senders.add(changed)
        self.short_of_room.add(changed)
        try:
            while not self._writable and not self.ended.done():
                changed.clear()
                await changed.wait()
        finally:
            self.senders.discard(changed)
            self.short_of_room.discard(changed)

    def write(self, frame: Frame) -> None:
        """Write a frame; on a connection that is over, nothing."""
        if self._transport is not None and not self.ended.done():
            self._transport.write(encode(frame))

    def submit(
        self, heads: list[str], tails: list[str], messages: list[list[str]], rows: list[SubmitRow], answered: Answered
    ) -> None:
        """Write one frame of messages; `answered` gets the answers to its rows as they come."""
        number = self._next_frame
        self._next_frame += 1
        self._sent[number] = _Sent(answered, len(rows), self._loop.time())
        self.in_flight += len(rows)
        self._journal.note("→", f"submit {number}: {len(rows)} messages")
        self.write(Submit(number, heads, tails, messages, rows))

    def bye(self) -> None:
        """Submit nothing more; the peer answers what is open and says good-bye too."""
        if self.alive and not self._saying_bye:
            self._saying_bye = True
            self._journal.note("→", "good-bye")
            self.write(Bye())
            wake(self.senders)

    async def over(self, within: float) -> None:
        """Return when the peer has said good-bye or the connection is over, after `within` seconds in any case."""
        endings: list[asyncio.Future[None] | asyncio.Future[str]] = [self.finished, self.ended]
        await asyncio.wait(endings, timeout=within, return_when=asyncio.FIRST_COMPLETED)

    def hang_up(self) -> None:
        """Disconnect in good order: what was written still goes out."""
        if self._transport is not None:
            self._transport.close()

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
            self._transport.abort()
        wake(self.senders)

    def hold(self, held: bool) -> None:
        """Stop or resume reading, when what comes back is not stored fast enough."""
        if held == self._held or self._transport is None or self.ended.done():
            return
        self._held = held
        if held:
            self._journal.note("!", "reading is held back: what came waits to be stored")
            self._transport.pause_reading()
        else:
            self._heard = self._listening_since = self._loop.time()
            self._transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("The rehearsal line needs a stream.")
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        self._transport = transport
        self._look_after()

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        try:
            for frame in self._framer.feed(data):
                self._take(frame)
        except LineError as problem:
            self.end(f"protocol error: {problem}")

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        wake(self.short_of_room)

    def connection_lost(self, problem: Exception | None) -> None:
        self.end("disconnected" if self._saying_bye else f"connection lost: {problem or 'closed by the peer'}")

    def _take(self, frame: Frame) -> None:
        match frame:
            case Answers():
                self._settle(frame)
            case Receipts() | Replies():
                self._incoming(frame)
            case Pong():
                pass
            case Welcome():
                if not self.signed_in.done():
                    self._journal.note("←", f"welcome: {frame.greeting}")
                    self.signed_in.set_result(None)
            case Refused():
                self.end(f"refused: {frame.reason}")
            case Bye():
                if not self.finished.done():
                    self._journal.note("←", "good-bye")
                    self.finished.set_result(None)
            case _:
                raise LineError(f"A {type(frame).__name__} frame makes no sense from this side.")

    def _settle(self, answers: Answers) -> None:
        sent = self._sent.get(answers.frame)
        if sent is None:
            raise LineError(f"Answers to frame {answers.frame}, which is not waiting for any.")
        fresh = sent.answered(answers.rows)
        self.in_flight -= fresh
        sent.left -= fresh
        if sent.left == 0:
            del self._sent[answers.frame]
        self._journal.note("←", f"answers {answers.frame}: {fresh}")
        wake(self.short_of_room)

    def _look_after(self) -> None:
        """Heartbeat: ask after a silence, give up after two, and after an answer that never came."""
        now = self._loop.time()
        oldest = next(iter(self._sent.values()), None)
        if oldest is not None and self._waited(oldest.since) > self._options.answer_timeout:
            self.end(f"no answer to a submit within {self._options.answer_timeout:g} s")
            return
        silence = 0.0 if self._held else now - self._heard
        if silence > 2 * self._options.heartbeat:
            self.end(f"no sign of life for {silence:.1f} s")
            return
        if silence > self._options.heartbeat / 2:
            self.write(Ping())
        pause = min(self._options.heartbeat, self._options.answer_timeout) / 2
        self._watch = self._loop.call_later(pause, self._look_after)

    def _waited(self, since: float) -> float:
        """Seconds that an answer could have been read in: what came while we held back lies unread before us."""
        return 0.0 if self._held else self._loop.time() - max(since, self._listening_since)


def wake(events: Iterable[asyncio.Event]) -> None:
    """Set them all."""
    for event in events:
        event.set()
