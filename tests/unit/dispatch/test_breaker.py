"""When a gateway is given nothing, when it is tried, and when it is trusted again."""

from __future__ import annotations

import pytest

from broadcaster.dispatch import breaker as rules
from broadcaster.dispatch.breaker import Breaker, Closed, Open, Probing, State


class Watch:
    """A breaker, the time by which it goes, and the states it went through."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.states: list[type[State]] = []
        self.breaker = Breaker(lambda state: self.states.append(type(state)), now=lambda: self.time)

    def up(self) -> bool:
        return self.breaker.up

    def retry(self, *, silent: bool = False, alone: bool = False) -> State:
        self.breaker.retry(silent=silent, alone=alone)
        return self.breaker.state

    def pauses(self, times: int) -> list[float]:
        """The pauses after each of so many attempts that fail."""
        found = []
        for _ in range(times):
            self.breaker.refused("no route")
            found.append(self.breaker.reconnect_in)
            self.time += found[-1]
        return found


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_who_cannot_connect_pauses_twice_as_long_each_time_up_to_a_ceiling(watch: Watch) -> None:
    assert watch.pauses(8) == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert watch.states == [Open], "it opens once, however often it is refused"


def test_a_connection_is_not_enough_to_be_trusted_again_a_message_is(watch: Watch) -> None:
    watch.breaker.refused("no route")
    watch.breaker.joined()
    assert isinstance(watch.breaker.state, Probing)
    assert not watch.up()
    watch.breaker.good()
    assert watch.up()
    assert watch.states == [Open, Probing, Closed]


def test_a_probe_that_is_put_off_opens_it_again_for_longer(watch: Watch) -> None:
    watch.breaker.refused("no route")
    watch.breaker.joined()
    watch.breaker.bad("busy")
    assert isinstance(watch.breaker.state, Open)
    assert watch.breaker.reconnect_in == 1.0


def test_one_probe_at_a_time(watch: Watch) -> None:
    watch.breaker.refused("no route")
    watch.breaker.joined()
    assert watch.breaker.may_probe()
    watch.breaker.probed()
    assert not watch.breaker.may_probe()
    watch.time += rules.PROBE_SECONDS + 0.1
    assert watch.breaker.may_probe(), "one that came to nothing does not end the trying"


def test_a_connection_that_is_lost_once_is_forgiven_for_a_moment(watch: Watch) -> None:
    watch.breaker.joined()
    watch.time += 100
    watch.breaker.parted("reset")
    assert watch.up()
    watch.time += rules.TRUST + 0.1
    assert not watch.up(), "who stays away is not waited for"
    watch.breaker.joined()
    assert watch.up()


def test_connections_that_do_not_last_open_it(watch: Watch) -> None:
    for _ in range(rules.BRIEF):
        assert watch.states == []
        watch.breaker.joined()
        watch.time += 1
        watch.breaker.parted("reset")
    assert watch.states == [Open]


def test_a_moment_of_throttling_does_not_open_it_a_second_of_it_does(watch: Watch) -> None:
    watch.breaker.joined()
    for _ in range(100):
        watch.breaker.bad("too fast")
    assert watch.states == []
    watch.breaker.good()
    watch.time += 5
    for _ in range(rules.RUN):
        watch.breaker.bad("too fast")
    assert watch.states == [], "what it took in between breaks the run"
    watch.time += rules.RUN_SECONDS
    watch.breaker.bad("too fast")
    assert watch.states == [Open]


def test_who_is_silent_is_not_tried_and_trusted_when_it_answers_and_its_pause_is_over(watch: Watch) -> None:
    watch.breaker.joined()
    watch.breaker.stalled("silent")
    watch.time += 100
    assert isinstance(watch.retry(silent=True), Open)
    watch.breaker.good()
    assert isinstance(watch.retry(), Closed)


def test_who_answers_again_soon_waits_for_the_pause_unless_there_is_no_other(watch: Watch) -> None:
    watch.breaker.joined()
    watch.breaker.stalled("silent")
    watch.breaker.good()
    assert isinstance(watch.retry(), Open)
    assert isinstance(watch.retry(alone=True), Closed)


def test_who_opens_again_soon_after_closing_pauses_longer(watch: Watch) -> None:
    watch.breaker.joined()
    pauses = []
    for _ in range(4):
        watch.breaker.stalled("silent")
        pauses.append(watch.breaker.reconnect_in)
        watch.breaker.good()
        watch.time += pauses[-1]
        assert isinstance(watch.retry(), Closed)
        watch.time += 5
    assert pauses == [0.5, 1, 2, 4]
    watch.time += rules.STEADY
    watch.breaker.stalled("silent")
    assert watch.breaker.reconnect_in == 0.5
