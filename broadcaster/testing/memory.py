"""An Inbox and a Journal that remember, and that can be told to fail or to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from broadcaster.ports import DeliveryKey, Receipt, Reply


class MemoryInbox:
    """Stores in memory. `hold` makes it wait before storing, `refuse` makes it fail."""

    def __init__(self) -> None:
        self.stored_receipts: list[Receipt] = []
        self.stored_replies: list[Reply] = []
        self.attempts = 0
        self._refusing = False
        self._open = asyncio.Event()
        self._open.set()
        self._changed = asyncio.Condition()

    async def receipts(self, items: Sequence[Receipt]) -> None:
        await self._admit()
        self.stored_receipts += items
        await self._tell()

    async def replies(self, items: Sequence[Reply]) -> None:
        await self._admit()
        self.stored_replies += items
        await self._tell()

    def hold(self) -> None:
        """Store nothing until `release`; callers wait."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def refuse(self, refusing: bool) -> None:
        """Fail, or no longer."""
        self._refusing = refusing

    def keys(self) -> set[DeliveryKey]:
        """The deliveries about which there is a receipt by key."""
        return {receipt.key for receipt in self.stored_receipts if receipt.key is not None}

    def refs(self) -> set[str]:
        """The gateway's ids of messages about which there is a receipt."""
        return {receipt.ref for receipt in self.stored_receipts}

    async def until(self, condition: Callable[[], bool], within: float = 60.0) -> None:
        """Return when `condition` holds; AssertionError after `within` seconds."""
        try:
            async with asyncio.timeout(within), self._changed:
                await self._changed.wait_for(condition)
        except TimeoutError:
            raise AssertionError(
                f"Not within {within:g} s; the Inbox was given something {self.attempts} times and has"
                f" {len(self.stored_receipts)} receipts and {len(self.stored_replies)} replies."
            ) from None

    async def _admit(self) -> None:
        self.attempts += 1
        await self._tell()
        await self._open.wait()
        if self._refusing:
            raise ConnectionError("The Inbox was told to fail.")

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class MemoryJournal:
    """Keeps every line."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, direction: str, text: str) -> None:
        self.lines.append(f"{direction} {text}")
