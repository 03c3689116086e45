"""The tests' loops leave no socket to the garbage collector."""

from __future__ import annotations

import asyncio
import gc
import warnings


def test_who_is_still_connected_when_a_loop_ends_is_closed() -> None:
    async def left_open() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        await loop.create_connection(asyncio.Protocol, *server.sockets[0].getsockname())
        for _ in range(10):
            await asyncio.sleep(0)
        server.close()

    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        asyncio.run(left_open())
        gc.collect()
