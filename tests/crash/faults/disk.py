"""No space left: for the write-ahead log, or for the tables."""

from __future__ import annotations

import asyncio
import signal
from random import Random

from tests.crash.fault import Fault
from tests.harness.outpost import Outpost
from tests.harness.waiting import wait_until

TOO_LARGE, NO_SPACE = "File too large", "No space left on device"
"""What PostgreSQL's log says then."""


class FullLog(Fault):
    """The kernel refuses PostgreSQL's writes to its log (a limit on the size of files, which needs no right to mount).
    It panics, does not get up again while that lasts, and is started once there is room."""

    name = "disk full: write-ahead log"
    seconds = (0.5, 2.0)

    async def strike(self, post: Outpost, chance: Random) -> int:
        before = post.given.complained(TOO_LARGE)
        await post.given.close_log()
        await wait_until(lambda: post.given.complained(TOO_LARGE) > before, what="PostgreSQL to meet the limit")
        await asyncio.sleep(chance.uniform(*self.seconds))
        await post.given.end_postgres(signal.SIGKILL)
        await post.given.start_postgres()
        return 0


class FullDisk(Fault):
    """The file system of the tables is full to the last byte for a while; PostgreSQL stays up and refuses what needs
    more room."""

    name = "disk full: tables"
    seconds = (0.5, 2.5)

    async def strike(self, post: Outpost, chance: Random) -> int:
        if post.disk is None:
            raise RuntimeError("There is no disk that could be filled.")
        before = post.given.complained(NO_SPACE)
        post.disk.fill()
        try:
            await wait_until(lambda: post.given.complained(NO_SPACE) > before, what="PostgreSQL to find the disk full")
            await asyncio.sleep(chance.uniform(*self.seconds))
        finally:
            post.disk.clear()
        return 0


__all__ = ["FullDisk", "FullLog"]
