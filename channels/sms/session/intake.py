"""What comes back on a connection: into the Inbox in bulk, acknowledged to the gateway once it is stored.

A report may come before the answer to the submit that it is about, so everything waits until what was in flight when it
came is answered.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from broadcaster.ports import Evidence, Inbox, Journal, Receipt, Reply
from channels.sms.session.events import Reported, Said
from channels.sms.session.link import Link
from channels.sms.session.pieces import Pieces
from channels.sms.session.reports import Reports

BACKLOG = 20_000
"""Events that may wait to be stored before the connection is not read any more."""

PAUSE = 1.0
"""Seconds between two looks at replies of which parts are missing, and after an Inbox that failed."""

Judge = Callable[[str], Evidence | None]
"""What a report's status proves; None for one that proves nothing yet."""


class Intake:
    """One connection's way into the Inbox. An Inbox that fails gets the same items again: nothing is acknowledged."""

    def __init__(self, inbox: Inbox, journal: Journal, reports: Reports, judge: Judge) -> None:
        self._inbox = inbox
        self._journal = journal
        self._reports = reports
        self._judge = judge
        self._pieces = Pieces()
        self._waiting: deque[tuple[int, Reported | Said]] = deque()
        self._arrived = asyncio.Event()
        self._stopping = False
        self._link: Link | None = None
        self._pump: asyncio.Task[None] | None = None

    def start(self, link: Link) -> None:
        """Begin to store what `arrive` is given; acknowledgements go out on `link`."""
        self._link = link
        link.waiting.add(self._arrived)
        self._pump = asyncio.create_task(self._run(link))

    def arrive(self, event: Reported | Said) -> None:
        """Take something in."""
        link = self._link
        self._waiting.append((link.written if link is not None else 0, event))
        if len(self._waiting) > BACKLOG and link is not None:
            link.hold(True)
        self._arrived.set()

    async def finish(self, within: float) -> None:
        """Store what has arrived, then stop; after `within` seconds give up (the gateway will send it again)."""
        self._stopping = True
        self._arrived.set()
        if self._pump is not None:
            await asyncio.wait([self._pump], timeout=within)
            self._pump.cancel()
            await asyncio.wait([self._pump])
        if self._link is not None:
            self._link.waiting.discard(self._arrived)

    async def _run(self, link: Link) -> None:
        while not (self._stopping and not self._waiting):
            self._arrived.clear()
            reports, said = self._ready(link)
            if reports:
                await self._store_reports(link, reports)
            for one in said:
                self._pieces.take(one)
            await self._store_replies(link)
            link.hold(False)
            if not reports and not said and not (self._stopping and not self._waiting):
                try:
                    async with asyncio.timeout(PAUSE if self._pieces.waiting or self._stopping else None):
                        await self._arrived.wait()
                except TimeoutError:
                    continue
        await self._store_replies(link)

    def _ready(self, link: Link) -> tuple[list[Reported], list[Said]]:
        reports: list[Reported] = []
        said: list[Said] = []
        while self._waiting and (link.settled(self._waiting[0][0]) or not link.alive):
            _, event = self._waiting.popleft()
            if isinstance(event, Reported):
                reports.append(event)
            else:
                said.append(event)
        return reports, said

    async def _store_reports(self, link: Link, reports: list[Reported]) -> None:
        now = datetime.now(UTC)
        receipts = [one for one in (self._receipt(report, now) for report in reports) if one is not None]
        while receipts and not await self._stored(receipts):  # noqa: ASYNC110 (the database tells nobody)
            await asyncio.sleep(PAUSE)
        self._journal.note("←", f"{len(reports)} reports")
        link.write(b"".join(report.acknowledgement for report in reports))

    def _receipt(self, report: Reported, now: datetime) -> Receipt | None:
        evidence = self._judge(report.status)
        if evidence is None:
            return None
        good = evidence is Evidence.DELIVERED
        proof = self._reports.delivered(report.ref) if good else self._reports.failed(report.ref)
        if proof is None:
            return None
        return Receipt(proof.ref, proof.key, evidence, "" if good else report.status, now)

    async def _store_replies(self, link: Link) -> None:
        whole = self._pieces.whole(datetime.now(UTC), all_of_them=self._stopping)
        if not whole:
            return
        replies = [Reply(one.id, one.address, one.text, one.at) for one in whole]
        while not await self._replied(replies):  # noqa: ASYNC110 (likewise)
            await asyncio.sleep(PAUSE)
        self._journal.note("←", f"{len(replies)} replies")
        link.write(b"".join(one.acknowledgement for one in whole))

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
