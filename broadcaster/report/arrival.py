"""How long it will still take until everything has gone out, by the pace at which it has gone out so far."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from broadcaster.dispatch.delivery import DeliveryState
from broadcaster.progress import Progress

WINDOW = timedelta(seconds=60)
"""The pace is that of the last minute: a gateway that has slowed down is seen within one."""

SHORTEST = timedelta(seconds=3)
"""Two looks that are closer tell nothing about a pace."""


@dataclass(slots=True)
class Pacemeter:
    """Watches one alert go out. Look often; forgets what is older than a minute."""

    _looks: deque[tuple[datetime, int]] = field(default_factory=deque)

    def arrival(self, now: datetime, progress: Progress, issued_at: datetime | None) -> datetime | None:
        """When the last message that waits now will have gone out; None when nothing waits or nothing moves."""
        waiting = progress.deliveries[DeliveryState.QUEUED.word] + progress.deliveries[DeliveryState.UNKNOWN.word]
        sent = sum(progress.deliveries.values()) - waiting
        while self._looks and self._looks[0][0] < now - WINDOW:
            self._looks.popleft()
        if not self._looks or self._looks[-1][0] < now:
            self._looks.append((now, sent))
        since, before = self._looks[0]
        if now - since < SHORTEST:
            since, before = issued_at or now, 0
        moved, seconds = sent - before, (now - since).total_seconds()
        if waiting == 0 or moved <= 0 or seconds <= 0:
            return None
        return now + timedelta(seconds=waiting * seconds / moved)
