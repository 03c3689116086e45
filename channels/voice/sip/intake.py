"""What came of calls, and the keys that were pressed, into the Inbox: again and again until it is stored. Nobody but us
knows it; there is no gateway that would say it once more."""

from __future__ import annotations

import asyncio

from broadcaster.ports import Inbox, Journal, Receipt, Reply
from channels.ending import wind_up

PAUSE = 0.5
"""Seconds until what was not stored is tried again."""


class Intake:
    """One connection's way into the Inbox."""

    def __init__(self, inbox: Inbox, journal: Journal) -> None:
        self._inbox = inbox
        self._journal = journal
        self._receipts: list[Receipt] = []
        self._replies: list[Reply] = []
        self._come = asyncio.Event()
        self._leaving = False
        self._work = asyncio.create_task(self._run())

    def receipt(self, item: Receipt) -> None:
        self._receipts.append(item)
        self._come.set()

    def reply(self, item: Reply) -> None:
        self._replies.append(item)
        self._come.set()

    async def finish(self, within: float) -> None:
        """Store what there is; after `within` seconds it is given up."""
        self._leaving = True
        self._come.set()
        try:
            await wind_up(self._work, within)
        finally:
            if left := len(self._receipts) + len(self._replies):
                self._journal.note("!", f"{left} 个结果没有存下，已放弃")

    async def _run(self) -> None:
        while True:
            await self._come.wait()
            self._come.clear()
            while self._receipts or self._replies:
                if not await self._store():
                    await asyncio.sleep(PAUSE)
            if self._leaving:
                return

    async def _store(self) -> bool:
        """Replies first: what somebody answered is worth more than that it was heard."""
        replies, receipts = list(self._replies), list(self._receipts)
        try:
            if replies:
                await self._inbox.replies(replies)
                del self._replies[: len(replies)]
            if receipts:
                await self._inbox.receipts(receipts)
                del self._receipts[: len(receipts)]
        except Exception as problem:  # whatever it is: it is tried again
            self._journal.note("!", f"结果没有存下：{type(problem).__name__}")
            return False
        return True
