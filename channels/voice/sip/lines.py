"""The lines of one connection: how many calls may be under way at a time, and who waits for one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class Lines:
    """Whoever wants a line says so at once (`want`), and takes it, or gives it up, later."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._wanted = 0
        self._busy = 0
        self._closed = True
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._freed: Callable[[], None] = lambda: None

    @property
    def free(self) -> int:
        """Lines that nobody has or wants."""
        return self._most - self._busy - self._wanted

    def when_freed(self, call: Callable[[], None]) -> None:
        self._freed = call

    def open(self) -> None:
        self._closed = False

    def close(self) -> None:
        """Nobody gets one any more."""
        self._closed = True
        while self._waiting:
            if not (one := self._waiting.popleft()).done():
                one.set_result(False)

    def want(self, count: int) -> None:
        self._wanted += count

    def give_up(self) -> None:
        """One of those that are wanted is not."""
        self._wanted -= 1
        self._freed()

    async def take(self) -> bool:
        """Have a line, when it is one's turn; False when there is none to be had any more."""
        if not self._closed and (self._busy >= self._most or self._waiting):
            turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                granted = await turn
            except BaseException:
                if turn.done() and not turn.cancelled() and turn.result():
                    self.release()
                self.give_up()
                raise
        else:
            granted = not self._closed
            self._busy += granted
        self.give_up()
        return granted

    def release(self) -> None:
        """A line is free again: the next one's, or anybody's."""
        self._busy -= 1
        while self._waiting:
            if not (one := self._waiting.popleft()).done():
                self._busy += 1
                one.set_result(True)
                return
        self._freed()
