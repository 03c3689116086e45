"""Shapes as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.alerts import shapes
from broadcaster.alerts.area import Circle


def test_lines_are_outlines_and_circles() -> None:
    rings, circles, faults = shapes.read("121,29 122,29 122,30\n\n121.5，29.8 5km\n121.5,29.8 2.5公里\n")
    assert rings == [((121, 29), (122, 29), (122, 30), (121, 29))]
    assert circles == [Circle(121.5, 29.8, 5), Circle(121.5, 29.8, 2.5)]
    assert faults == []


@pytest.mark.parametrize(
    "line",
    [
        "x",
        "121",
        "121,29",
        "121,29 122,29",
        "5km",
        "121,29 122,29 5km",
        "nan,29 122,29 122,30",
        "121,29,3 5",
        ",",
        "1e999,0 5",
    ],
)
def test_what_is_no_shape_is_named_by_its_line(line: str) -> None:
    rings, circles, faults = shapes.read(f"121,29 5km\n{line}")
    assert (rings, len(circles)) == ([], 1)
    assert faults[0].startswith("第 2 行写法不对")


def test_a_swapped_pair_and_a_crossing_outline_are_told() -> None:
    assert "写反" in shapes.read("29.8,121.5 5km")[2][0]
    assert "自相交" in shapes.read("0,0 2,2 2,0 0,2")[2][0]


def test_there_is_an_end_to_how_many() -> None:
    assert shapes.read("1,1 1km\n" * 51)[2] == ["图形有 51 个，最多 50 个"]


@given(st.lists(st.tuples(st.integers(-179, 179), st.integers(-80, 80), st.integers(0, 900)), max_size=5))
def test_what_is_written_reads_back(given_: list[tuple[int, int, int]]) -> None:
    circles = [Circle(float(lon), float(lat), float(km)) for lon, lat, km in given_]
    ring = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0))
    assert shapes.read(shapes.write([ring], circles)) == ([ring], circles, [])


@given(st.text(max_size=80))
def test_no_text_breaks_it(text: str) -> None:
    shapes.read(text)
