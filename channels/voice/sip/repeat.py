"""Our acceptance of the other end's INVITE, said again until it is acknowledged (RFC 3261 section 13.3.1.4)."""

from __future__ import annotations

from collections.abc import Callable

from channels.voice.sip.agent import Agent
from channels.voice.sip.message import Response
from channels.voice.sip.timing import PATIENCE, T2, Timer


class Repeat:
    """`silent` is called when it never is."""

    def __init__(self, agent: Agent, response: Response, silent: Callable[[], None]) -> None:
        self._agent = agent
        self._response = response
        self._silent = silent
        self._pause = agent.patience.again
        self._end: Timer | None = agent.timers.call_later(PATIENCE, self._give_up)
        self._again: Timer | None = None
        if not agent.wire.reliable:
            self._again = agent.timers.call_later(self._pause, self._say)

    @property
    def waiting(self) -> bool:
        return self._end is not None

    def acknowledged(self, number: int) -> None:
        """An ACK has come."""
        if number == self._response.sequence[0]:
            self.stop()

    def stop(self) -> None:
        for timer in (self._end, self._again):
            if timer is not None:
                timer.cancel()
        self._end = self._again = None

    def _say(self) -> None:
        self._agent.say(self._response)
        self._pause = min(self._pause * 2, T2)
        self._again = self._agent.timers.call_later(self._pause, self._say)

    def _give_up(self) -> None:
        self.stop()
        self._silent()
