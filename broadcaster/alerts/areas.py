"""From an alert's areas to what selects households: region codes, polygons, circles, as plain tuples.

China's statistical codes nest: 2 digits province, 4 prefecture, 6 county, 9 town, 12 village; feeds pad them with zeros
to 12 (130602000000 is the county 130602). The house adds 15 digits for a grid. A code here selects all that begins
with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from broadcaster.alerts.alert import Alert, Area, Circle, NamedValue, Ring

REGION_GEOCODE = "CPEAS Geographic Code"
"""The valueName under which China's public feeds give the padded 12-digit code."""

GRID_GEOCODE = "daohu:region"
"""Our own valueName, for what has no place in 12 digits: a grid's 15 digits, or a code as it is."""

_REGION_NAMES = frozenset(
    {
        "cpeasgeographiccode",
        "daohuregion",
        "gbt2260",
        "gb2260",
        "adcode",
        "areacode",
        "regioncode",
        "区划代码",
        "行政区划代码",
        "统计用区划代码",
    }
)
"""Names under which Chinese senders give a region's code, without case, spaces and punctuation."""

_PUNCTUATION = re.compile(r"[\W_]+")
_PADDED = 12
_WRITTEN = re.compile(r"\d{6}(\d{3}){0,3}")
_LEVELS = (2, 4, 6, 9, 12, 15)


def is_region(code: str) -> bool:
    """Whether it is a code as authors write it: 6, 9, 12 or 15 digits."""
    return _WRITTEN.fullmatch(code) is not None


def geocode(region: str) -> NamedValue:
    """The geocode that says a region: padded to 12 digits under the public name, a grid under our own."""
    if len(region) > _PADDED:
        return NamedValue(GRID_GEOCODE, region)
    return NamedValue(REGION_GEOCODE, region.ljust(_PADDED, "0"))


def is_nation(code: NamedValue) -> bool:
    """Whether a geocode says the whole of China: its code is all zeros."""
    return _names_region(code) and not code.value.strip("0")


def region_of(code: NamedValue) -> str | None:
    """The region prefix that a geocode says; None for other countries' codes and for the whole nation (all zeros)."""
    if not _names_region(code):
        return None
    significant = code.value.rstrip("0")
    level = next((level for level in _LEVELS if level >= len(significant)), None)
    if not significant or level is None or level > len(code.value):
        return None
    return code.value[:level]


def _names_region(code: NamedValue) -> bool:
    named = _PUNCTUATION.sub("", code.name.casefold()) in _REGION_NAMES
    return named and code.value.isascii() and code.value.isdigit()


def regions(alert: Alert) -> tuple[str, ...]:
    """The region prefixes of all its areas, sorted, without those that lie within another."""
    found = {region for area in _areas(alert) for code in area.geocodes if (region := region_of(code))}
    return tuple(outermost(found))


def outermost(codes: Iterable[str]) -> Iterator[str]:
    """The codes, sorted, that do not begin with another of them."""
    last = None
    for code in sorted(codes):
        if last is None or not code.startswith(last):
            last = code
            yield code


def polygons(alert: Alert) -> tuple[Ring, ...]:
    """The closed (longitude, latitude) outlines of all its areas, each once."""
    return tuple(dict.fromkeys(ring for area in _areas(alert) for ring in area.polygons))


def circles(alert: Alert) -> tuple[Circle, ...]:
    """The circles of all its areas, each once: (longitude, latitude, kilometres)."""
    return tuple(dict.fromkeys(circle for area in _areas(alert) for circle in area.circles))


def _areas(alert: Alert) -> Iterator[Area]:
    return (area for info in alert.infos for area in info.areas)
