"""Asks how broadcasts are that the peer has not been heard about: it may not be able to call us.

Between two questions about one broadcast twice as much time passes as before. What a process knew of its broadcasts
ends with it; the reports that the peer brings of itself do without.
"""

from __future__ import annotations

import asyncio
import heapq
from datetime import datetime, timedelta

from broadcaster.errors import UnavailableError
from broadcaster.ports import Inbox, Journal, Receipt
from channels.http.exchange import NonsenseError, NotWrittenError, UnansweredError
from channels.http.provider import Now
from channels.loudspeaker.ebd.broadcast import SEPARATOR
from channels.loudspeaker.ebd.conversation import Conversation, UnprovenError, meaning
from channels.loudspeaker.ebd.documents import EBDResponse, EBMStateRequest, EBMStateResponse, WhichEBM
from channels.loudspeaker.ebd.evidence import of_the_whole
from channels.loudspeaker.ebd.settings import EbdOptions

SLOWEST = 600.0
"""Seconds between two questions, at the most."""

AFTERWARDS = timedelta(minutes=10)
"""How long after its end a broadcast is still asked about."""

MOST = 2000
"""Broadcasts that are looked after; of more, the one whose turn is last is not asked about any more."""


class _Broadcast:
    """One broadcast, and the terminals of which nobody knows yet."""

    __slots__ = ("ebmid", "ends", "pause", "terminals")

    def __init__(self, ebmid: str, terminals: list[str], ends: datetime, pause: float) -> None:
        self.ebmid = ebmid
        self.terminals = terminals
        self.ends = ends
        self.pause = pause


class Watch:
    """The broadcasts of one slot. `run` ends when cancelled."""

    def __init__(self, options: EbdOptions, journal: Journal, now: Now) -> None:
        self._options = options
        self._journal = journal
        self._now = now
        self._due: list[tuple[float, int, _Broadcast]] = []
        self._count = 0
        self._news = asyncio.Event()

    def add(self, ebmid: str, terminals: list[str], ends: datetime) -> None:
        """Look after a broadcast that the peer has, or may have."""
        if not self._options.poll:
            return
        self._put(_Broadcast(ebmid, terminals, ends, self._options.poll))
        if len(self._due) > MOST:
            self._due.remove(max(self._due))
            heapq.heapify(self._due)
        self._news.set()

    async def run(self, conversation: Conversation, inbox: Inbox) -> None:
        """Ask when it is time, and store what that proves."""
        loop = asyncio.get_running_loop()
        while True:
            wait = self._due[0][0] - loop.time() if self._due else None
            if wait is None or wait > 0:
                self._news.clear()
                try:
                    async with asyncio.timeout(wait):
                        await self._news.wait()
                except TimeoutError:
                    pass
                continue
            _, _, broadcast = heapq.heappop(self._due)
            try:
                await self._look(broadcast, conversation, inbox)
            finally:  # also when the connection ends meanwhile
                if broadcast.terminals and self._now() < broadcast.ends + AFTERWARDS:
                    broadcast.pause = min(2 * broadcast.pause, SLOWEST)
                    self._put(broadcast)

    def _put(self, broadcast: _Broadcast) -> None:
        self._count += 1
        due = asyncio.get_running_loop().time() + broadcast.pause
        heapq.heappush(self._due, (due, self._count, broadcast))

    async def _look(self, broadcast: _Broadcast, conversation: Conversation, inbox: Inbox) -> None:
        label = broadcast.ebmid[-12:]
        try:
            answer = await conversation.say(EBMStateRequest(ebm=WhichEBM(ebmid=broadcast.ebmid)))
        except (NotWrittenError, UnansweredError, UnprovenError, NonsenseError, UnavailableError) as problem:
            self._journal.note("!", f"EBMStateRequest {label} {problem}")
            return
        body = answer.body
        if isinstance(body, EBDResponse):
            self._journal.note("←", f"EBMStateRequest {label} {meaning(body)}")
        elif isinstance(body, EBMStateResponse) and body.ebm.ebmid == broadcast.ebmid:
            found = of_the_whole(body, broadcast.terminals, self._options.dialect, self._now())
            self._journal.note("←", f"EBMStateResponse {label} 终端 {len(found)} 个有结果")
            if found:
                await self._store(broadcast, found, inbox)

    async def _store(self, broadcast: _Broadcast, found: list[Receipt], inbox: Inbox) -> None:
        try:
            await inbox.receipts(found)
        except Exception as problem:  # the core's; it is asked again
            self._journal.note("!", f"回执没有存下：{type(problem).__name__}")
            return
        told = {receipt.ref.rpartition(SEPARATOR)[2] for receipt in found}
        broadcast.terminals = [one for one in broadcast.terminals if one not in told]
