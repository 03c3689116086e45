"""Cutting a convex outline into convex pieces that tile it exactly, down to the last shared corner.

Each cut is a straight line, and both sides get the very same two points. A later cut on one side leaves a corner in the
middle of the other side's edge; `shared_rings` puts that corner into both rings, so that neighbours have the same
edges, in opposite directions, and no rounding can open a gap.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Polygon = tuple[Point, ...]

# Coordinates are kept to 6 decimals of a degree (0.1 m); a corner this near to an edge lies on it.
_DECIMALS = 6
_ON_EDGE = 3e-6
_CUT_STEPS = 14


@dataclass(frozen=True, slots=True)
class Share:
    """One piece to cut out: its part of the area, and where it should lie if that matters."""

    area: float
    near: Point | None = None


def area(polygon: Sequence[Point]) -> float:
    """In square degrees; positive when counter-clockwise."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(polygon, (*polygon[1:], polygon[0]), strict=True)) / 2


def middle(polygon: Sequence[Point]) -> Point:
    """The centroid, to 6 decimals."""
    lon = lat = 0.0
    for a, b in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        cross = a[0] * b[1] - b[0] * a[1]
        lon += (a[0] + b[0]) * cross
        lat += (a[1] + b[1]) * cross
    total = 6 * area(polygon)
    return round(lon / total, _DECIMALS), round(lat / total, _DECIMALS)


def tile(polygon: Polygon, shares: Sequence[Share], rng: random.Random) -> list[Polygon]:
    """One piece for each share, in the order of the shares."""
    pieces: list[Polygon] = [()] * len(shares)

    def divide(piece: Polygon, members: list[int]) -> None:
        if len(members) == 1:
            pieces[members[0]] = piece
            return
        axis = _long_axis(piece, rng)
        members = sorted(members, key=lambda index: _along(axis, shares[index].near or (0.0, 0.0)))
        first, second = members[: len(members) // 2], members[len(members) // 2 :]
        part = sum(shares[index].area for index in first)
        low, high = _cut(piece, axis, part / (part + sum(shares[index].area for index in second)))
        divide(low, first)
        divide(high, second)

    divide(polygon, list(range(len(shares))))
    return pieces


def shared_rings(polygons: Sequence[Polygon], corners: Iterable[Point]) -> list[Polygon]:
    """The polygons with every one of `corners` that lies on one of their edges put into that edge."""
    ordered = sorted(set(corners))
    longitudes = [corner[0] for corner in ordered]
    rings = []
    for polygon in polygons:
        ring: list[Point] = []
        for a, b in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
            low = bisect_left(longitudes, min(a[0], b[0]) - _ON_EDGE)
            high = bisect_right(longitudes, max(a[0], b[0]) + _ON_EDGE)
            between = [corner for corner in ordered[low:high] if corner not in (a, b) and _on_edge(corner, a, b)]
            ring.append(a)
            ring.extend(sorted(between, key=lambda corner: (corner[0] - a[0]) ** 2 + (corner[1] - a[1]) ** 2))
        rings.append(tuple(ring))
    return rings


class Scatter:
    """Random points well inside a convex polygon (at least 3 % of the way from the edge to the middle)."""

    def __init__(self, polygon: Polygon) -> None:
        self._middle = middle(polygon)
        self._edges = list(zip(polygon, (*polygon[1:], polygon[0]), strict=True))

    def point(self, rng: random.Random) -> Point:
        (ax, ay), (bx, by) = self._edges[int(rng.random() * len(self._edges))]
        mx, my = self._middle
        out, across = 0.97 * math.sqrt(rng.random()), rng.random()
        edge_x, edge_y = ax + (bx - ax) * across, ay + (by - ay) * across
        return round(mx + (edge_x - mx) * out, _DECIMALS), round(my + (edge_y - my) * out, _DECIMALS)


def _along(axis: Point, point: Point) -> float:
    return axis[0] * point[0] + axis[1] * point[1]


def _long_axis(polygon: Polygon, rng: random.Random) -> Point:
    """The direction of the greatest extent, turned a little so that the map does not look ruled."""
    a, b = max(
        ((a, b) for index, a in enumerate(polygon) for b in polygon[index + 1 :]),
        key=lambda pair: (pair[0][0] - pair[1][0]) ** 2 + (pair[0][1] - pair[1][1]) ** 2,
    )
    angle = math.atan2(b[1] - a[1], b[0] - a[0]) + rng.uniform(-0.3, 0.3)
    axis = math.cos(angle), math.sin(angle)
    return axis if axis[0] >= 0 else (-axis[0], -axis[1])


def _cut(polygon: Polygon, axis: Point, fraction: float) -> tuple[Polygon, Polygon]:
    """The part with `fraction` of the area at the low end of the axis, and the rest."""
    low = min(_along(axis, corner) for corner in polygon)
    high = max(_along(axis, corner) for corner in polygon)
    wanted = fraction * area(polygon)
    for _ in range(_CUT_STEPS):
        at = (low + high) / 2
        if area(_halves(polygon, axis, at)[0]) < wanted:
            low = at
        else:
            high = at
    return _halves(polygon, axis, (low + high) / 2)


def _halves(polygon: Polygon, axis: Point, at: float) -> tuple[Polygon, Polygon]:
    below: list[Point] = []
    above: list[Point] = []
    for a, b in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        side_a, side_b = _along(axis, a) - at, _along(axis, b) - at
        (below if side_a <= 0 else above).append(a)
        if (side_a <= 0) != (side_b <= 0):
            share = side_a / (side_a - side_b)
            crossing = round(a[0] + (b[0] - a[0]) * share, _DECIMALS), round(a[1] + (b[1] - a[1]) * share, _DECIMALS)
            below.append(crossing)
            above.append(crossing)
    return tuple(dict.fromkeys(below)), tuple(dict.fromkeys(above))


def _on_edge(point: Point, a: Point, b: Point) -> bool:
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = math.hypot(dx, dy)
    away = abs((point[0] - a[0]) * dy - (point[1] - a[1]) * dx) / length
    along = ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / length
    return away < _ON_EDGE and 0 < along < length
