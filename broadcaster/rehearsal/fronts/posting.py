"""Calls that a gateway makes to its client over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=30)


class Poster:
    """At most `at_once` calls are under way at a time; the others wait, first come first served."""

    def __init__(self, at_once: int) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self, url: str, data: bytes, headers: Mapping[str, str], query: Mapping[str, str] | None = None
    ) -> bytes | None:
        """What the client answers; None when it does not, or not with success."""
        async with self._turns:
            if self._session is None:
                self._session = aiohttp.ClientSession(timeout=TIMEOUT)
            try:
                async with self._session.post(url, params=query, data=data, headers=headers) as answer:
                    content = await answer.read()
                    return content if answer.ok else None
            except (aiohttp.ClientError, TimeoutError):
                return None

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()
