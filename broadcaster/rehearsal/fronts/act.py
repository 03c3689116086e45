"""A front on stage: how the rehearsal opens and ends it, whatever it plays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from broadcaster.rehearsal.fronts.front import Front
from channels.line.settings import Address


class Act(Protocol):
    """One front of one rehearsal."""

    async def open(self) -> Address | None:
        """Begin; where it listens, with the real port when 0 was asked for, None when it dials. Raises OSError."""

    def close(self) -> None:
        """The rehearsal ends: let nobody in any more, whether it was opened or not."""

    async def stop(self) -> None:
        """Everybody is gone: end what is left."""


class Backstage(Protocol):
    """What goes on behind a front, for all its connections together."""

    async def stop(self) -> None: ...


class Door:
    """A front whose clients connect to a stream, TCP or a Unix socket: each gets a `Front` of its own."""

    def __init__(self, address: Address, connects: Callable[[], Front[Any]], behind: Backstage | None = None) -> None:
        self._address = address
        self._connects = connects
        self._behind = behind
        self._server: asyncio.Server | None = None

    async def open(self) -> Address:
        loop, address = asyncio.get_running_loop(), self._address
        if address.path:
            self._server = await loop.create_unix_server(self._connects, address.path)
            return address
        self._server = await loop.create_server(self._connects, address.host, address.port)
        return Address(host=address.host, port=self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.wait_closed()
        if self._behind is not None:
            await self._behind.stop()
