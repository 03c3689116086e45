"""A clock that was read once goes on by itself, whatever the wall clock does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from broadcaster.clock import ManualClock, SteadyClock, since_boot

NOON = datetime(2026, 8, 9, 12, 0, tzinfo=UTC)


def test_before_the_first_reading_it_is_the_wall_clocks_time() -> None:
    assert SteadyClock(ManualClock(NOON)).now() == NOON


def test_a_wall_clock_that_jumps_changes_nothing() -> None:
    wall = ManualClock(NOON)
    clock = SteadyClock(wall)
    clock.set(NOON + timedelta(hours=3), since_boot())
    wall.advance(365 * 86_400)
    assert timedelta() <= clock.now() - (NOON + timedelta(hours=3)) < timedelta(seconds=1)


def test_time_goes_on_between_two_readings() -> None:
    clock = SteadyClock(ManualClock(NOON))
    clock.set(NOON, since_boot() - 60)
    assert timedelta(seconds=60) <= clock.now() - NOON < timedelta(seconds=61)


def test_a_later_reading_sets_it_right() -> None:
    clock = SteadyClock(ManualClock(NOON))
    clock.set(NOON, since_boot())
    clock.set(NOON - timedelta(hours=1), since_boot())
    assert clock.now() < NOON
