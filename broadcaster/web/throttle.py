"""Throttles: how often something may be done by one caller, in this process; an allowance that fills up again.

They bound work, not trust: several processes allow as many times as much, and a restart forgets.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime

from broadcaster.errors import LimitedError
from broadcaster.recent import Recent


class Throttle:
    """At most `burst` at once and `rate` a second for each key; the last `most` keys are remembered."""

    def __init__(self, burst: int, rate: float, *, most: int = 20_000) -> None:
        self._burst = burst
        self._rate = rate
        self._left: Recent[str, tuple[float, datetime]] = Recent(most)

    def take(self, key: str, now: datetime) -> None:
        """Use up one; `LimitedError` when there is none left."""
        left, since = self._left.pop(key, (float(self._burst), now))
        left = min(self._burst, left + max(0.0, (now - since).total_seconds()) * self._rate)
        if left < 1:
            self._left[key] = (left, now)
            raise LimitedError("操作太频繁。", after=(1 - left) / self._rate, remedy="请稍等片刻再试。")
        self._left[key] = (left - 1, now)


def neighbourhood(address: str) -> str:
    """Whom an address is counted with: an IPv6 subscriber has a whole /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))
