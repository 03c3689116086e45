"""Session timers (RFC 4028): both ends say now and then that they are still there, or the call is taken for dead."""

from __future__ import annotations

import re
from collections.abc import Callable

from channels.voice.sip.header import parameters
from channels.voice.sip.message import Header, Message, Response
from channels.voice.sip.timing import Timer, Timers

SHORTEST = 90
"""Seconds, the least that the standard allows; less is treated as this."""

LEEWAY = 32.0
_INTERVAL = re.compile(r"\s*([0-9]{1,9})")

Renew = Callable[[str, tuple[Header, ...]], None]
"""Sends a request of this method with these headers."""


class Refresh:
    """Runs where the other end wants it; we never ask for it of our own accord. `stale` is called when the other end
    was to say something, and has not."""

    def __init__(self, timers: Timers, renew: Renew, stale: Callable[[], None]) -> None:
        self._timers = timers
        self._renew = renew
        self._stale = stale
        self._method = "INVITE"
        self._timer: Timer | None = None

    def agreed(self, response: Response) -> None:
        """What the acceptance of an INVITE or UPDATE of ours says."""
        if "UPDATE" in {one.strip().upper() for value in response.all("allow") for one in value.split(",")}:
            self._method = "UPDATE"
        interval = _interval(response)
        if interval is None:
            return
        ours = _refresher(response) != "uas"
        self._run(interval, ours=ours)

    def asked(self, message: Message) -> tuple[Header, ...]:
        """The other end refreshes, or wants us to: the headers for the answer."""
        interval = _interval(message)
        if interval is None:
            if self._timer is not None:
                self.stop()
            return ()
        who = _refresher(message) or "uac"
        self._run(interval, ours=who == "uas")
        return ("session-expires", f"{interval};refresher={who}"), ("require", "timer")

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self, interval: int, *, ours: bool) -> None:
        self.stop()
        if ours:
            headers = (("session-expires", f"{interval};refresher=uac"),)
            self._timer = self._timers.call_later(interval / 2, lambda: self._renew(self._method, headers))
        else:
            self._timer = self._timers.call_later(interval - min(LEEWAY, interval / 3), self._stale)


def _interval(message: Message) -> int | None:
    found = _INTERVAL.match(message.first("session-expires"))
    return max(SHORTEST, int(found[1])) if found else None


def _refresher(message: Message) -> str:
    return parameters(message.first("session-expires")).get("refresher", "").lower()
