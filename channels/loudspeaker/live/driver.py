"""What the drivers of plain audio lines share: one outcome for each message as soon as it sounds, the more urgent
first, recall, and an end that lets sound what sounds."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from functools import partial

from broadcaster.errors import UnavailableError
from broadcaster.ports import Audio, Capabilities, Deferred, Envelope, Inbox, Journal, Outcome, Rejected, Sent
from channels.loudspeaker.live.outlets import Broadcast, Outlets

BATCH_MAX = 500
RETRY_AFTER = 1.0
NOT_CONNECTED = "not connected"


class LiveDriver(ABC):
    """A protocol gives `connect`, `disconnect`, `unfit` and `play`."""

    def __init__(self, journal: Journal, *, window: int, finish_within: float, receipts: bool = False) -> None:
        self.capabilities = Capabilities(receipts=receipts, replies=False, window=window, batch_max=BATCH_MAX)
        self.journal = journal
        self._finish_within = finish_within
        self._outlets = Outlets()
        self._open = False
        self._beginning: set[asyncio.Task[Outcome]] = set()

    @abstractmethod
    async def connect(self, inbox: Inbox) -> None:
        """Whatever is needed before anything can sound; raises `UnavailableError`."""

    @abstractmethod
    async def disconnect(self) -> None:
        """Give that up."""

    @abstractmethod
    def unfit(self, address: str) -> str:
        """Why nothing can sound at this address, "" where it can."""

    @abstractmethod
    async def play(self, envelope: Envelope, audio: Audio, broadcast: Broadcast) -> Outcome | None:
        """Play to the end, and call `broadcast.sounds` once it sounds; why it does not, otherwise."""

    async def open(self, inbox: Inbox) -> None:
        """Get ready; raises `UnavailableError`."""
        await self.close()
        await self.connect(inbox)
        self._open = True

    async def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        """One outcome for each envelope, when its sound has begun."""
        if not self._open:
            for envelope in batch:
                yield Deferred(envelope.key, NOT_CONNECTED, RETRY_AFTER)
            return
        tasks = [asyncio.create_task(self._begin(envelope)) for envelope in batch]
        self._beginning.update(tasks)
        try:
            for next_ in asyncio.as_completed(tasks):
                yield await next_
        finally:
            self._beginning.difference_update(tasks)
        if batch:
            self.journal.note("→", f"{len(batch)} broadcasts")

    async def recall(self, sent: Sequence[Sent]) -> None:
        """Stop what sounds of these; raises `UnavailableError` while closed."""
        if not self._open:
            raise UnavailableError("广播线路没有打开，不能停播。", remedy="线路恢复后会再次停播。")
        found = await self._outlets.recall(sent)
        self.journal.note("→", f"{found} broadcasts stopped")

    async def close(self) -> None:
        """Let what sounds come to its end, for a while; then disconnect. Cancelled meanwhile, it does that at once."""
        if not self._open:
            return
        self._open = False
        try:
            if self._beginning:
                await asyncio.wait(set(self._beginning), timeout=self._finish_within)
            await self._outlets.finish(self._finish_within)
        finally:
            await self._outlets.finish(0)
            await self.disconnect()

    async def _begin(self, envelope: Envelope) -> Outcome:
        audio, address = envelope.message.audio, envelope.address
        if audio is None:
            return Rejected(envelope.key, "没有音频")
        if why := self.unfit(address):
            return Rejected(envelope.key, why)
        return await self._outlets.begin(
            address, Broadcast(envelope, audio.seconds), partial(self.play, envelope, audio)
        )
