"""The credential of one slot, renewed once however many requests find that it is stale."""

from __future__ import annotations

import asyncio

from channels.http.provider import Call, Provider


class Credential:
    """`version` counts the renewals: a request remembers which one it was made with."""

    def __init__(self, provider: Provider, call: Call) -> None:
        self._provider = provider
        self._call = call
        self._turn = asyncio.Lock()
        self.version = 0

    async def renew(self, held: int) -> None:
        """Renew the credential unless somebody has done so since version `held`. Raises `UnavailableError`."""
        async with self._turn:
            if self.version == held:
                await self._provider.renew(self._call)
                self.version += 1
