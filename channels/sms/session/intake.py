"""What comes back on a connection: into the Inbox in bulk, acknowledged to the gateway once it is stored.

A report may come before the answer to the submit that it is about, so everything waits until what was in flight when it
came, on any connection of the account, is answered; but not for ever on a connection that hangs.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from broadcaster.ports import Evidence, Inbox, Journal, Receipt, Reply
from channels.ending import wind_up
from channels.sms.session.connection import Connection
from channels.sms.session.events import Reported, Said
from channels.sms.session.flight import Flight, Mark
from channels.sms.session.memory import Memory

BACKLOG = 20_000
"""Events that may wait to be stored before the connection is not read any more."""

PATIENCE = 5.0
"""Seconds for the answers to what was in flight: a report is rarely that early, and a window full of reports that wait
is all that many a gateway brings."""

PAUSE = 1.0
"""Seconds between two looks at replies of which parts are missing, and after an Inbox that failed."""

Judge = Callable[[str], Evidence | None]
"""What a report's status proves; None for one that proves nothing yet."""


class Intake:
    """One connection's way into the Inbox. An Inbox that fails gets the same items again: nothing is acknowledged."""

    def __init__(self, inbox: Inbox, journal: Journal, memory: Memory, judge: Judge) -> None:
        self._inbox = inbox
        self._journal = journal
        self._memory = memory
        self._judge = judge
        self._waiting: deque[tuple[Mark, float, Reported | Said]] = deque()
        self._loop = asyncio.get_running_loop()
        self._arrived = asyncio.Event()
        self._stopping = False
        self._connection: Connection | None = None
        self._pump: asyncio.Task[None] | None = None

    def start(self, connection: Connection) -> None:
        """Begin to store what `arrive` is given; acknowledgements go out on `connection`."""
        self._connection = connection
        self._memory.flight.waiting.add(self._arrived)
        self._pump = asyncio.create_task(self._run(connection))

    def arrive(self, event: Reported | Said) -> None:
        """Take something in."""
        self._waiting.append((self._memory.flight.mark(), self._loop.time(), event))
        if len(self._waiting) > BACKLOG and self._connection is not None:
            if len(self._waiting) == BACKLOG + 1:
                self._journal.note("!", "reading is held back: what came waits to be stored")
            self._connection.hold(True)
        self._arrived.set()

    async def finish(self, within: float) -> None:
        """Store what has arrived, then stop; after `within` seconds give up (the gateway will send it again)."""
        self._stopping = True
        self._arrived.set()
        try:
            await wind_up(self._pump, within)
        finally:
            self._memory.flight.waiting.discard(self._arrived)

    async def _run(self, connection: Connection) -> None:
        pieces = self._memory.pieces
        while not (self._stopping and not self._waiting):
            self._arrived.clear()
            reports, said = self._ready()
            if reports:
                await self._store_reports(connection, reports)
            now = datetime.now(UTC)
            for one in said:
                pieces.take(one, connection, now)
            await self._store_replies()
            connection.hold(False)
            if not reports and not said and not (self._stopping and not self._waiting):
                try:
                    restless = self._waiting or pieces.waiting or self._stopping
                    async with asyncio.timeout(PAUSE if restless else None):
                        await self._arrived.wait()
                except TimeoutError:
                    continue
        await self._store_replies(leaving=connection)

    def _ready(self) -> tuple[list[Reported], list[Said]]:
        reports: list[Reported] = []
        said: list[Said] = []
        long_ago = self._loop.time() - PATIENCE
        while self._waiting and (Flight.settled(self._waiting[0][0]) or self._waiting[0][1] < long_ago):
            _, _, event = self._waiting.popleft()
            if isinstance(event, Reported):
                reports.append(event)
            else:
                said.append(event)
        return reports, said

    async def _store_reports(self, connection: Connection, reports: list[Reported]) -> None:
        """Store what proves something, then acknowledge it. What proves nothing (yet), such as a part of a message
        whose other parts are not proved, is acknowledged at once: a gateway has 16 on their way, and no more."""
        now = datetime.now(UTC)
        receipts: list[Receipt] = []
        proving, others = [], []
        for report in reports:
            receipt = self._receipt(report, now)
            if receipt is None:
                others.append(report.acknowledgement)
            else:
                receipts.append(receipt)
                proving.append(report.acknowledgement)
        if others:
            connection.write(b"".join(others))
        while receipts and not await self._stored(receipts):  # noqa: ASYNC110 (the database tells nobody)
            await asyncio.sleep(PAUSE)
        self._journal.note("←", f"{len(reports)} reports")
        if proving:
            connection.write(b"".join(proving))

    def _receipt(self, report: Reported, now: datetime) -> Receipt | None:
        evidence = self._judge(report.status)
        if evidence is None:
            return None
        good = evidence is Evidence.DELIVERED
        reports = self._memory.reports
        proof = reports.delivered(report.ref) if good else reports.failed(report.ref)
        if proof is None:
            return None
        return Receipt(proof.ref, proof.key, evidence, "" if good else report.status, now)

    async def _store_replies(self, *, leaving: Connection | None = None) -> None:
        whole = self._memory.pieces.whole(datetime.now(UTC), leaving=leaving)
        if not whole:
            return
        replies = [Reply(one.id, one.address, one.text, one.at) for one in whole]
        while not await self._replied(replies):  # noqa: ASYNC110 (likewise)
            await asyncio.sleep(PAUSE)
        self._journal.note("←", f"{len(replies)} replies")
        self._memory.pieces.kept(whole, datetime.now(UTC))

    async def _stored(self, receipts: list[Receipt]) -> bool:
        try:
            await self._inbox.receipts(receipts)
        except Exception as problem:  # whatever failed, the answer is the same: no acknowledgement
            self._journal.note("!", f"{len(receipts)} receipts not stored: {type(problem).__name__}")
            return False
        return True

    async def _replied(self, replies: list[Reply]) -> bool:
        try:
            await self._inbox.replies(replies)
        except Exception as problem:  # likewise
            self._journal.note("!", f"{len(replies)} replies not stored: {type(problem).__name__}")
            return False
        return True
