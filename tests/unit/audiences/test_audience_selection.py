"""A selection is checked when it is made."""

from __future__ import annotations

import pytest

from audiences.records import Level
from audiences.selection import Selection, where, where_terminal

TRIANGLE = ((121.5, 29.8), (121.6, 29.8), (121.55, 29.9))


@pytest.mark.parametrize("code", ["", "33", "3302121", "33021200a", "330212'; --", "３３０２１２"])
def test_only_region_codes_select_regions(code: str) -> None:
    with pytest.raises(ValueError, match=r"digits|codes"):
        Selection(regions=(code,))


def test_turned_round_coordinates_and_flat_rings_are_refused() -> None:
    with pytest.raises(ValueError, match="longitude first"):
        Selection(circles=((29.8, 121.5, 3.0),))
    with pytest.raises(ValueError, match="three different corners"):
        Selection(polygons=((TRIANGLE[0], TRIANGLE[1], TRIANGLE[0]),))
    with pytest.raises(ValueError, match="radius"):
        Selection(circles=((121.5, 29.8, float("nan")),))


def test_nothing_selected_selects_nobody() -> None:
    condition, parameters = where(Selection(tags=frozenset({"low_lying"})))
    assert "FALSE" in condition
    assert parameters == [["low_lying"]]


def test_parameters_count_on_from_where_the_caller_left_off() -> None:
    condition, parameters = where(Selection(regions=("330212", "330212001"), polygons=(TRIANGLE,)), first_parameter=4)
    assert "$4" in condition
    assert "$7" in condition
    assert "$8" not in condition
    assert len(parameters) == 4


def test_tags_narrow_homes_but_no_loudspeakers() -> None:
    condition, _ = where_terminal(Selection(regions=("330212",), tags=frozenset({"low_lying"})))
    assert "tags" not in condition


def test_levels_follow_from_the_length_of_a_code() -> None:
    assert [Level.of("1" * length) for length in (6, 9, 12, 15)] == list(Level)
    assert [level.code_length for level in Level] == [6, 9, 12, 15]
