"""No space left: for the write-ahead log, or for the tables."""

from __future__ import annotations

import asyncio
import signal
from random import Random

from tests.crash.fault import Fault
from tests.harness.outpost import Outpost
from tests.harness.small_disk import SmallDisk


class FullLog(Fault):
    """The kernel refuses PostgreSQL's writes to its log (a limit on the size of files, which needs no right to mount).
    It panics, does not get up again while that lasts, and is started once there is room."""

    name = "disk full: write-ahead log"
    seconds = (0.5, 2.0)

    async def strike(self, post: Outpost, chance: Random) -> int:
        post.given.limit_files(0)
        await asyncio.sleep(chance.uniform(*self.seconds))
        await post.given.end_postgres(signal.SIGKILL)
        await post.given.start_postgres()
        return 0


class FullDisk(Fault):
    """The file system of the tables is full to the last byte for a while; PostgreSQL stays up and refuses what needs
    more room."""

    name = "disk full: tables"
    seconds = (1.0, 3.0)

    def __init__(self, disk: SmallDisk) -> None:
        self._disk = disk

    async def strike(self, post: Outpost, chance: Random) -> int:
        self._disk.fill()
        try:
            await asyncio.sleep(chance.uniform(*self.seconds))
        finally:
            self._disk.clear()
        return 0


__all__ = ["FullDisk", "FullLog"]
