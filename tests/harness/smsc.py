"""Programs of `tests/peers`, each in a process of its own: a short message centre and a client, by the npm package
`smpp`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Self

from tests.harness.parties import program

PEERS = Path(__file__).parents[1] / "peers"


class NodePeer:
    """Runs when entered; `ask` tells it something and gives its answer. `first` is what it said by itself."""

    script: str

    def __init__(self) -> None:
        self.first: Any = None
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            program("node", package="nodejs"),
            str(PEERS / self.script),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self.first = await self._answer()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()

    async def ask(self, command: str, given: object = None) -> Any:
        """Tell it `command`; what it says to that."""
        async with self._turn:
            assert self._process is not None
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps({"command": command, "given": given}).encode() + b"\n")
            await self._process.stdin.drain()
            return await self._answer()

    async def _answer(self) -> Any:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 60)
        return json.loads(line)


class Smsc(NodePeer):
    """The centre."""

    script = "smsc.js"

    @property
    def port(self) -> int:
        port: int = self.first["port"]
        return port


class Esme(NodePeer):
    """The client."""

    script = "esme.js"
