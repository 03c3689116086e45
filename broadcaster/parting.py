"""The end of a listener: what was just being accepted comes to its end as well."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

ACCEPTED = 5
"""Turns of the loop within which a connection that was accepted has its protocol."""

MOST = 2000
"""Turns after which whoever is left is left: a connection that was broken off is over in two."""


async def closed(server: asyncio.Server) -> None:
    """Listen no more. Who is just being accepted gets his protocol first: asyncio leaves the socket of one that finds
    his server closed to the garbage collector, and the other end in the belief that somebody is there."""
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        loop.remove_reader(listening)
    try:
        for _ in range(ACCEPTED):
            await asyncio.sleep(0)
    finally:
        server.close()


async def parted(connections: Collection[object]) -> None:
    """Return when all `connections`, which disappear from there by themselves, have been broken off."""
    for turn in range(MOST):
        if turn >= ACCEPTED and not connections:
            return
        await asyncio.sleep(0)
