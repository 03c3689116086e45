"""Shapes that may select households, and those that may not."""

from __future__ import annotations

import math
import random
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.alerts import geometry
from broadcaster.alerts.alert import Circle, Ring
from broadcaster.alerts.geometry import circle_faults, ring_faults
from tests.harness.alerts import rings

SQUARE: Ring = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0))


@pytest.mark.parametrize(
    ("ring", "word"),
    [
        ((), "4 个点"),
        (SQUARE[:3], "4 个点"),
        (SQUARE[:4], "没有闭合"),
        (((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)), "自相交"),
        (((0.0, 0.0), (1.0, 1.0), (0.0, 0.0), (0.0, 0.0)), "没有面积"),
        (((29.0, 121.0), (30.0, 121.0), (30.0, 122.0), (29.0, 121.0)), "写反"),
        (((200.0, 10.0), (201.0, 10.0), (201.0, 11.0), (200.0, 10.0)), "不在地球上"),
    ],
)
def test_each_fault_of_an_outline_is_named(ring: Ring, word: str) -> None:
    assert any(word in fault for fault in ring_faults(ring))


def test_a_good_outline_has_no_fault() -> None:
    assert ring_faults(SQUARE) == []


@given(rings())
def test_an_outline_that_does_not_cross_itself_has_no_fault(ring: Ring) -> None:
    assert ring_faults(ring) == []


def _crosses(ring: Ring) -> bool:
    """Every edge against every other: the oracle."""
    edges = list(pairwise(ring))
    return any(geometry._cross(one, other) for one, other in combinations(edges, 2))


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=3, max_size=14))
def test_the_grid_finds_a_crossing_exactly_where_comparing_all_edges_does(points: list[tuple[int, int]]) -> None:
    ring = tuple((float(lon), float(lat)) for lon, lat in [*points, points[0]])
    if len(set(ring)) >= 3:
        assert any("自相交" in fault for fault in ring_faults(ring)) is _crosses(ring)


def test_a_country_of_forty_thousand_points_is_checked() -> None:
    draw = random.Random(7)
    angles = sorted(draw.uniform(0, math.tau) for _ in range(40_000))
    ring = [(110 + math.cos(angle) * 5, 30 + math.sin(angle) * 5) for angle in angles]
    assert ring_faults((*ring, ring[0])) == []


def test_a_hostile_outline_is_refused_instead_of_checked_for_ever() -> None:
    spikes = [(index / 10_000, float(index % 2) * 80) for index in range(10_000)]
    ring = (*spikes, (1.0, -1.0), (0.0, -1.0), spikes[0])
    assert any("过于复杂" in fault for fault in ring_faults(ring))


@pytest.mark.parametrize(
    ("circle", "faults"),
    [(Circle(121, 29, 5), 0), (Circle(121, 29, 0), 0), (Circle(121, 29, -1), 1), (Circle(29, 121, math.nan), 2)],
)
def test_a_circle_lies_on_the_earth(circle: Circle, faults: int) -> None:
    assert len(circle_faults(circle)) == faults
