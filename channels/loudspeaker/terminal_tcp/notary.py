"""Signing and verifying beside the event loop: a cipher device blocks, and arithmetic takes its time.

What goes out on one connection, and what comes in on it, keeps its order; connections do not wait for each other but
for a thread.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeAlias

from channels.http.provider import Now
from channels.loudspeaker.terminal_tcp.sealing import Sealing

Done: TypeAlias = Callable[[bytes | bool | BaseException], None]
"""Told the seal, or whether it is good, or why there is none."""

Work: TypeAlias = Callable[[], bytes | bool]


class Lane:
    """What one connection has to be signed, or verified: one after the other."""

    __slots__ = ("_loop", "_pool", "_waiting")

    def __init__(self, pool: ThreadPoolExecutor, loop: asyncio.AbstractEventLoop) -> None:
        self._pool = pool
        self._loop = loop
        self._waiting: deque[tuple[Work, Done]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, work: Work, done: Done) -> None:
        """Have `work` done in a thread, then `done` called here."""
        self._waiting.append((work, done))
        if len(self._waiting) == 1:
            self._begin()

    def _begin(self) -> None:
        try:
            future = self._loop.run_in_executor(self._pool, self._waiting[0][0])
        except RuntimeError:  # the pool is closed, and so are the connections
            self._waiting.clear()
            return
        future.add_done_callback(self._over)

    def _over(self, future: asyncio.Future[bytes | bool]) -> None:
        _, done = self._waiting.popleft()
        if future.cancelled():
            self._waiting.clear()
            return
        problem = future.exception()
        try:
            done(problem if problem is not None else future.result())
        finally:
            if self._waiting:
                self._begin()


class Notary:
    """The threads of one gateway: signatures have theirs, so that a device that hangs does not hold up what comes."""

    def __init__(self, sealing: Sealing, now: Now) -> None:
        self.sealing = sealing
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._signs = ThreadPoolExecutor(sealing.signer.at_a_time, "terminals-sign")
        self._verifies = ThreadPoolExecutor(1, "terminals-verify")

    def lanes(self) -> tuple[Lane, Lane]:
        """A connection's: of what is to be signed, and of what is to be verified."""
        return Lane(self._signs, self._loop), Lane(self._verifies, self._loop)

    def seal(self, lane: Lane, content: bytes, done: Done) -> None:
        """Have `content` signed, as of now."""
        lane.put(partial(self.sealing.seal, content, self._now()), done)

    def prove(self, lane: Lane, content: bytes, signature: bytes, done: Done) -> None:
        """Ask whether a signature is one of `content`."""
        lane.put(partial(self.sealing.proven, content, signature), done)

    def pass_by(self, lane: Lane, done: Done) -> None:
        """Nothing is to be asked, but `done` waits for its turn."""
        lane.put(_nothing, done)

    def close(self) -> None:
        """Take no more; what a thread is at, it ends."""
        for pool in (self._signs, self._verifies):
            pool.shutdown(wait=False, cancel_futures=True)


def _nothing() -> bool:
    return True
