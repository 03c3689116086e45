"""A storm as a whole: what falls into every gauge and how high the river stands, at any of its hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from broadcaster.rehearsal.storm.rain import RainField, mean_total, rain_field, total_drawn
from broadcaster.rehearsal.storm.river import REACHES, Reach, flows

HOURS = 12.0
"""After which it is over: the rain has ceased and the river has fallen."""

_LAST = 24.0
_STEP = 1 / 60


@dataclass(frozen=True, slots=True)
class Gauge:
    """A rain gauge."""

    station: str
    name: str
    lon: float
    lat: float


GAUGES = (
    Gauge("70120100", "大梅山", 121.640, 29.655),
    Gauge("70120200", "金峨", 121.585, 29.672),
    Gauge("70120300", "亭溪", 121.715, 29.700),
    Gauge("70120400", "云龙", 121.622, 29.772),
    Gauge("70120500", "东吴", 121.745, 29.812),
    Gauge("70120600", "潘火", 121.602, 29.842),
)
"""In the hills first."""

PUBLISHING = GAUGES[::2]
"""Those that have a line of their own, where there is a broker."""


@dataclass(frozen=True, slots=True)
class Storm:
    """The storm of a seed. Times are hours since its beginning; before, and long after, the river is as always."""

    field: RainField
    _fallen: Mapping[str, Sequence[float]]
    _flows: Mapping[str, Sequence[float]]

    def fallen(self, gauge: str, hour: float) -> float:
        """Millimetres in a gauge since the beginning."""
        return _between(self._fallen[gauge], hour)

    def flow(self, station: str, hour: float) -> float:
        """Cubic metres a second at a river station."""
        return _between(self._flows[station], hour)

    def level(self, reach: Reach, hour: float) -> float:
        """Metres above the sea at a river station."""
        return reach.level(self.flow(reach.station, hour))

    def most_in(self, hours: float, until: float) -> float:
        """Millimetres in so many hours up to `until`, in the gauge that has most."""
        return max(self.fallen(gauge.station, until) - self.fallen(gauge.station, until - hours) for gauge in GAUGES)


def storm(seed: int) -> Storm:
    """The storm of a seed: the same seed, the same storm, everywhere."""
    field = rain_field(seed)
    places = [(gauge.lon, gauge.lat) for gauge in GAUGES]
    field = replace(field, scale=total_drawn(seed) / mean_total(field, places, HOURS))
    moments = [_STEP * number for number in range(round(_LAST / _STEP) + 1)]
    fallen = {
        gauge.station: tuple(accumulate(field.at(gauge.lon, gauge.lat, hour) * _STEP for hour in moments))
        for gauge in GAUGES
    }
    rain = [[field.at(reach.lon, reach.lat, hour) for hour in moments] for reach in REACHES]
    return Storm(field, fallen, flows(rain, _STEP))


def _between(course: Sequence[float], hour: float) -> float:
    """The value of a course at any hour, on the line between two of its steps."""
    place = min(max(hour, 0.0) / _STEP, len(course) - 1.0)
    before = min(int(place), len(course) - 2)
    return course[before] + (course[before + 1] - course[before]) * (place - before)
