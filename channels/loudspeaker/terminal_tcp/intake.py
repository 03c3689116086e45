"""What terminals report: into the Inbox in bulk, acknowledged to each once it is stored."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from broadcaster.ports import Inbox, Journal, Receipt
from channels.ending import wind_up

BACKLOG = 20_000
"""Receipts that may wait to be stored; beyond, terminals keep theirs and report again."""

PAUSE = 1.0
"""Seconds until an Inbox that failed is given the same again."""

Acknowledge = Callable[[], None]


class Intake:
    """An Inbox that fails gets the same receipts again: nothing is acknowledged."""

    def __init__(self, inbox: Inbox, journal: Journal) -> None:
        self._inbox = inbox
        self._journal = journal
        self._waiting: deque[tuple[Receipt, Acknowledge | None]] = deque()
        self._arrived = asyncio.Event()
        self._stopping = False
        self._pump = asyncio.create_task(self._run())

    def take(self, receipt: Receipt, acknowledge: Acknowledge | None = None) -> None:
        """Store this; `acknowledge` is called then. What there is no room for is not acknowledged either."""
        if len(self._waiting) >= BACKLOG and acknowledge is not None:
            return
        self._waiting.append((receipt, acknowledge))
        self._arrived.set()

    async def finish(self, within: float) -> None:
        """Store what has arrived, then stop; after `within` seconds give up (terminals report again)."""
        self._stopping = True
        self._arrived.set()
        await wind_up(self._pump, within)

    async def _run(self) -> None:
        while self._waiting or not self._stopping:
            await self._arrived.wait()
            self._arrived.clear()
            items = list(self._waiting)
            self._waiting.clear()
            if not items:
                continue
            while not await self._stored([receipt for receipt, _ in items]):  # noqa: ASYNC110 (nobody tells)
                await asyncio.sleep(PAUSE)
            self._journal.note("←", f"{len(items)} results")
            for _, acknowledge in items:
                if acknowledge is not None:
                    acknowledge()

    async def _stored(self, receipts: list[Receipt]) -> bool:
        try:
            await self._inbox.receipts(receipts)
        except Exception as problem:  # whatever failed, the answer is the same: no acknowledgement
            self._journal.note("!", f"{len(receipts)} receipts not stored: {type(problem).__name__}")
            return False
        return True
