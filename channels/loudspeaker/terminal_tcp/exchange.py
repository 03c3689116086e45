"""All terminals that have dialled in: who is there, who was there a moment ago, and what is being asked of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from broadcaster.parting import parted
from broadcaster.ports import Journal
from channels.http.provider import Now
from channels.listening.sparing import Sparing
from channels.listening.visitors import expected
from channels.loudspeaker.terminal_tcp.dialect import WireError
from channels.loudspeaker.terminal_tcp.notary import Notary
from channels.loudspeaker.terminal_tcp.programme import Programme
from channels.loudspeaker.terminal_tcp.reports import (
    NOT_UNDERSTOOD,
    RESULT_OK,
    Answer,
    Heartbeat,
    Report,
    acknowledgement,
    answer,
    report,
)
from channels.loudspeaker.terminal_tcp.settings import TerminalOptions
from channels.loudspeaker.terminal_tcp.terminal import Line
from channels.loudspeaker.terminal_tcp.wire import Frame, Layout

SILENT_AFTER = 3
"""Heartbeats without a frame after which a terminal is off line."""

INTRODUCE_WITHIN = 15.0
"""Seconds that a connection has to say who it is."""

MOST_STRANGERS = 4096
"""Connections that have not said who they are; beyond, the oldest goes. After a power cut all dial at once."""

KNOWN_FACTOR = 2
"""Terminals that are remembered, for each that may be connected."""

LOOK = 1.0
"""Seconds between two looks at who is silent, at the most."""

LATE = 5.0
"""Seconds between two looks after which it was not the terminals that were silent."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing went out, because nobody signs; `why` in words."""

    why: str


OnAnswer = Callable[[Answer | NotSent | None], None]
"""Told a terminal's answer; None: it gave none, or the connection is over."""


@dataclass(slots=True, eq=False)
class Terminal:
    """One that has been here: its connection if it has one; when it left and when it was heard last (loop's time);
    what it plays; what it still has to be told to stop, and until when; how many requests in a row it has `ignored`."""

    code: str
    line: Line | None = None
    left_at: float = 0.0
    heard_at: float = 0.0
    ignored: int = 0
    programme: Programme = field(default_factory=Programme)
    unstopped: dict[str, float] = field(default_factory=dict)
    waiting: list[Callable[[Terminal | None], None]] = field(default_factory=list)


class Exchange:
    """Is the `Host` of the connections. `reported` is told what terminals say, with what acknowledges it; `back` who
    has (again) connected; `looked` once in a while, so that it may look after what is due."""

    def __init__(
        self,
        options: TerminalOptions,
        layout: Layout,
        journal: Journal,
        notary: Notary | None,
        now: Now,
        *,
        reported: Callable[[Terminal, Report, Callable[[], None]], None],
        back: Callable[[Terminal], None],
        looked: Callable[[float], None],
    ) -> None:
        self._options = options
        self._layout = layout
        self._allowed = options.allowed
        self._journal = journal
        self._notary = notary
        self._now = now
        self._reported, self._back, self._looked = reported, back, looked
        self._loop = asyncio.get_running_loop()
        self._since = self._looked_at = self._awake_since = self._loop.time()
        self._open: set[Line] = set()
        self._strangers: dict[Line, float] = {}
        self._asked: dict[int, tuple[Line, float, OnAnswer]] = {}
        self._session = 0
        self.closed = False
        self._arrivals, self._partings, self._refusals = Sparing("←"), Sparing("!"), Sparing("!")
        self._twins, self._oddities, self._unsigned = Sparing("!"), Sparing("!"), Sparing("!")
        self.terminals: dict[str, Terminal] = {}
        self.online = 0
        self._watch = self._loop.call_later(self._pause, self._look_after)

    def receive(self) -> Line:
        """A connection is being made."""
        line = Line(self._layout, self._options.heartbeat, self, self._notary)
        self._open.add(line)
        return line

    def find(self, code: str, found: Callable[[Terminal | None], None]) -> None:
        """Call `found` with a terminal that is connected: at once, or as soon as it is back; with None when it does not
        come, for as long as a terminal may take that has just left, or that has not heard yet that we are here."""
        terminal = self.terminals.get(code)
        if terminal is not None and terminal.line is not None:
            found(terminal)
            return
        until = max(self._since, terminal.left_at if terminal is not None else 0.0) + self._options.reconnect
        if self.closed or until <= self._loop.time():
            found(None)
            return
        if terminal is None:
            terminal = self._remember(code)
        terminal.waiting.append(found)
        self._loop.call_at(until, self._give_up, terminal, found)

    def ask(self, terminal: Terminal, kind: int, body: bytes, told: OnAnswer) -> None:
        """Send a connected terminal a request; `told` its answer, once."""
        line = terminal.line
        if line is None:
            told(None)
            return
        self._session = self._session % 0xFFFFFFFF + 1
        self._asked[self._session] = (line, self._loop.time() + self._options.answer_timeout, told)
        line.sessions.add(self._session)
        frame = Frame(self._session, False, self._options.platform, (terminal.code,), kind, body)
        line.send(frame, partial(self._not_signed, self._session))

    def terminal(self, code: str) -> Terminal | None:
        """A terminal, whether it is here or not; None where the code cannot be one's."""
        known = self.terminals.get(code)
        if known is None and len(code) == self._layout.dialect.digits and code.isdecimal():
            return self._remember(code)
        return known

    @property
    def unanswered(self) -> int:
        """Requests that wait for an answer."""
        return len(self._asked)

    async def close(self) -> None:
        """Break off all connections; whoever waits learns that nobody comes."""
        self.closed = True
        self._watch.cancel()
        for line in [*self._strangers, *(one.line for one in self.terminals.values() if one.line is not None)]:
            line.end("closing")
        for terminal in list(self.terminals.values()):
            self._tell_waiting(terminal, None)
        for session in list(self._asked):
            self._answered(session, None)
        await parted(self._open)
        for line in list(self._open):  # who does not read what is left for him
            line.drop()
        await parted(self._open)
        if self._notary is not None:
            self._notary.close()

    def disconnected(self, line: Line) -> None:
        self._open.discard(line)

    def arrived(self, line: Line) -> bool:
        if self.closed:
            return False
        if not expected(line.address, self._allowed):
            self._refusals.note(self._journal, f"somebody at {line.address} wanted in: not an allowed address")
            return False
        self._strangers[line] = self._loop.time()
        if len(self._strangers) > MOST_STRANGERS:
            next(iter(self._strangers)).drop()
        return True

    def said(self, line: Line, frame: Frame) -> None:
        if not line.code:
            self._introduce(line, frame)
        elif frame.source != line.code:
            raise WireError("another terminal's code on the same connection")
        if line.ended.done():
            return
        if frame.answer:
            self._heard_answer(line, frame)
        else:
            self._heard_report(line, frame)

    def left(self, line: Line, reason: str) -> None:
        self._strangers.pop(line, None)
        terminal = self.terminals.get(line.code)
        if terminal is not None and terminal.line is line:
            terminal.line, terminal.left_at, terminal.heard_at = None, self._loop.time(), line.spoke
            self.online -= 1
            if not self.closed:
                self._partings.note(self._journal, f"a terminal is gone ({reason}); {self.online} are connected")
        elif not line.code and reason.startswith("not the protocol"):
            self._refusals.note(self._journal, f"somebody at {line.address} is no terminal: {reason}")
        for session in list(line.sessions):
            self._answered(session, None)

    def _introduce(self, line: Line, frame: Frame) -> None:
        """The first frame says who it is. Of two connections of one terminal the new one counts: the old one is mostly
        the rest of a line that broke."""
        self._strangers.pop(line, None)
        code = frame.source
        if not self._options.admits(code):
            self._refusals.note(self._journal, "a terminal was not let in: its code is none of ours")
            line.drop()
            return
        terminal = self.terminals.get(code)
        if self.online >= self._options.most and (terminal is None or terminal.line is None):
            self._refusals.note(self._journal, f"more than {self._options.most} terminals")
            line.drop()
            return
        terminal = terminal or self._remember(code)
        line.code = code
        former, terminal.line = terminal.line, line
        if former is not None:
            self._twins.note(self._journal, "a terminal has connected a second time (or two have the same code)")
            former.drop()
        else:
            self.online += 1
        self._arrivals.note(self._journal, f"a terminal has connected; {self.online} are")
        self._tell_waiting(terminal, terminal)
        self._back(terminal)

    def _heard_answer(self, line: Line, frame: Frame) -> None:
        asked = self._asked.get(frame.session)
        if asked is None or asked[0] is not line:
            self._oddities.note(self._journal, "an answer to nothing that was asked, or too late")
            return
        self.terminals[line.code].ignored = 0
        try:
            self._answered(frame.session, answer(frame.body))
        except WireError as problem:
            self._oddities.note(self._journal, f"an answer that cannot be read: {problem}")

    def _heard_report(self, line: Line, frame: Frame) -> None:
        try:
            said = report(frame.kind, frame.body, self._layout.dialect)
        except WireError as problem:
            self._oddities.note(self._journal, f"a report of type {frame.kind:#04x} that cannot be read: {problem}")
            self._acknowledge(line, frame, NOT_UNDERSTOOD)
            return
        if isinstance(said, Heartbeat):
            self._acknowledge(line, frame, RESULT_OK, self._now())
            return
        self._reported(self.terminals[line.code], said, lambda: self._acknowledge(line, frame, RESULT_OK))

    def _acknowledge(self, line: Line, frame: Frame, result: int, at: datetime | None = None) -> None:
        body = acknowledgement(result, at, self._layout.dialect)
        answer_frame = Frame(frame.session, True, self._options.platform, (line.code,), frame.kind, body)
        line.send(answer_frame, partial(self._unsigned.note, self._journal))

    def _not_signed(self, session: int, why: str) -> None:
        self._unsigned.note(self._journal, f"an order was not sent: {why}")
        self._answered(session, NotSent(why))

    def _answered(self, session: int, said: Answer | NotSent | None) -> None:
        asked = self._asked.pop(session, None)
        if asked is not None:
            asked[0].sessions.discard(session)
            asked[2](said)

    def _remember(self, code: str) -> Terminal:
        """A terminal that is new here; where too many are remembered, one that is gone and plays nothing is not."""
        terminal = self.terminals[code] = Terminal(code)
        if len(self.terminals) > KNOWN_FACTOR * self._options.most:
            for known in self.terminals.values():
                if known.line is None and not known.waiting and not known.programme and known is not terminal:
                    del self.terminals[known.code]
                    break
        return terminal

    @staticmethod
    def _tell_waiting(terminal: Terminal, found: Terminal | None) -> None:
        waiting, terminal.waiting = terminal.waiting, []
        for each in waiting:
            each(found)

    @staticmethod
    def _give_up(terminal: Terminal, found: Callable[[Terminal | None], None]) -> None:
        with suppress(ValueError):  # it came, and whoever waited was told
            terminal.waiting.remove(found)
            found(None)

    @property
    def _pause(self) -> float:
        return min(LOOK, self._options.heartbeat / 4, self._options.answer_timeout / 4)

    def _look_after(self) -> None:
        """Who has said nothing for long is off line; who owes an answer for long has given none."""
        now = self._loop.time()
        if now - self._looked_at > LATE:  # we were away, and what terminals said meanwhile is not read yet
            self._awake_since = now
        self._looked_at = now
        awake = now - self._awake_since > self._options.heartbeat
        long_ago = now - SILENT_AFTER * self._options.heartbeat
        for terminal in list(self.terminals.values()):
            if awake and terminal.line is not None and terminal.line.spoke < long_ago:
                terminal.ignored += bool(terminal.line.sessions)
                terminal.line.drop()
        for line, since in list(self._strangers.items()):
            if since < now - INTRODUCE_WITHIN:
                line.drop()
        for session, (line, until, _) in list(self._asked.items()):
            if until < now:
                self.terminals[line.code].ignored += 1
                self._answered(session, None)
        self._looked(now)
        self._watch = self._loop.call_later(self._pause, self._look_after)
