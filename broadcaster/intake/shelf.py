"""Where sources put what they get: durable before anything else is done with it, and each message once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from broadcaster.clock import Clock
from broadcaster.database import Database
from broadcaster.intake.sql import SQL
from broadcaster.sources import Item

ADDRESS_MOST = 500


class LedgerShelf:
    """One source's place in the database."""

    def __init__(self, database: Database, clock: Clock, source: str) -> None:
        self._database = database
        self._clock = clock
        self._source = source

    async def known(self, marks: Sequence[str]) -> frozenset[str]:
        """Those of `marks` whose messages are kept already."""
        if not marks:
            return frozenset()
        async with self._database.connection() as connection:
            await connection.execute(SQL["seen_again"], self._source, list(marks), self._clock.now())
            rows = await connection.fetch(SQL["known"], self._source, list(marks))
        return frozenset(row["mark"] for row in rows)

    async def keep(self, items: Sequence[Item]) -> int:
        """Keep messages and their marks in one transaction; how many were new."""
        return len(await self.take(items))

    async def take(self, items: Sequence[Item]) -> list[int]:
        """The same; the numbers of the new ones."""
        if not items:
            return []
        now = self._clock.now()
        marks = sorted({item.mark for item in items if item.mark})
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                SQL["keep"],
                self._source,
                [item.document for item in items],
                [hashlib.sha256(item.document).digest() for item in items],
                [item.address[:ADDRESS_MOST].replace("\0", "") for item in items],
                now,
                [item.proven for item in items],
            )
            if marks:
                await connection.execute(SQL["mark"], self._source, marks, now)
        return [row["id"] for row in rows]
