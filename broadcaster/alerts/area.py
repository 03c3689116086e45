"""Where an alert applies: CAP's `area`, its shapes turned to (longitude, latitude) as in the rest of the house."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

Point = tuple[float, float]
"""(longitude, latitude) in degrees, WGS 84. CAP writes latitude first; the adapter turns it round at the edge."""

Ring = tuple[Point, ...]
"""A closed outline: at least four points, the last equal to the first."""


@dataclass(frozen=True, slots=True)
class NamedValue:
    """CAP's valueName/value pair: an event code, a parameter or a geocode."""

    name: str
    value: str


class Circle(NamedTuple):
    """A round area: centre in degrees, radius in kilometres."""

    lon: float
    lat: float
    km: float


@dataclass(frozen=True, slots=True)
class Area:
    """One area of one info; the alert applies to the union of all its shapes and codes.

    `altitude` and `ceiling` are in feet above mean sea level, as CAP has them (clause 3.2.4).
    """

    description: str
    polygons: tuple[Ring, ...] = ()
    circles: tuple[Circle, ...] = ()
    geocodes: tuple[NamedValue, ...] = ()
    altitude: float | None = None
    ceiling: float | None = None
