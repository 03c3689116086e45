"""A driver on the test bench: envelopes for it, its outcomes, what the peer says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from broadcaster.ports import DeliveryKey, Driver, DriverPlugin, Envelope, GatewaySettings, Outcome, ParsesCallback
from broadcaster.testing.callbacks import CallsBack, Doorstep
from broadcaster.testing.memory import MemoryInbox, MemoryJournal
from broadcaster.testing.peer import Peer

MOST = 2000
"""Envelopes in a large batch, at the most."""

PAUSE = 0.02
"""Seconds between two looks at a peer."""


class Bench:
    """One driver, one peer, one Inbox."""

    def __init__(self, plugin: DriverPlugin, peer: Peer) -> None:
        self.plugin = plugin
        self.peer = peer
        self.inbox = MemoryInbox()
        self.journal = MemoryJournal()
        self.driver = self.build(peer.gateway)
        self._doorstep: Doorstep | None = None
        self._next = 1

    def build(self, gateway: GatewaySettings) -> Driver:
        return self.plugin.build(gateway, self.journal)

    async def open(self) -> None:
        """Open the driver; a gateway that calls back is told where."""
        if self._doorstep is None and isinstance(self.plugin, ParsesCallback) and isinstance(self.peer, CallsBack):
            self._doorstep = Doorstep(self.plugin, self.peer.gateway, self.inbox)
            await self.peer.call_back(await self._doorstep.open())
        await self.driver.open(self.inbox)

    async def close(self) -> None:
        """Close everything, whatever state it is in."""
        await self.driver.close()
        if self._doorstep is not None:
            await self._doorstep.close()

    def envelopes(self, count: int, *, address: str = "") -> list[Envelope]:
        """So many messages, to different addresses, with keys that were not used before."""
        addresses = [address] * count if address else self.peer.addresses(count)
        first, self._next = self._next, self._next + count
        expires = datetime.now(UTC) + timedelta(hours=1)
        return [
            Envelope(DeliveryKey(1, ordinal, 1), to, self.peer.message, 0, expires)
            for ordinal, to in enumerate(addresses, first)
        ]

    def large(self) -> list[Envelope]:
        """More than fits into the window, if the driver allows such a batch."""
        capabilities = self.driver.capabilities
        return self.envelopes(min(MOST, capabilities.batch_max, 2 * capabilities.window + 1))

    async def send(self, batch: Sequence[Envelope]) -> dict[DeliveryKey, Outcome]:
        """Send; each envelope must have exactly one outcome, within the peer's patience."""
        outcomes: dict[DeliveryKey, Outcome] = {}
        try:
            async with asyncio.timeout(self.peer.patience):
                async for outcome in self.driver.send(batch):
                    assert outcome.key not in outcomes, f"{outcome.key} has two outcomes"
                    outcomes[outcome.key] = outcome
        except TimeoutError:
            raise AssertionError(
                f"send has not ended within {self.peer.patience:g} s; {len(outcomes)} of {len(batch)} have an outcome"
            ) from None
        missing = {envelope.key for envelope in batch} - set(outcomes)
        assert not missing, f"{len(missing)} envelopes have no outcome"
        assert len(outcomes) == len(batch), "there are outcomes of envelopes that were not in the batch"
        return outcomes

    async def until(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        """Look at the peer until `condition` holds; AssertionError when its patience ends."""
        try:
            async with asyncio.timeout(self.peer.patience):
                while not await condition():  # noqa: ASYNC110 (a peer is another process: it can only be asked)
                    await asyncio.sleep(PAUSE)
        except TimeoutError:
            raise AssertionError(f"{what}: not within {self.peer.patience:g} s") from None

    async def nothing_unacknowledged(self) -> bool:
        return not await self.peer.unacknowledged()

    async def something_unacknowledged(self) -> bool:
        """Whether the peer still waits for an acknowledgement; true where its protocol knows none."""
        return await self.peer.unacknowledged() != 0
