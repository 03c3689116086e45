"""A broker that is told how to answer one message: with a reason, with the end of the connection, with nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

PUBLISH = 3

Answer = Callable[[bytes], bytes | None]
"""What it says to a message of such an identifier; None: it disconnects without a word."""


def acknowledges(reason: int) -> Answer:
    """PUBACK with a reason code (MQTT 5, 3.4.2)."""
    return lambda identifier: b"\x40\x04" + identifier + bytes((reason, 0))


def disconnects(reason: int) -> Answer:
    """DISCONNECT with a reason code (MQTT 5, 3.14.2)."""
    return lambda _: b"\xe0\x02" + bytes((reason, 0))


@asynccontextmanager
async def answering(answer: Answer, greeting: bytes = b"\x20\x03\x00\x00\x00") -> AsyncIterator[int]:
    """Its port. `greeting`: its CONNACK, of MQTT 5 unless another is given."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                kind, body = await _packet(reader)
                if kind == 1:
                    writer.write(greeting)
                elif kind == PUBLISH:
                    after = 2 + int.from_bytes(body[:2], "big")
                    said = answer(body[after : after + 2])
                    if said is None:
                        return
                    writer.write(said)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    kind = (await reader.readexactly(1))[0] >> 4
    length, shift = 0, 0
    while True:
        octet = (await reader.readexactly(1))[0]
        length |= (octet & 0x7F) << shift
        if octet < 0x80:
            return kind, await reader.readexactly(length)
        shift += 7
