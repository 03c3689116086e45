"""A breaker: what the courier of one slot makes of its gateway, and how much it therefore trusts it with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a gateway is tried again: doubled with every opening, between these."""

STEADY = 10.0
"""Seconds that a connection, or a closed breaker, has to last before the next opening counts as the first again."""

TRUST = 2.0
"""Seconds without a connection for which a gateway that was good is still taken for good: most come back at once."""

BRIEF = 2
"""Connections in a row that end before they were steady, after which the breaker opens."""

RUN, RUN_SECONDS = 10, 1.0
"""Messages in a row, over at least so many seconds, that the gateway puts off or leaves in doubt, after which the
breaker opens: a carrier that throttles a moment's surplus takes the next message."""

PROBE = 5
"""Messages that a gateway is tried with."""

PROBE_SECONDS = 5.0
"""Seconds after which a probe of which nothing became is followed by another."""


@dataclass(frozen=True, slots=True)
class Closed:
    """It is given what its rate takes."""


@dataclass(frozen=True, slots=True)
class Open:
    """It is given nothing before `until` (seconds of the breaker's clock)."""

    why: str
    until: float


@dataclass(frozen=True, slots=True)
class Probing:
    """It is given a few messages; `why` it had been open."""

    why: str


State = Closed | Open | Probing


class Breaker:
    """Opens on what a gateway does wrong, and closes on the first message that it takes or refuses for good.

    `changed` hears of every change from one kind of state to another, `now` tells seconds.
    """

    def __init__(self, changed: Callable[[State], None], *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._changed = changed
        self._pause = FIRST_PAUSE
        self._closed_at = float("-inf")
        self._joined_at = self._began_at = 0.0
        self._away_since: float | None = now()
        self._probed_at = float("-inf")
        self._brief = self._bad = 0
        self._revived = False
        self.state: State = Closed()

    @property
    def up(self) -> bool:
        """Whether the gateway does its work, so that one of lower preference is not needed."""
        away = self._away_since
        return isinstance(self.state, Closed) and (away is None or self._now() - away < TRUST)

    @property
    def reconnect_in(self) -> float:
        """Seconds before the next attempt to connect."""
        return max(0.0, self.state.until - self._now()) if isinstance(self.state, Open) else FIRST_PAUSE

    def joined(self) -> None:
        """There is a connection."""
        self._away_since, self._joined_at, self._bad = None, self._now(), 0
        if isinstance(self.state, Open):
            self._enter(Probing(self.state.why))

    def refused(self, why: str) -> None:
        """No connection came about."""
        self._open(why)

    def parted(self, why: str) -> None:
        """The connection is over."""
        self._away_since = self._now()
        self._brief = self._brief + 1 if self._away_since - self._joined_at < STEADY else 0
        if isinstance(self.state, Probing) or (isinstance(self.state, Closed) and self._brief >= BRIEF):
            self._open(why)

    def stalled(self, why: str) -> None:
        """It answers nothing."""
        if not isinstance(self.state, Open):
            self._open(why)

    def good(self) -> None:
        """It has answered for a message, one way or the other."""
        self._bad = 0
        if isinstance(self.state, Probing):
            self._close()
        elif isinstance(self.state, Open):
            self._revived = True

    def bad(self, why: str) -> None:
        """It has put a message off, or left it in doubt."""
        if isinstance(self.state, Probing):
            self._open(why)
        elif isinstance(self.state, Closed):
            self._bad += 1
            if self._bad == 1:
                self._began_at = self._now()
            elif self._bad >= RUN and self._now() - self._began_at >= RUN_SECONDS:
                self._open(why)

    def retry(self, *, silent: bool, alone: bool) -> None:
        """On a connection that holds: try the gateway again when its pause is over, or trust it again if it has
        answered since, with which nobody waits while there is no other (`alone`). Who is `silent` is not tried."""
        if not isinstance(self.state, Open) or silent:
            return
        if self._revived and (alone or self._now() >= self.state.until):
            self._close()
        elif self._now() >= self.state.until:
            self._enter(Probing(self.state.why))

    def may_probe(self) -> bool:
        """Whether a probe is due: one at a time."""
        return isinstance(self.state, Probing) and self._now() - self._probed_at > PROBE_SECONDS

    def probed(self) -> None:
        """A probe is on its way."""
        self._probed_at = self._now()

    def _open(self, why: str) -> None:
        now = self._now()
        again = not isinstance(self.state, Closed) or now - self._closed_at < STEADY
        self._pause = min(self._pause * 2, LONGEST_PAUSE) if again else FIRST_PAUSE
        self._bad, self._revived = 0, False
        self._enter(Open(why, now + self._pause))

    def _close(self) -> None:
        self._closed_at = self._now()
        self._enter(Closed())

    def _enter(self, state: State) -> None:
        before, self.state = self.state, state
        self._probed_at = float("-inf")
        if type(before) is not type(state):
            self._changed(state)
