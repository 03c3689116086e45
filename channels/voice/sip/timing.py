"""The timers of RFC 3261 (table 4 in its appendix A), on a clock that is handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

T1, T2, T4 = 0.5, 4.0, 5.0
"""Seconds: an estimate of the way there and back; the longest pause between two tries of anything but INVITE; how long
a message may stay on the way."""

PATIENCE = 64 * T1


class Timer(Protocol):
    def cancel(self) -> None: ...


class Timers(Protocol):
    """What an event loop knows of time; tests have one that they move by hand."""

    def time(self) -> float: ...

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer: ...

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: `answer` is how long a request may stay without any response (timers B and F), `again` the first pause
    before it is sent once more (T1)."""

    answer: float = PATIENCE
    again: float = T1
