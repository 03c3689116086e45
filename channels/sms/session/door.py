"""Where a gateway that opens connections to us is let in: one listener per account and process.

What comes in goes into the Inbox of whichever connection of the account stands; the listener outlives them for a while,
because a gateway that does not let us in now may still have reports to bring.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from broadcaster.parting import closed
from broadcaster.ports import Inbox, Journal, Receipt, Reply
from channels.listening import marker
from channels.listening.sparing import Sparing
from channels.listening.visitors import Network, expected
from channels.sms.session.events import Dialect, Reported, Said
from channels.sms.session.guest import Guest
from channels.sms.session.intake import Intake, Judge
from channels.sms.session.memory import Memory

RETRY = 5.0
"""Seconds until a port that was taken is tried again."""

FINISH = 10.0
"""Seconds for storing what a connection brought before it ended."""

MOST_STRANGERS = 16
"""Connections that may be open without having been let in; beyond, the oldest goes."""

MOST_GUESTS = 64
"""Connections that may be let in at a time."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where to listen: `host` and `port`; who may come (`allowed`, empty: from everywhere); seconds of silence after
    which a connection is looked after (`quiet`); seconds that the listener stays when our own connections are gone
    (`linger`)."""

    host: str
    port: int
    allowed: tuple[Network, ...]
    quiet: float
    linger: float


class Door:
    """Is the `Inbox` of everything that guests bring, and their `Host`."""

    def __init__(self, threshold: Threshold, dialect: Callable[[], Dialect], judge: Judge, memory: Memory) -> None:
        self._at = threshold
        self._dialect = dialect
        self._judge = judge
        self._memory = memory
        self._inside: dict[object, tuple[Inbox, Journal]] = {}
        self._serving: tuple[Inbox, Journal] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        self._trouble = ""
        self._strangers: dict[Guest, None] = {}
        self._guests: dict[Guest, Intake] = {}
        self._finishing: set[asyncio.Task[None]] = set()
        self._lingering: asyncio.TimerHandle | None = None
        self._arrivals, self._refusals = Sparing("←"), Sparing("!")

    async def enter(self, who: object, inbox: Inbox, journal: Journal) -> None:
        """`who` has a connection, or tries to: returns when the port is listened on, or could not be had for now."""
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        self._serving = self._inside[who] = (inbox, journal)
        if self._listening is None:
            self._tried = asyncio.Event()
            self._listening = asyncio.create_task(self._listen())
        await self._tried.wait()

    async def leave(self, who: object, within: float) -> None:
        """`who` has no connection any more. With the last one, after a while, the listener ends: it stores what was
        brought, for up to `within` seconds."""
        if self._inside.pop(who, None) is None:
            return
        if self._inside:
            self._serving = next(reversed(self._inside.values()))
        elif self._at.linger:
            self._lingering = asyncio.get_running_loop().call_later(self._at.linger, self._part, within)
        else:
            await self._shut(within)

    async def receipts(self, items: Sequence[Receipt]) -> None:
        await self._there[0].receipts(items)

    async def replies(self, items: Sequence[Reply]) -> None:
        await self._there[0].replies(items)

    def arrived(self, guest: Guest) -> bool:
        if not expected(guest.address, self._at.allowed):
            self._refusals.note(self._journal, f"somebody at {guest.address} wanted in: not an allowed address")
            return False
        self._strangers[guest] = None
        if len(self._strangers) > MOST_STRANGERS:
            next(iter(self._strangers)).end("too many at the door")
        return True

    def admitted(self, guest: Guest) -> Callable[[Reported | Said], None] | None:
        self._strangers.pop(guest, None)
        if len(self._guests) >= MOST_GUESTS:
            self._refusals.note(self._journal, f"the gateway wanted more than {MOST_GUESTS} connections")
            return None
        self._arrivals.note(self._journal, f"the gateway has connected from {guest.address}")
        intake = self._guests[guest] = Intake(self, self._journal, self._memory, self._judge)
        intake.start(guest)
        return intake.arrive

    def refused(self, guest: Guest, why: str) -> None:
        self._refusals.note(self._journal, f"somebody at {guest.address} was not let in: {why}")

    def left(self, guest: Guest) -> None:
        self._strangers.pop(guest, None)
        intake = self._guests.pop(guest, None)
        if intake is not None:
            self._finish(intake, FINISH)

    @property
    def _there(self) -> tuple[Inbox, Journal]:
        if self._serving is None:
            raise ConnectionError("nobody is there")
        return self._serving

    @property
    def _journal(self) -> Journal:
        return self._there[1]

    def _finish(self, intake: Intake, within: float) -> None:
        task = asyncio.create_task(intake.finish(within))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def _listen(self) -> None:
        """Have the port as long as this task lives; while somebody else has it, try again."""
        while (server := await self._server()) is None:
            self._tried.set()
            await asyncio.sleep(RETRY)
        name = marker.hold(self._at.port)
        _here.add(self._at.port)
        try:
            self._say("")
            self._tried.set()
            await asyncio.get_running_loop().create_future()  # for ever
        finally:
            await closed(server)
            _here.discard(self._at.port)
            if name is not None:
                name.close()

    async def _server(self) -> asyncio.Server | None:
        loop, at = asyncio.get_running_loop(), self._at
        try:
            return await loop.create_server(self._receive, at.host, at.port)
        except OSError as problem:
            self._say(_trouble(at.port, problem))
        return None

    def _receive(self) -> Guest:
        return Guest(self._dialect(), self._at.quiet, self)

    def _say(self, trouble: str) -> None:
        """Into the journal, once: that the port is listened on, or why not."""
        if trouble and trouble != self._trouble:
            self._journal.note("!", trouble)
        elif not trouble:
            self._journal.note("→", f"listening on port {self._at.port}")
        self._trouble = trouble

    def _part(self, within: float) -> None:
        task = asyncio.create_task(self._shut(within))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def _shut(self, within: float) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.cancel()
            await asyncio.wait([listening])
        for guest in list(self._strangers):
            guest.end("closing")
        for guest in self._guests:
            guest.hold(True)
        await asyncio.gather(*(intake.finish(within) for intake in self._guests.values()))
        for guest in list(self._guests):
            guest.write(self._dialect().farewell(1))
            guest.end("closing")
        others = self._finishing - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=within)


_here: set[int] = set()
"""Ports that this process listens on."""


def _trouble(port: int, problem: OSError) -> str:
    if problem.errno != errno.EADDRINUSE:
        return f"cannot listen on port {port}: {problem.strerror or problem}; reports and replies cannot be brought"
    if port in _here:
        return (
            f"port {port} is another gateway's in these settings: give each its own, or its reports cannot be brought"
        )
    match marker.ours(port):
        case True:
            return f"port {port} is held by another process of ours: it takes reports and replies for this one"
        case False:
            return f"port {port} is taken by another program: reports and replies cannot be brought"
    return f"port {port} is taken by another process: unless it is ours, reports and replies cannot be brought"
