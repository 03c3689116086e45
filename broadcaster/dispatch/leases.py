"""Leases: what this worker holds, and whether it still may act on it."""

from __future__ import annotations

import time

from broadcaster.database import Database
from broadcaster.dispatch import ledger
from broadcaster.dispatch.ledger import Batch, Claim


class Leases:
    """The batches of one worker. A batch is sendable only while its lease certainly holds, by the machine's own
    monotonic time: a worker that was stopped and wakes up later finds its leases over and sends nothing.
    """

    def __init__(self, database: Database, worker: str, seconds: float) -> None:
        self._database = database
        self._worker = worker
        self.seconds = seconds
        self._until: dict[Claim, float] = {}

    @property
    def held(self) -> int:
        """How many batches this worker holds."""
        return len(self._until)

    def took(self, batch: Batch, asked_at: float) -> None:
        """Note a lease that was asked for at `asked_at` (monotonic seconds, before the question)."""
        self._until[batch.claim] = asked_at + self.seconds

    def gave(self, batch: Batch) -> None:
        """Forget a batch whose release is written down; until then it stays leased, or others would send it again."""
        self._until.pop(batch.claim, None)

    def holds(self, batch: Batch) -> bool:
        """Whether `batch` may be sent now: a fifth of the lease is left for the message on the wire."""
        return time.monotonic() < self._until.get(batch.claim, 0.0) - self.seconds / 5

    async def renew(self) -> None:
        """Prolong what is held. What the database did not prolong may still be sent until it runs out, and is then
        forgotten: somebody else took it up, or will."""
        if not self._until:
            return
        asked_at = time.monotonic()
        asked = list(self._until)
        async with self._database.connection() as connection:
            held = await ledger.renew(connection, self._worker, self.seconds, asked)
        for claim in asked:
            if claim not in self._until:
                continue  # given back meanwhile
            if claim in held:
                self._until[claim] = asked_at + self.seconds
            elif self._until[claim] < asked_at:
                del self._until[claim]
