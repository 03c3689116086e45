"""What comes in, without a worker: a source hands something in, and it is judged until nothing is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from broadcaster.alerts.alert import Alert
from broadcaster.intake import listing
from broadcaster.intake.listing import Incoming
from broadcaster.intake.shelf import LedgerShelf
from broadcaster.sources import Item
from tests.harness.warnings import xml
from tests.harness.web import Web


@dataclass
class Desk:
    """The received messages of an application under test."""

    web: Web

    async def receive(self, message: Alert | bytes, source: str = "drafter") -> Incoming:
        """One message comes in and is judged; what became of it. The same again leads to the first one."""
        document = message if isinstance(message, bytes) else xml(message)
        shelf = LedgerShelf(self.web.database, self.web.clock, source)
        new = await shelf.take([Item(document)])
        await self.settle()
        number = new[0] if new else await self.value("SELECT max(id) FROM incoming WHERE source = $1", source)
        return await self.one(number)

    async def settle(self) -> None:
        """Judge whatever nobody has judged yet."""
        while await self.web.context.intake.settle():
            pass

    async def one(self, number: int) -> Incoming:
        """A message as it stands now."""
        async with self.web.database.connection() as connection:
            return (await listing.one(connection, number))[0]

    async def typed(self, message: Incoming) -> dict[str, str]:
        """The form of the draft that was made of it."""
        row = await self.value("SELECT typed::text FROM draft_form WHERE key = $1", message.draft_key)
        return msgspec.json.decode(row, type=dict[str, str])

    async def value(self, query: str, *values: object) -> Any:
        return await self.web.value(query, *values)
