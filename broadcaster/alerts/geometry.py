"""What is wrong with a shape, in words: the checks that a polygon or circle must pass before it selects households."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations, pairwise
from math import floor, hypot

from broadcaster.alerts.area import Circle, Point, Ring
from broadcaster.phrase import phrase

Segment = tuple[Point, Point]

PAIR_TESTS_MAX = 4_000_000
"""Comparisons of two edges before a polygon counts as too intricate: about two seconds, far above any real outline."""

EARTH_HALF_ROUND_KM = 20_038.0
"""Half the equator: no circle on the earth has a larger radius."""


def point_faults(point: Point) -> list[str]:
    """What is wrong with one (longitude, latitude); names a swapped pair when that is what it looks like."""
    lon, lat = point
    if -180 <= lon <= 180 and -90 <= lat <= 90:
        return []
    if -180 <= lat <= 180 and -90 <= lon <= 90:
        return [phrase("纬度 %(lat)s 超出 -90～90，经纬度可能写反了", lat=f"{lat:g}")]
    return [
        phrase("经度 %(lon)s、纬度 %(lat)s 不在地球上（经度 -180～180，纬度 -90～90）", lon=f"{lon:g}", lat=f"{lat:g}")
    ]


def circle_faults(circle: Circle) -> list[str]:
    """What is wrong with a circle; a radius of 0 is allowed (CAP uses it for a point)."""
    faults = point_faults((circle.lon, circle.lat))
    if not 0 <= circle.km <= EARTH_HALF_ROUND_KM:
        most = f"{EARTH_HALF_ROUND_KM:g}"
        faults.append(phrase("半径 %(km)s 公里不在 0～%(most)s 之间", km=f"{circle.km:g}", most=most))
    return faults


def ring_faults(ring: Ring) -> list[str]:
    """What is wrong with a polygon's outline: too few points, open, off the earth, no extent, crossing itself."""
    if len(ring) < 4:
        return [phrase("多边形至少要有 4 个点且首尾相同，这里只有 %(points)s 个", points=len(ring))]
    faults = [] if ring[0] == ring[-1] else ["多边形没有闭合：最后一点应与第一点相同"]
    off = next((found for point in ring if (found := point_faults(point))), None)
    if off:
        return [*faults, *off]
    if len(set(ring)) < 3:
        return [*faults, "多边形没有面积：不同的点少于 3 个"]
    try:
        crossing = _first_crossing(ring)
    except _TooIntricateError:
        return [*faults, "多边形过于复杂，无法检查是否自相交"]
    if crossing:
        (lon, lat), _ = crossing
        faults.append(phrase("多边形自相交，在经度 %(lon)s、纬度 %(lat)s 附近", lon=f"{lon:g}", lat=f"{lat:g}"))
    return faults


class _TooIntricateError(Exception):
    pass


def _first_crossing(ring: Ring) -> Segment | None:
    """An edge that properly crosses another one, found by laying the edges on a grid and comparing cell by cell.

    The cells are as wide as the mean edge is long, so laying costs a few cells per edge whatever the shape.
    """
    edges = [(a, b) for a, b in pairwise(ring) if a != b]
    west, south = min(lon for lon, _ in ring), min(lat for _, lat in ring)
    step = sum(hypot(bx - ax, by - ay) for (ax, ay), (bx, by) in edges) / len(edges)
    cells: dict[tuple[int, int], list[Segment]] = defaultdict(list)
    laid = 0
    for edge in edges:
        for cell in _cells(edge, west, south, step):
            cells[cell].append(edge)
            laid += 1
            if laid > PAIR_TESTS_MAX:
                raise _TooIntricateError
    tests = 0
    for inhabitants in cells.values():
        tests += len(inhabitants) * (len(inhabitants) - 1) // 2
        if tests > PAIR_TESTS_MAX:
            raise _TooIntricateError
        for one, other in combinations(inhabitants, 2):
            if _cross(one, other):
                return one
    return None


def _cells(edge: Segment, west: float, south: float, step: float) -> Iterator[tuple[int, int]]:
    """The grid cells that an edge passes through, column by column."""
    (ax, ay), (bx, by) = sorted(edge)
    first, last = floor((ax - west) / step), floor((bx - west) / step)
    for column in range(first, last + 1):
        if bx == ax:
            ends = (ay, by)
        else:
            left, right = max(ax, west + column * step), min(bx, west + (column + 1) * step)
            ends = (ay + (by - ay) * (left - ax) / (bx - ax), ay + (by - ay) * (right - ax) / (bx - ax))
        low, high = floor((min(ends) - south) / step - 1e-9), floor((max(ends) - south) / step + 1e-9)
        for row in range(low, high + 1):
            yield column, row


def _side(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _cross(one: Segment, other: Segment) -> bool:
    """Whether two edges cross at a point inside both; edges that only touch do not."""
    (a, b), (c, d) = one, other
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0
