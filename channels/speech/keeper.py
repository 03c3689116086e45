"""What is made once and kept, however many tasks and processes ask for it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from broadcaster.errors import UnavailableError
from broadcaster.ports import Audio
from channels.speech.encoding import Encoding
from channels.speech.store import BroadcastStore

CLAIM_POLL = 0.05  # s between looks while another process builds
THREADS = 2

Make = Callable[[Path], float]
"""Writes the sound to a path and returns its seconds; blocks."""

Found = TypeVar("Found")


class Keeper:
    """A folder of sounds, each under the key (hex) of what it says."""

    def __init__(self, folder: Path) -> None:
        self._store = BroadcastStore(folder)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="studio")
        self._builds: dict[str, asyncio.Task[Audio]] = {}
        self._swept = False

    async def find(self, key: str, encoding: Encoding) -> Audio | None:
        """What is kept under `key`, or None."""
        return await self.blocking(lambda: self._store.find(key, encoding))

    async def have(self, key: str, encoding: Encoding, prepare: Callable[[], Awaitable[Make]]) -> Audio:
        """What is kept under `key`, else what `prepare` leads to, for everybody who asks meanwhile. Raises what either
        raises, and `UnavailableError` when the disk does not take it."""
        build = self._builds.get(key)
        if build is None:
            build = asyncio.create_task(self._built(key, encoding, prepare))
            self._builds[key] = build
            build.add_done_callback(lambda _: self._builds.pop(key, None))
        return await _outcome(build)

    async def blocking(self, work: Callable[[], Found]) -> Found:
        """Do in a thread of ours what would hold the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def close(self) -> None:
        """Give up what is being made."""
        builds = list(self._builds.values())
        for build in builds:
            build.cancel()
        await asyncio.gather(*builds, return_exceptions=True)
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)

    async def _built(self, key: str, encoding: Encoding, prepare: Callable[[], Awaitable[Make]]) -> Audio:
        if not self._swept:
            self._swept = True
            await self.blocking(self._store.sweep)
        while True:
            kept = await self.find(key, encoding)
            if kept is not None:
                return kept
            with self._store.claimed(key) as ours:
                if ours:
                    return await self._made(key, encoding, prepare)
            await asyncio.sleep(CLAIM_POLL)

    async def _made(self, key: str, encoding: Encoding, prepare: Callable[[], Awaitable[Make]]) -> Audio:
        kept = await self.find(key, encoding)
        if kept is not None:  # another process finished it just before our claim
            return kept
        make = await prepare()
        return await self.blocking(lambda: self._store.keep(key, encoding, make))


async def _outcome(build: asyncio.Task[Audio]) -> Audio:
    """What the shared build comes to; one caller's leaving does not end it for the others."""
    try:
        return await asyncio.shield(build)
    except asyncio.CancelledError:
        caller = asyncio.current_task()
        if caller is not None and caller.cancelling():
            raise
        raise UnavailableError("广播音频正在生成时系统停止了。", remedy="系统启动后会重新生成。") from None
