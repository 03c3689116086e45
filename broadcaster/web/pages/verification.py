"""Verifying the audit trail from a page: a long one takes longer than a page may, so the work outlives the request."""

from __future__ import annotations

import asyncio

from broadcaster.database import Database
from broadcaster.errors import LimitedError
from broadcaster.security import audit
from broadcaster.security.audit import Head, Verdict

PATIENCE = 15.0
"""Seconds that a page waits for the verdict before it says that the work goes on."""


class Verification:
    """One at a time: reading a million entries keeps a processor busy for ten seconds."""

    def __init__(self, database: Database, patience: float = PATIENCE) -> None:
        self._database = database
        self._patience = patience
        self._task: asyncio.Task[Verdict] | None = None
        self._expected: Head | None = None

    async def verdict(self, expected: Head | None) -> Verdict | None:
        """What was found; None while it is not known yet: ask again, and the same work goes on.

        `LimitedError` while another head is being looked for.
        """
        if self._task is None:
            self._expected = expected
            self._task = asyncio.create_task(self._verify(expected), name="verify the audit trail")
        elif self._expected != expected:
            raise LimitedError("有人正在核对审计记录。", after=self._patience, remedy="请稍后再试。")
        task = self._task
        done, _ = await asyncio.wait({task}, timeout=self._patience)
        if not done:
            return None
        if self._task is task:
            self._task = None
        return task.result()

    async def close(self) -> None:
        """Give up what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _verify(self, expected: Head | None) -> Verdict:
        async with self._database.connection() as connection:
            return await audit.verify(connection, expected)
