"""The storm of a rehearsal: the same for the same seed, and such as nature could make it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from broadcaster.alerts.alert import Colour, MsgType
from broadcaster.rehearsal.storm.office import bulletins
from broadcaster.rehearsal.storm.rain import TOTAL
from broadcaster.rehearsal.storm.river import BASE, REACHES, Reach, flows, runoff
from broadcaster.rehearsal.storm.storm import GAUGES, HOURS, Storm, storm

SEEDS = range(1, 4)
MINUTES = [minute / 60 for minute in range(int(HOURS * 60) + 1)]
RIVER = {reach.name: reach for reach in REACHES}


@pytest.fixture(scope="module", params=SEEDS)
def one(request: pytest.FixtureRequest) -> Storm:
    return storm(request.param)


def first(one: Storm, reach: Reach, limit: float) -> float:
    """The hour at which a level is reached."""
    return next(hour for hour in MINUTES if one.level(reach, hour) >= limit)


def last(one: Storm, reach: Reach, limit: float) -> float:
    return next(hour for hour in reversed(MINUTES) if one.level(reach, hour) >= limit)


def peak(one: Storm, reach: Reach) -> float:
    return max(MINUTES, key=lambda hour: one.level(reach, hour))


def test_the_same_seed_is_the_same_storm_and_another_is_another() -> None:
    one, again, other = storm(1), storm(1), storm(2)
    assert one == again
    assert bulletins(one) == bulletins(again)
    assert [again.fallen(gauge.station, HOURS) for gauge in GAUGES] != [
        other.fallen(gauge.station, HOURS) for gauge in GAUGES
    ]


def test_rain_only_adds_up_and_comes_to_what_a_typhoon_leaves(one: Storm) -> None:
    for gauge in GAUGES:
        course = [one.fallen(gauge.station, hour) for hour in MINUTES]
        assert course[0] == pytest.approx(0, abs=0.1)
        assert all(before <= after for before, after in pairwise(course))
        assert max(after - before for before, after in zip(course, course[60:], strict=False)) < 110, "mm in an hour"
    mean = sum(one.fallen(gauge.station, HOURS) for gauge in GAUGES) / len(GAUGES)
    assert TOTAL[0] - 5 < mean < TOTAL[1] + 5


def test_no_more_water_comes_down_than_fell_and_most_of_it_does(one: Storm) -> None:
    outlet, step = REACHES[-1], 1 / 60
    hours = [step * number for number in range(24 * 60)]
    area = sum(reach.area for reach in REACHES)
    came = sum(one.flow(outlet.station, hour) - BASE * area for hour in hours) * step * 3600
    fell = sum(
        one.field.at(reach.lon, reach.lat, hour) * step * reach.area * 1000 for hour in hours for reach in REACHES
    )
    assert 0.6 * fell < came < 0.95 * fell
    ran = sum(
        runoff(sum(one.field.at(reach.lon, reach.lat, hour) * step for hour in hours)) * reach.area * 1000
        for reach in REACHES
    )
    assert came == pytest.approx(ran, rel=0.02), "what has run off passes the outlet, all of it"


def test_the_wave_goes_from_the_hills_to_the_plain_and_the_river_falls_again(one: Storm) -> None:
    for reach in REACHES:
        risen, over = first(one, reach, reach.warning), first(one, reach, reach.guarantee)
        fallen, passed = last(one, reach, reach.guarantee), last(one, reach, reach.warning)
        assert 2 < risen < over < peak(one, reach) < fallen < passed < HOURS - 1
        assert over - risen > 0.5, "there is time between the two"
        assert one.level(reach, HOURS) < reach.warning - 0.5
        assert one.level(reach, 0) < reach.warning - 1
    assert peak(one, RIVER["韩岭"]) < peak(one, RIVER["云龙"]) < peak(one, RIVER["下应"])
    assert first(one, RIVER["云龙"], RIVER["云龙"].guarantee) < first(one, RIVER["下应"], RIVER["下应"].guarantee)


def test_without_rain_the_river_stands_still() -> None:
    dry = flows([[0.0] * 600 for _ in REACHES], 1 / 60)
    for reach in REACHES:
        assert max(dry[reach.station]) - min(dry[reach.station]) < 1e-9


def test_the_office_warns_step_by_step_before_the_river_and_calls_off_once(one: Storm) -> None:
    said = bulletins(one)
    assert [bulletin.msg_type for bulletin in said] == [
        MsgType.ALERT, MsgType.UPDATE, MsgType.UPDATE, MsgType.UPDATE, MsgType.CANCEL,
    ]  # fmt: skip
    assert [bulletin.colour for bulletin in said[:4]] == [Colour.BLUE, Colour.YELLOW, Colour.ORANGE, Colour.RED]
    assert [bulletin.number for bulletin in said] == [1, 2, 3, 4, 5]
    assert all(before.hour < after.hour for before, after in pairwise(said))
    assert said[3].hour < first(one, RIVER["下应"], RIVER["下应"].guarantee)
    assert said[4].hour > one.field.core
