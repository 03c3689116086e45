"""A throttle lets through what it promises, to each caller, and remembers only so many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from broadcaster.errors import LimitedError
from broadcaster.web.throttle import Throttle, neighbourhood

NOW = datetime(2026, 8, 9, 19, 0, tzinfo=UTC)


def test_so_many_at_once_and_then_as_many_as_time_gives_back() -> None:
    throttle = Throttle(3, 0.5)
    for _ in range(3):
        throttle.take("a", NOW)
    with pytest.raises(LimitedError) as limited:
        throttle.take("a", NOW)
    assert limited.value.after == 2
    throttle.take("b", NOW)
    throttle.take("a", NOW + timedelta(seconds=2))
    with pytest.raises(LimitedError):
        throttle.take("a", NOW + timedelta(seconds=3))


def test_a_clock_that_is_set_back_takes_nothing_away() -> None:
    throttle = Throttle(2, 1)
    throttle.take("a", NOW)
    throttle.take("a", NOW - timedelta(hours=1))
    with pytest.raises(LimitedError):
        throttle.take("a", NOW - timedelta(hours=1))


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("local", "local"),
    ],
)
def test_a_subscriber_is_counted_once(address: str, counted: str) -> None:
    assert neighbourhood(address) == counted
