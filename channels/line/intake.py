"""What comes back over a rehearsal line: into the Inbox in bulk, acknowledged to the peer once it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime

from broadcaster.ports import DeliveryKey, Evidence, Inbox, Journal, Receipt, Reply
from channels.ending import wind_up
from channels.line.link import Link
from channels.line.wire import Ack, LineError, Receipts, Replies

BACKLOG = 50_000
"""Rows that may wait to be stored before the line stops reading."""


class Intake:
    """One connection's way into the Inbox. An Inbox that fails gets the same items again: they are not acknowledged."""

    def __init__(self, inbox: Inbox, journal: Journal) -> None:
        self._inbox = inbox
        self._journal = journal
        self._receipts: list[Receipt] = []
        self._replies: list[Reply] = []
        self._receipt_batches: list[int] = []
        self._reply_batches: list[int] = []
        self._arrived = asyncio.Event()
        self._stopping = False
        self._link: Link | None = None
        self._pump: asyncio.Task[None] | None = None

    def start(self, link: Link) -> None:
        """Begin to store what `arrive` is given; acknowledgements go out on `link`."""
        self._link = link
        self._pump = asyncio.create_task(self._run(link))

    def arrive(self, frame: Receipts | Replies) -> None:
        """Take a frame in; LineError when it holds a time that cannot be."""
        if isinstance(frame, Receipts):
            self._receipts += receipts(frame)
            self._receipt_batches.append(frame.batch)
        else:
            self._replies += replies(frame)
            self._reply_batches.append(frame.batch)
        if len(self._receipts) + len(self._replies) > BACKLOG and self._link is not None:
            self._link.hold(True)
        self._arrived.set()

    async def finish(self, within: float) -> None:
        """Store what has arrived, then stop; after `within` seconds give up (the peer will send it again)."""
        self._stopping = True
        self._arrived.set()
        await wind_up(self._pump, within)

    async def _run(self, link: Link) -> None:
        while self._receipt_batches or self._reply_batches or not self._stopping:
            await self._arrived.wait()
            self._arrived.clear()
            batches, self._receipt_batches = self._receipt_batches, []
            items, self._receipts = self._receipts, []
            if batches and await self._stored(self._inbox.receipts(items), f"{len(items)} receipts"):
                link.write(Ack(batches))
            batches, self._reply_batches = self._reply_batches, []
            written, self._replies = self._replies, []
            if batches and await self._stored(self._inbox.replies(written), f"{len(written)} replies"):
                link.write(Ack(batches))
            link.hold(False)

    async def _stored(self, storing: Awaitable[None], what: str) -> bool:
        try:
            await storing
        except Exception as problem:  # whatever failed, the answer is the same: no acknowledgement
            self._journal.note("!", f"{what} not stored: {type(problem).__name__}")
            return False
        self._journal.note("←", what)
        return True


def receipts(frame: Receipts) -> list[Receipt]:
    """The frame's rows as receipts."""
    at = moment(frame.at)
    delivered, failed = Evidence.DELIVERED, Evidence.FAILED
    return [
        Receipt(ref, DeliveryKey(alert, ordinal, attempt) if alert else None, delivered if good else failed, reason, at)
        for ref, alert, ordinal, attempt, good, reason in frame.rows
    ]


def replies(frame: Replies) -> list[Reply]:
    """The frame's rows as replies."""
    return [Reply(number, address, text, moment(at)) for number, address, text, at in frame.rows]


def moment(seconds: float) -> datetime:
    """The time that Unix seconds name; LineError when they name none."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as problem:
        raise LineError(f"{seconds!r} is no time.") from problem
