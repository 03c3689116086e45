"""The states of a delivery, a household and a run, and the codes they are stored under."""

from __future__ import annotations

from enum import IntEnum


class DeliveryState(IntEnum):
    """Ordered by what each proves: whatever the order in which news arrives, the higher code wins.

    A gateway's acceptance outranks our own giving up; a handset's evidence outranks everything.
    """

    QUEUED = 0
    UNKNOWN = 1
    EXPIRED = 2
    CANCELLED = 3
    SUBMITTED = 4
    FAILED = 5
    DELIVERED = 6

    @property
    def word(self) -> str:
        """The published word: `queued`, `unknown`, …"""
        return self.name.lower()

    @property
    def chinese(self) -> str:
        """The same as users read it."""
        return _CHINESE[self.name]


_CHINESE = {
    "QUEUED": "待发",
    "UNKNOWN": "待核实",
    "SUBMITTED": "已提交",
    "DELIVERED": "已送达",
    "FAILED": "失败",
    "EXPIRED": "过期",
    "CANCELLED": "取消",
}


class TargetState(IntEnum):
    """What is known of a household under one alert."""

    PENDING = 0
    REACHED = 1
    UNREACHED = 2


class RunState(IntEnum):
    """Only an open run sends."""

    OPEN = 0
    SUPERSEDED = 1
    EXPIRED = 2
    ENDED = 3


class Tier(IntEnum):
    """Who goes first within one alert."""

    UNITS = 0
    LOUDSPEAKERS = 1
    VULNERABLE = 2
    OTHERS = 3


VULNERABLE_RISK = 50
"""Households with `risk` below this are vulnerable (0 is the most, 100 the ordinary)."""

BATCH_ROWS = 1000
"""Most deliveries of one batch."""
