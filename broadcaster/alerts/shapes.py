"""Shapes as a person writes them, one a line: corners `lon,lat lon,lat lon,lat …`, or a centre and a radius
`lon,lat 5km`. The map on the page writes the same lines, so both can be used by turns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import isfinite

from broadcaster.alerts.area import Circle, Point, Ring
from broadcaster.alerts.geometry import circle_faults, ring_faults
from broadcaster.phrase import ours, phrase

SHAPES_MAX = 50
"""Lines; each is a condition of the selection."""

_SEPARATORS = re.compile(r"[\s;；]+")
_RADIUS = re.compile(r"(\d+(?:\.\d+)?)(?:km|公里|千米)?", re.IGNORECASE)


def read(text: str) -> tuple[list[Ring], list[Circle], list[str]]:
    """The outlines and circles in `text`, and one fault a line that is neither."""
    rings: list[Ring] = []
    circles: list[Circle] = []
    faults: list[str] = []
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > SHAPES_MAX:
        return [], [], [phrase("图形有 %(shapes)s 个，最多 %(most)s 个", shapes=len(lines), most=SHAPES_MAX)]
    for number, line in enumerate(lines, 1):
        shape = _shape(line)
        if shape is None:
            faults.append(
                phrase("第 %(line)s 行写法不对，应为“经度,纬度 经度,纬度 经度,纬度”或“经度,纬度 半径km”", line=number)
            )
        elif isinstance(shape, Circle):
            circles.append(shape)
            faults.extend(_on(number, fault) for fault in circle_faults(shape))
        else:
            rings.append(shape)
            faults.extend(_on(number, fault) for fault in ring_faults(shape))
    return rings, circles, faults


def write(rings: Iterable[Ring], circles: Iterable[Circle]) -> str:
    """The lines that `read` makes the same shapes of."""
    lines = [" ".join(_written(point) for point in ring[:-1]) for ring in rings]
    lines += [f"{_written((circle.lon, circle.lat))} {circle.km:g}km" for circle in circles]
    return "\n".join(lines)


def _on(number: int, fault: str) -> str:
    return phrase("第 %(line)s 行：%(fault)s", line=number, fault=ours(fault))


def _shape(line: str) -> Ring | Circle | None:
    *before, last = _SEPARATORS.split(line.replace("，", ","))
    radius = _RADIUS.fullmatch(last)
    points = [_point(word) for word in (before if radius else [*before, last])]
    found = [point for point in points if point is not None]
    if len(found) < len(points):
        return None
    if radius:
        return Circle(*found[0], float(radius.group(1))) if len(found) == 1 else None
    if len(found) < 3:
        return None
    return tuple(found) if found[0] == found[-1] else (*found, found[0])


def _point(word: str) -> Point | None:
    try:
        lon, lat = map(float, word.split(","))
    except ValueError:
        return None
    return (lon, lat) if isfinite(lon) and isfinite(lat) else None


def _written(point: Point) -> str:
    return f"{point[0]:.6f},{point[1]:.6f}"
