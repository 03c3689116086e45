"""`python -m tests.harness.yes_man`: an HTTP server that answers every POST with the same body, as fast as can be.

It is so simple that a client measured against it is measured, and not the server.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

END = b"\r\n\r\n"


class YesMan(asyncio.Protocol):
    """One connection."""

    def __init__(self, answer: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
        self._answer = head.encode() + answer
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        held = self._held + data
        while (end := held.find(END)) >= 0:
            length = 0
            for line in held[:end].split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if len(held) < end + len(END) + length:
                break
            held = held[end + len(END) + length :]
            self._transport.write(self._answer)
        self._held = held


async def main(answer: bytes) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: YesMan(answer), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - that is how the parent learns the port
    await server.serve_forever()


@contextmanager
def saying(answer: str) -> Iterator[int]:
    """The port at which `answer` is given."""
    command = [sys.executable, "-m", "tests.harness.yes_man", answer]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1].encode()))
