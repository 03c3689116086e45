"""What comes back over a rehearsal line: into the Inbox in bulk, acknowledged to the peer once it is stored."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from broadcaster.ports import DeliveryKey, Evidence, Inbox, Journal, Receipt, Reply
from channels.line.link import Link
from channels.line.wire import Ack, Receipts, Replies

BACKLOG = 50_000
"""Rows that may wait to be stored before the line stops reading."""


class Intake:
    """One connection's way into the Inbox. An Inbox that fails gets the same items again: they are not acknowledged."""

    def __init__(self, inbox: Inbox, journal: Journal) -> None:
        self._inbox = inbox
        self._journal = journal
        self._waiting: list[Receipts | Replies] = []
        self._backlog = 0
        self._arrived = asyncio.Event()
        self._stopping = False
        self._link: Link | None = None
        self._pump: asyncio.Task[None] | None = None

    def start(self, link: Link) -> None:
        """Begin to store what `arrive` is given; acknowledgements go out on `link`."""
        self._link = link
        self._pump = asyncio.create_task(self._run(link))

    def arrive(self, frame: Receipts | Replies) -> None:
        self._waiting.append(frame)
        self._backlog += len(frame.rows)
        if self._backlog > BACKLOG and self._link is not None:
            self._link.hold(True)
        self._arrived.set()

    async def finish(self, within: float) -> None:
        """Store what has arrived, then stop; after `within` seconds give up (the peer will send it again)."""
        self._stopping = True
        self._arrived.set()
        if self._pump is not None:
            await asyncio.wait([self._pump], timeout=within)
            self._pump.cancel()
            await asyncio.wait([self._pump])

    async def _run(self, link: Link) -> None:
        while self._waiting or not self._stopping:
            await self._arrived.wait()
            self._arrived.clear()
            waiting, self._waiting = self._waiting, []
            self._backlog = 0
            stored = await self._store_receipts([frame for frame in waiting if isinstance(frame, Receipts)])
            stored += await self._store_replies([frame for frame in waiting if isinstance(frame, Replies)])
            if stored:
                link.write(Ack(stored))
            link.hold(False)

    async def _store_receipts(self, frames: list[Receipts]) -> list[int]:
        items = [receipt for frame in frames for receipt in receipts(frame)]
        if items:
            try:
                await self._inbox.receipts(items)
            except Exception as problem:  # whatever failed, the answer is the same: no acknowledgement
                self._journal.note("!", f"{len(items)} receipts not stored: {type(problem).__name__}")
                return []
            self._journal.note("←", f"{len(items)} receipts")
        return [frame.batch for frame in frames]

    async def _store_replies(self, frames: list[Replies]) -> list[int]:
        items = [reply for frame in frames for reply in replies(frame)]
        if items:
            try:
                await self._inbox.replies(items)
            except Exception as problem:  # as above
                self._journal.note("!", f"{len(items)} replies not stored: {type(problem).__name__}")
                return []
            self._journal.note("←", f"{len(items)} replies")
        return [frame.batch for frame in frames]


def receipts(frame: Receipts) -> list[Receipt]:
    """The frame's rows as receipts."""
    at = datetime.fromtimestamp(frame.at, UTC)
    delivered, failed = Evidence.DELIVERED, Evidence.FAILED
    return [
        Receipt(ref, DeliveryKey(alert, ordinal, attempt) if alert else None, delivered if good else failed, reason, at)
        for ref, alert, ordinal, attempt, good, reason in frame.rows
    ]


def replies(frame: Replies) -> list[Reply]:
    """The frame's rows as replies."""
    return [Reply(number, address, text, datetime.fromtimestamp(at, UTC)) for number, address, text, at in frame.rows]
