"""The rain of a storm: bands of it that drift over the district, over a steady rain that comes and goes.

Lengths in kilometres east and north of the district's middle, times in hours since the storm's beginning, rain in
millimetres (an hour).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, exp, hypot, radians

from broadcaster.rehearsal.fates import repeatable

MIDDLE = (121.68, 29.77)
"""Longitude and latitude from which distances count."""

_DEGREE = 111.2  # kilometres of latitude
_BANDS = 6
_TYPHOON_HOUR = (3.9, 4.6)
"""When the storm's core is over the district, about."""

TOTAL = (190.0, 240.0)
"""Millimetres that fall on the district, about: what a typhoon that lands near by leaves in half a day."""


@dataclass(frozen=True, slots=True)
class Band:
    """A rain band: over the middle of the district, but `aside` kilometres to the north, at `hour`; it drifts west and
    north with `east`, `north` kilometres an hour. `peak` is its rain in its middle, `width` how far that reaches."""

    hour: float
    aside: float
    east: float
    north: float
    peak: float
    width: float

    def rain(self, x: float, y: float, hour: float) -> float:
        passed = hour - self.hour
        distance = hypot(x - self.east * passed, y - self.aside - self.north * passed)
        return self.peak * exp(-((distance / self.width) ** 2))


@dataclass(frozen=True, slots=True)
class RainField:
    """Where and when how much rain falls. `core` is the hour at which it rains most, about."""

    bands: tuple[Band, ...]
    core: float
    steady: float
    scale: float = 1.0

    def at(self, lon: float, lat: float, hour: float) -> float:
        """Millimetres an hour at a place; none before the storm begins."""
        if hour < 0:
            return 0.0
        x, y = kilometres(lon, lat)
        steady = self.steady * exp(-(((hour - self.core) / 2.2) ** 2))
        fallen = sum(band.rain(x, y, hour) for band in self.bands)
        begun = min(1.0, hour / 0.5)
        return self.scale * begun * _hills(lat) * (steady + fallen)


def rain_field(seed: int) -> RainField:
    """The rain of a seed: the same seed, the same storm."""
    rng = repeatable(f"{seed}/storm")
    core = rng.uniform(*_TYPHOON_HOUR)
    bands = tuple(_band(rng, core, number) for number in range(_BANDS))
    return RainField(bands, core, rng.uniform(6.0, 9.0))


def total_drawn(seed: int) -> float:
    """How many millimetres a seed's storm leaves on the district."""
    return repeatable(f"{seed}/total").uniform(*TOTAL)


def kilometres(lon: float, lat: float) -> tuple[float, float]:
    """East and north of the district's middle."""
    return (lon - MIDDLE[0]) * _DEGREE * cos(radians(MIDDLE[1])), (lat - MIDDLE[1]) * _DEGREE


def mean_total(field: RainField, places: Sequence[tuple[float, float]], hours: float, step: float = 0.1) -> float:
    """Millimetres that fall on the mean of `places` (longitude, latitude) in so many hours."""
    moments = [step * (number + 0.5) for number in range(round(hours / step))]
    return sum(field.at(lon, lat, hour) for hour in moments for lon, lat in places) * step / len(places)


def _band(rng: random.Random, core: float, number: int) -> Band:
    """Bands follow one another; the middle ones are the strongest."""
    turn = (number - (_BANDS - 1) / 2) / _BANDS
    return Band(
        hour=core + 4.4 * turn + rng.uniform(-0.25, 0.25),
        aside=rng.uniform(-6.0, 6.0),
        east=-rng.uniform(9.0, 16.0),
        north=rng.uniform(5.0, 11.0),
        peak=rng.uniform(20.0, 36.0) * (1.15 - abs(turn)),
        width=rng.uniform(12.0, 20.0),
    )


def _hills(lat: float) -> float:
    """It rains more where the air has to rise: over the hills in the south."""
    return 1.0 + 0.25 * exp(-(((lat - 29.66) / 0.07) ** 2))
