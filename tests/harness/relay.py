"""A relay before PostgreSQL that passes everything on, and says what the server says when it dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

from broadcaster.parting import closed

LAST_WORDS = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"


@dataclass(slots=True)
class Relay:
    """`url` leads through it."""

    url: str
    _clients: list[asyncio.StreamWriter] = field(default_factory=list)

    def dying(self) -> None:
        """Tell every client, out of the blue, that its connection ends; it does not end yet."""
        for client in self._clients:
            client.write(b"E" + (len(LAST_WORDS) + 4).to_bytes(4, "big") + LAST_WORDS)


@asynccontextmanager
async def relay(url: str, folder: Path) -> AsyncIterator[Relay]:
    """Stand before the server at `url` (on a unix socket) with a socket in `folder`."""
    parts = urlsplit(url)
    name = ".s.PGSQL.5432"
    server = Path(parse_qs(parts.query)["host"][0]) / name
    made = Relay(urlunsplit(parts._replace(query=f"host={quote(str(folder), safe='/')}&port=5432")))
    passing: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_unix_connection(str(server))
        made._clients.append(writer)
        passing.update(asyncio.create_task(_pass(*way)) for way in ((reader, forth), (back, writer)))

    listening = await asyncio.start_unix_server(accept, str(folder / name))
    try:
        yield made
    finally:
        await closed(listening)
        for way in passing:
            way.cancel()
        await asyncio.gather(*passing, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
