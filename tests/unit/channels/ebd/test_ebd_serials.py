"""Numbers are given once, whatever restarts in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.loudspeaker.ebd.serials import DRIVER, Broadcasts, Packages, door_lane

SOURCE = "43415230000000103010101"
BEGAN = datetime(2026, 11, 27, 19, 0, tzinfo=UTC)  # 03:00 of the next day in Beijing


class Clock:
    def __init__(self, now: datetime = BEGAN) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def go(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def connected(clock: Clock, alone: float = 0.0, lane: int = 1, lanes: int = 1) -> Broadcasts:
    numbers = Broadcasts(SOURCE, clock, timedelta(seconds=alone), lane, lanes)
    numbers.begin()
    return numbers


def test_an_ebmid_is_35_digits_with_beijings_day() -> None:
    ebmid = connected(Clock(), 8.64).take()
    assert (len(ebmid), ebmid[:23], ebmid[23:31]) == (35, SOURCE, "20261128")
    assert ebmid[31:] == "1250", "03:00 is an eighth of the day"


def test_an_ebdid_is_41_digits_and_says_who_gave_it() -> None:
    ebdid = Packages(SOURCE, DRIVER, Clock()).next()
    assert (len(ebdid), ebdid[:2], ebdid[2:25], ebdid[25:33], ebdid[-1]) == (41, "10", SOURCE, "20261128", "0")
    assert 1 <= door_lane() <= 9


def test_who_has_just_connected_has_one_number_every_8_64_seconds() -> None:
    clock = Clock()
    numbers = connected(clock)
    for _ in range(5):
        assert not numbers.take()
        wait = numbers.wait()
        assert 0 < wait <= 8.641
        clock.go(wait + 0.001)
        assert numbers.wait() == 0
        assert numbers.take()


def test_who_stays_connected_for_an_hour_has_hundreds() -> None:
    clock = Clock()
    numbers = connected(clock)
    clock.go(3600)
    given_out = [numbers.take() for _ in range(400)]
    assert all(given_out)
    assert len(set(given_out)) == 400
    assert given_out[0] > given_out[1], "the newest first"


def test_who_is_not_connected_gathers_none() -> None:
    clock = Clock()
    numbers = Broadcasts(SOURCE, clock)
    clock.go(3600)
    assert not numbers.take()
    numbers.begin()
    assert not numbers.take()


def test_what_was_put_by_stays_when_a_connection_is_lost() -> None:
    clock = Clock()
    numbers = connected(clock)
    clock.go(100)
    numbers.end()
    clock.go(100)
    numbers.begin()
    assert len([one for one in (numbers.take() for _ in range(50)) if one]) == 11


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 4000),
            st.integers(0, 40),
            st.sampled_from(["stay", "reconnect", "other", "new"]),
            st.floats(0, 20),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_no_number_is_given_twice_whoever_takes_over(story: list[tuple[float, int, str, float]]) -> None:
    """Two workers that live as long as the story, and new ones: whoever holds the slot gives numbers."""
    clock, seen = Clock(), set[str]()
    working, waiting = Broadcasts(SOURCE, clock), Broadcasts(SOURCE, clock)
    working.begin()
    for idle, wanted, then, down in story:
        clock.go(idle)
        for _ in range(wanted):
            ebmid = working.take()
            assert ebmid not in seen
            if ebmid:
                seen.add(ebmid)
        if then != "stay":
            working.end()
            clock.go(down)
            if then == "other":
                working, waiting = waiting, working
            elif then == "new":
                working = Broadcasts(SOURCE, clock)
            working.begin()


def test_numbers_go_on_over_midnight() -> None:
    clock = Clock(datetime(2026, 11, 27, 15, 59, 50, tzinfo=UTC))
    numbers, seen = connected(clock), set[str]()
    for _ in range(40):
        clock.go(8.65)
        ebmid = numbers.take()
        assert ebmid not in seen
        seen.add(ebmid)
    assert {ebmid[23:31] for ebmid in seen} == {"20261127", "20261128"}
    assert f"{SOURCE}202611280000" in seen


@pytest.mark.parametrize("lanes", [2, 3, 25])
def test_shares_have_no_number_in_common(lanes: int) -> None:
    clock = Clock()
    everyone = [connected(clock, 0.0, lane, lanes) for lane in range(1, lanes + 1)]
    clock.go(6 * 3600)
    taken = [numbers.take() for numbers in everyone for _ in range(50)]
    assert all(len(one) == 35 for one in taken)
    assert len(set(taken)) == 50 * lanes


def test_packages_of_one_driver_and_of_the_door_are_all_different() -> None:
    clock = Clock()
    driver, door = Packages(SOURCE, DRIVER, clock), Packages(SOURCE, 4, clock)
    taken = [giver.next() for _ in range(500) for giver in (driver, door)]
    assert len(set(taken)) == 1000
