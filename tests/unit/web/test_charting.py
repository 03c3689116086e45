"""A course is drawn true: no peak is thinned away, no gap bridged, no point outside of the drawing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from broadcaster.web.pages.charting import NARROW, WIDE, Size, chart, charts

START = datetime(2026, 8, 9, tzinfo=UTC)
END = START + timedelta(days=1)


def _points(values: list[float], minutes: float = 1) -> list[tuple[datetime, float, bool]]:
    return [(START + timedelta(minutes=minutes * place), value, True) for place, value in enumerate(values)]


def _drawn(lines: tuple[str, ...]) -> list[tuple[float, float]]:
    return [
        (float(x), float(y)) for line in lines for x, _, y in (pair.partition(",") for pair in line.split(" ")) if y
    ]


def test_the_highest_and_the_lowest_are_kept_however_many_points_there_are() -> None:
    values = [1.0] * 20_000
    values[12_345], values[6_789] = 9.0, -4.0
    made = chart(_points(values, minutes=0.05), START, END)
    heights = {y for _, y in _drawn(made.lines)}
    assert len(heights) == 3
    assert len(_drawn(made.lines)) <= 1300


def test_where_nothing_came_the_line_is_broken() -> None:
    points = _points([1.0] * 10) + [(at + timedelta(hours=3), value, fine) for at, value, fine in _points([2.0] * 10)]
    assert len(chart(points, START, END).lines) == 2
    assert chart([], START, END).lines == ()


@given(st.lists(st.floats(-1e6, 1e6), max_size=50), st.sampled_from([WIDE, NARROW]))
def test_everything_lies_inside(values: list[float], size: Size) -> None:
    made = chart(_points(values), START, END, size=size, limits=[(3.5, "警戒", "warning")], events=[(END, "x", "red")])
    assert all(0 <= x <= size.width and 0 <= y <= size.height for x, y in _drawn(made.lines))
    assert all(0 <= mark.at <= size.height for mark in made.across)
    assert all(0 <= mark.at <= size.width for mark in made.down)
    assert 2 <= len([mark for mark in made.across if not mark.kind]) <= 7


def test_the_axes_say_round_values_hours_and_where_a_day_begins() -> None:
    values = [4.8 + 2.3 * place / 1439 for place in range(1440)]
    for made, times in zip(
        charts(_points(values), START, END, limits=[(7.0, "保证", "guarantee")]), (8, 4), strict=True
    ):
        assert [mark.text for mark in made.across] == ["5.0", "5.5", "6.0", "6.5", "7.0", "保证"]
        assert made.across[-1].figure == "7"
        assert len(made.down) == times
        assert [mark.text for mark in made.down if "-" in mark.text] == ["08-10"]
