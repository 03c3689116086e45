"""What a reading is worth: faults are told from floods."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.triggers.quality import Track, Verdict
from broadcaster.triggers.station import Limits

NOW = datetime(2026, 8, 9, 19, 0, tzinfo=UTC)


def _verdicts(limits: Limits, values: list[float], *, minutes: int = 10, element: str = "water_level") -> list[Verdict]:
    track = Track(element, limits)
    start = NOW - timedelta(minutes=minutes * (len(values) - 1))
    return [track.judge(start + timedelta(minutes=minutes * place), one, NOW) for place, one in enumerate(values)]


def test_a_single_leap_is_a_fault_and_a_second_one_is_the_truth() -> None:
    limits = Limits(rate=3.0)
    good, rate = Verdict.GOOD, Verdict.RATE
    assert _verdicts(limits, [1.0, 1.1, 9.0, 1.2, 1.3]) == [good, good, rate, good, good]
    assert _verdicts(limits, [1.0, 1.1, 9.0, 9.1, 9.2]) == [good, good, rate, good, good]


def test_two_leaps_to_different_places_are_two_faults() -> None:
    assert _verdicts(Limits(rate=3.0), [1.0, 9.0, 20.0]) == [Verdict.GOOD, Verdict.RATE, Verdict.RATE]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -500.0, 20_000.0])
def test_what_cannot_be_is_out_of_range(value: float) -> None:
    assert _verdicts(Limits(), [value]) == [Verdict.RANGE]


def test_the_stations_own_bounds_are_narrower() -> None:
    assert _verdicts(Limits(low=0, high=5), [5.0, 5.1, -0.1]) == [Verdict.GOOD, Verdict.RANGE, Verdict.RANGE]


def test_a_value_that_never_changes_is_stuck_after_its_time() -> None:
    verdicts = _verdicts(Limits(stuck=1200), [2.0, 2.0, 2.0, 2.0, 2.1])
    assert verdicts == [Verdict.GOOD, Verdict.GOOD, Verdict.STUCK, Verdict.STUCK, Verdict.GOOD]


def test_a_clock_that_is_ahead_and_a_report_that_is_late() -> None:
    track = Track("rainfall")
    assert track.judge(NOW + timedelta(minutes=11), 1, NOW) is Verdict.FUTURE
    assert track.judge(NOW + timedelta(minutes=9), 1, NOW) is Verdict.GOOD
    assert track.judge(NOW - timedelta(hours=3), 1, NOW) is Verdict.LATE
    assert track.last_at == NOW + timedelta(minutes=9)


def test_a_reading_of_the_past_does_not_move_what_the_next_is_judged_by() -> None:
    track = Track("water_level", Limits(rate=3.0))
    track.judge(NOW, 1.0, NOW)
    assert track.judge(NOW - timedelta(minutes=10), 8.0, NOW) is Verdict.GOOD
    assert (track.good_at, track.good_value) == (NOW, 1.0)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=30), st.floats(0.01, 100))
def test_no_sequence_breaks_it_and_what_is_good_lies_within_bounds(values: list[float], rate: float) -> None:
    verdicts = _verdicts(Limits(rate=rate, low=-10, high=10), values)
    assert all(-10 <= value <= 10 for value, one in zip(values, verdicts, strict=True) if one.usable)
