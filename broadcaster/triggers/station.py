"""Stations: what the register says of each, and the limits of its elements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec


class StationKind(StrEnum):
    """What a station is for."""

    RIVER = "river"
    RESERVOIR = "reservoir"
    RAIN = "rain"
    GATE = "gate"
    TIDE = "tide"
    WEATHER = "weather"
    SLOPE = "slope"
    AIR = "air"
    DISCHARGE = "discharge"
    FIRE = "fire"
    OTHER = "other"

    @property
    def chinese(self) -> str:
        """What people call it."""
        return _CHINESE[self]


_WORDS = (
    "河道站",
    "水库站",
    "雨量站",
    "闸坝站",
    "潮位站",
    "气象站",
    "地灾监测点",
    "空气站",
    "排放口",
    "火险站",
    "其他站",
)
_CHINESE = dict(zip(StationKind, _WORDS, strict=True))


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one element of one station is measured against, in the element's unit.

    `warning` 警戒 and `guarantee` 保证 are what rules name; beyond `low` and `high`, or changing by more than `rate` in
    an hour, a value is taken for a fault; so is one that stays the very same for `stuck` seconds.
    """

    warning: float | None = None
    guarantee: float | None = None
    low: float | None = None
    high: float | None = None
    rate: float | None = None
    stuck: float | None = None


NO_LIMITS = Limits()

LimitsByElement = Mapping[str, Limits]


def read_limits(text: str) -> dict[str, Limits]:
    """The limits as the register keeps them (JSON)."""
    return msgspec.json.decode(text, type=dict[str, Limits])


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """One station. `period` in seconds; `silent_since` None: it reports as it should."""

    id: int
    code: str
    name: str
    region_code: str
    region_name: str
    lon: float | None
    lat: float | None
    kind: StationKind
    clusters: tuple[str, ...]
    period: int
    limits: dict[str, Limits]
    active: bool
    heard_at: datetime | None
    silent_since: datetime | None
