"""The time of arrival follows the pace, and says nothing where nothing moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from broadcaster.progress import STATES, DoorTasks, Households, Progress, Units
from broadcaster.report.arrival import Pacemeter

START = datetime(2026, 8, 9, 19, 0, tzinfo=UTC)


def _sent(sent: int, of: int = 1000) -> Progress:
    deliveries = {**dict.fromkeys(STATES, 0), "submitted": sent, "queued": of - sent}
    homes, units = Households(of, 0, of, 0), Units(0, 0, 0, 0, 0, 0)
    return Progress(1, True, deliveries, {}, homes, (), units, DoorTasks(0, 0, 0), 0)


def _at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_the_first_look_goes_by_the_pace_since_issue() -> None:
    assert Pacemeter().arrival(_at(10), _sent(100), START) == _at(100)


def test_later_looks_go_by_the_last_minute() -> None:
    meter = Pacemeter()
    for second in range(60):
        meter.arrival(_at(second), _sent(second * 10), START)
    for second in range(60, 121):
        found = meter.arrival(_at(second), _sent(600 + (second - 60)), START)
    assert found == _at(120 + 340), "it has slowed down to one a second"


def test_nothing_is_said_of_what_stands_still_or_is_done() -> None:
    meter = Pacemeter()
    for second in range(100):
        found = meter.arrival(_at(second), _sent(500), START)
    assert found is None
    assert meter.arrival(_at(100), _sent(1000), START) is None
    assert Pacemeter().arrival(_at(0), _sent(0), None) is None
