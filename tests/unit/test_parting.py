"""Who is accepted in the moment of closing is parted from as everybody is."""

from __future__ import annotations

import asyncio
import socket

from broadcaster.parting import closed, parted

WITHIN = 60.0


class Guest(asyncio.Protocol):
    """Is broken off as soon as it comes: its host is leaving."""

    def __init__(self, here: set[Guest]) -> None:
        self._here = here
        here.add(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()

    def connection_lost(self, problem: Exception | None) -> None:
        self._here.discard(self)


async def test_a_connection_that_is_accepted_while_the_listener_closes_is_closed_too() -> None:
    for turns in range(6):
        here: set[Guest] = set()
        server = await asyncio.get_running_loop().create_server(lambda here=here: Guest(here), "127.0.0.1", 0)  # type: ignore[misc]
        with socket.create_connection(server.sockets[0].getsockname(), timeout=WITHIN) as line:
            for _ in range(turns):  # until the connection is waiting, being accepted, or has just been
                await asyncio.sleep(0)
            await closed(server)
            await parted(here)
            assert not here
            assert await asyncio.to_thread(_over, line)


def _over(line: socket.socket) -> bool:
    try:
        return line.recv(1) == b""
    except ConnectionResetError:
        return True
