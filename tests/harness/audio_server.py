"""A server of plain audio lines that behaves as a test wants: the frame for an Icecast and for a camera of our own."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from broadcaster.parting import closed
from broadcaster.testing import Mood


class AudioServer(ABC):
    """Listens as long as it is entered. `taken` are the places that were asked for and granted."""

    def __init__(self) -> None:
        self.mood = Mood.WILLING
        self.taken: list[str] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._visits: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._visit, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            await closed(self._server)
        for visit in list(self._visits):
            visit.cancel()
        await asyncio.gather(*self._visits, return_exceptions=True)

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""

    async def moody(self, writer: asyncio.StreamWriter) -> bool:
        """What the mood makes of a request; False when it is not to be answered properly."""
        if self.mood is Mood.SLOW:
            await asyncio.sleep(0.2)
        elif self.mood is Mood.CUTTING:
            writer.transport.abort()
            return False
        elif self.mood is Mood.SILENT:
            await asyncio.sleep(3600)
        elif self.mood is Mood.BABBLING:
            writer.write(b"\xff\xfe what a lovely day\r\n\r\n")
            await asyncio.sleep(0.05)
            return False
        return True

    def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._receive(reader, writer))
        self._visits.add(task)
        task.add_done_callback(self._visits.discard)

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self.serve(reader, writer)
        finally:
            writer.close()
