"""Geocodes and regions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.alerts import areas
from broadcaster.alerts.alert import Area, Circle, NamedValue
from tests.harness.alerts import typhoon, with_info


def _in(*places: Area) -> Any:
    return with_info(typhoon(), areas=places)


@pytest.mark.parametrize(
    ("value", "region"),
    [
        ("130602000000", "130602"),
        ("330212106000", "330212106"),
        ("330212106201", "330212106201"),
        ("330212", "330212"),
        ("330200000000", "3302"),
        ("330000000000", "33"),
        ("330210000000", "330210"),
        ("330212100000", "330212100"),
        ("000000000000", None),
        ("33021210620101", None),
        ("abc", None),
        ("", None),
    ],
)
def test_the_padded_code_of_chinas_feeds_is_a_region_prefix(value: str, region: str | None) -> None:
    assert areas.region_of(NamedValue("CPEAS Geographic Code", value)) == region


def test_another_countrys_code_is_no_region() -> None:
    assert areas.region_of(NamedValue("FIPS6", "006037")) is None


@given(st.integers(1, 4), st.integers(0, 10**15 - 1))
def test_a_region_written_as_a_geocode_reads_back(level: int, number: int) -> None:
    code = str(number).zfill(15)[: 3 + 3 * level]
    groups = [code[:6], *(code[place : place + 3] for place in range(6, len(code), 3))]
    if any(int(group) == 0 for group in groups) or code[4:6] == "00":
        return  # no region bears the number that pads the ones above it
    assert areas.region_of(areas.geocode(code)) == code


def test_regions_within_regions_and_repetitions_are_left_out() -> None:
    codes = [areas.geocode(code) for code in ("330212106", "330212106201", "330205", "330212106")]
    place = Area("x", geocodes=tuple(codes))
    assert areas.regions(_in(place, place)) == ("330205", "330212106")


def test_shapes_of_all_languages_count_once() -> None:
    ring = ((121.0, 29.0), (122.0, 29.0), (122.0, 30.0), (121.0, 29.0))
    place = Area("x", polygons=(ring,), circles=(Circle(121.5, 29.5, 3.0),))
    alert = _in(place, place)
    assert areas.polygons(alert) == (ring,)
    assert areas.circles(alert) == (Circle(121.5, 29.5, 3.0),)
