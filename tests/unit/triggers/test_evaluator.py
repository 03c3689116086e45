"""What a rule makes of readings: no glitch, one event, one all-clear; the same whatever was restarted in between."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.triggers.evaluator import BLIND, Decision, RuleState, Step, evaluate
from broadcaster.triggers.replaying import replay
from broadcaster.triggers.rule import Rule, read
from broadcaster.triggers.station import Limits
from broadcaster.triggers.window import Course, Site

START = datetime(2026, 8, 9, 0, 0, tzinfo=UTC)
ONE = Site(1, "s-1", "一站", "330212101001", limits={"water_level": Limits(warning=3.5)})
TWO = Site(2, "s-2", "二站", "330212101002", groups=("g",))
THREE = Site(3, "s-3", "三站", "330212102001", groups=("g",))
HEAD = 'title = "t"\nhazard = "flood"\nstations = ["s-1"]\ncalm = "30m"\ncool_down = "1h"\nfresh = "1h"\n'


def rule(*levels: str, head: str = HEAD) -> Rule:
    return read(head + "".join(f"[[levels]]\n{level}\n" for level in levels), "330212", ())


def when(colour: str, condition: str, do: str = "draft") -> str:
    return f'colour = "{colour}"\ndo = "{do}"\n[[levels.when]]\n{condition}'


LASTING = when("yellow", 'element = "water_level"\nabove = 3.0\nlasting = "10m"\nhysteresis = 0.5')
HIGHER = when("red", 'element = "water_level"\nabove = 5.0\nlasting = "10m"\nhysteresis = 0.5')


def course(values: Sequence[float], minutes: float = 5, start: datetime = START) -> Course:
    first = start.timestamp()
    return Course([first + 60 * minutes * place for place in range(len(values))], list(values))


def steps(
    one: Rule, courses: dict[str, Course], hours: float = 24, element: str = "water_level"
) -> list[tuple[str, str]]:
    windows = {(code, element): made for code, made in courses.items()}
    found = replay(one, (ONE, TWO, THREE), windows, START, START + timedelta(hours=hours))
    return [(step.step.value, step.colour.value) for step in found]


def test_an_event_rises_and_ends_once() -> None:
    values = [1.0] * 10 + [3.2] * 10 + [5.2] * 10 + [4.8] * 5 + [2.7] * 5 + [1.0] * 20
    assert steps(rule(LASTING, HIGHER), {"s-1": course(values)}, hours=6) == [
        ("raise", "yellow"),
        ("rise", "red"),
        ("clear", "red"),
    ]


def test_what_swings_around_a_limit_is_one_event() -> None:
    values = [1.0] * 5 + [3.1] * 3 + [2.9, 3.1, 2.8, 3.0, 2.6] * 10 + [1.0] * 20
    assert steps(rule(LASTING), {"s-1": course(values)}, hours=8) == [("raise", "yellow"), ("clear", "yellow")]


def test_after_the_all_clear_the_same_colour_waits_and_a_higher_one_does_not() -> None:
    again = [1.0] * 3 + [3.2] * 4 + [1.0] * 10 + [3.2] * 4 + [1.0] * 20
    assert steps(rule(LASTING), {"s-1": course(again)}, hours=4) == [("raise", "yellow"), ("clear", "yellow")]
    higher = [1.0] * 3 + [3.2] * 4 + [1.0] * 10 + [6.0] * 4 + [1.0] * 20
    assert steps(rule(LASTING, HIGHER), {"s-1": course(higher)}, hours=4)[2] == ("raise", "red")


def test_silence_is_no_all_clear_but_does_not_last_for_ever() -> None:
    values = {"s-1": course([1.0] * 3 + [3.2] * 4)}
    assert steps(rule(LASTING), values, hours=11) == [("raise", "yellow")]
    later = BLIND.total_seconds() / 3600 + 2
    assert steps(rule(LASTING), values, hours=later) == [("raise", "yellow"), ("lost", "yellow")]


@pytest.mark.parametrize(
    ("condition", "values", "raised"),
    [
        ('element = "water_level"\nabove = "warning"', [3.4, 3.4, 3.6], True),
        ('element = "water_level"\nabove = "warning"', [3.4, 3.4, 3.4], False),
        ('element = "water_level"\nbelow = 1.0', [3.4, 3.4, 0.9], True),
        ('element = "water_level"\nrise = 0.5\nwithin = "10m"', [1.0, 1.2, 1.5], True),
        ('element = "water_level"\nrise = 0.5\nwithin = "10m"', [1.0, 1.2, 1.4, 1.6, 1.8], False),
        ('element = "water_level"\nfall = 0.5\nwithin = "10m"', [2.0, 1.8, 1.5], True),
        ('element = "rainfall"\ntotal = 30\nwithin = "15m"', [10.0, 10.0, 10.0], True),
        ('element = "rainfall"\ntotal = 30\nwithin = "10m"', [10.0, 10.0, 10.0, 9.0], False),
        ('element = "rain_total"\ntotal = 30\nwithin = "1h"', [100.0, 110.0, 2.0, 22.0], True),
        ('element = "rain_total"\ntotal = 33\nwithin = "1h"', [100.0, 110.0, 2.0, 22.0], False),
        ('element = "water_level"\nabove = "guarantee"', [99.0], False),
    ],
)
def test_every_kind_of_condition(condition: str, values: list[float], raised: bool) -> None:
    element = condition.split('"')[1]
    found = steps(
        rule(when("blue", condition)), {"s-1": course(values)}, hours=len(values) / 12 - 0.05, element=element
    )
    assert bool(found) is raised


def test_so_many_of_several_stations() -> None:
    head = HEAD.replace('["s-1"]', '["group:g", "s-1"]')
    two = rule(when("blue", 'element = "water_level"\nabove = 3.0\nat_least = 2'), head=head)
    one_high = {"s-1": course([4.0] * 5), "s-2": course([1.0] * 5), "s-3": course([1.0] * 5)}
    assert steps(two, one_high, hours=0.3) == []
    assert steps(two, {**one_high, "s-3": course([4.0] * 5)}, hours=0.3) == [("raise", "blue")]


def test_the_reasons_are_told_in_both_languages_with_the_figures() -> None:
    windows = {("s-1", "water_level"): course([3.2, 3.3, 3.4])}
    decision = evaluate(rule(LASTING), (ONE,), windows, RuleState(), START + timedelta(minutes=11))
    assert (decision.step, [site.code for site in decision.sites]) == (Step.RAISE, ["s-1"])
    assert all(word in decision.why[0].chinese for word in ("一站", "水位", "3.4", "≥ 3"))
    assert all(word in decision.why[0].english for word in ("water level", "3.4", "≥ 3"))


@given(st.lists(st.floats(0, 2.9), min_size=5, max_size=60), st.data())
def test_a_single_wild_value_never_raises_anything(calm: list[float], data: st.DataObject) -> None:
    values = list(calm)
    places = data.draw(st.sets(st.integers(0, len(values) - 1), max_size=5))
    for place in places:
        if place - 1 not in places and place + 1 not in places and place - 2 not in places:
            values[place] = data.draw(st.floats(3, 100))
    lonely = [value if value < 3 or (place and values[place - 1] < 3) else 0.0 for place, value in enumerate(values)]
    assert steps(rule(LASTING), {"s-1": course(lonely)}, hours=len(lonely) / 12) == []


_VALUES = st.lists(st.floats(0, 8), min_size=1, max_size=80)


@given(_VALUES)
def test_whatever_comes_an_event_begins_rises_and_ends_in_this_order(values: list[float]) -> None:
    found = [step for step, _ in steps(rule(LASTING, HIGHER), {"s-1": course(values)}, hours=12)]
    going = False
    for step in found:
        assert (step == "raise") is not going or step in ("rise", "clear")
        assert going or step == "raise"
        going = step != "clear"
    assert all(before != "rise" or after != "rise" for before, after in itertools.pairwise(found))


@given(_VALUES, st.randoms(use_true_random=False))
def test_restarts_and_repeated_looks_change_nothing(values: list[float], random: st.DataObject) -> None:
    one = rule(LASTING, HIGHER)
    windows = {("s-1", "water_level"): course(values)}

    def run(looks: int) -> list[tuple[datetime, str]]:
        state, found = RuleState(), []
        for minute in range(0, len(values) * 5 + 60, 5):
            now = START + timedelta(minutes=minute)
            for _ in range(looks):
                state = msgspec.json.decode(msgspec.json.encode(state), type=RuleState)
                decision: Decision = evaluate(one, (ONE,), windows, state, now)
                if decision.step is not None:
                    found.append((now, decision.step.value))
                state = decision.state
        return found

    assert run(1) == run(3)


@given(_VALUES)
def test_what_has_not_come_yet_is_not_looked_at(values: list[float]) -> None:
    one, now = rule(LASTING, HIGHER), START + timedelta(minutes=5 * (len(values) // 2))
    whole = {("s-1", "water_level"): course(values)}
    half = {("s-1", "water_level"): course(values[: len(values) // 2 + 1])}
    assert evaluate(one, (ONE,), whole, RuleState(), now) == evaluate(one, (ONE,), half, RuleState(), now)


def going(
    one: Rule, courses: dict[tuple[str, str], Course], hours: float, among: Sequence[Site] = (ONE, TWO, THREE)
) -> tuple[list[str], RuleState]:
    """The steps by looks five minutes apart, and where it stands then."""
    return carried(one, courses, RuleState(), START, hours, among)


def carried(
    one: Rule,
    courses: dict[tuple[str, str], Course],
    state: RuleState,
    start: datetime,
    hours: float,
    among: Sequence[Site] = (ONE, TWO, THREE),
) -> tuple[list[str], RuleState]:
    found: list[str] = []
    for turn in range(int(hours * 12) + 1):
        decision = evaluate(one, among, courses, state, start + timedelta(minutes=5 * turn))
        state = msgspec.json.decode(msgspec.json.encode(decision.state), type=RuleState)
        found += [decision.step.value] if decision.step else []
    return found, state


ANY_OF_GROUP = rule(
    when("yellow", 'element = "water_level"\nabove = 3.0'), head=HEAD.replace('["s-1"]', '["group:g", "s-1"]')
)
LEVEL = "water_level"


def test_a_station_that_was_mute_before_does_not_keep_an_event_open() -> None:
    courses = {("s-1", LEVEL): course([1.0] * 3 + [3.2] * 6 + [1.0] * 20), ("s-2", LEVEL): course([1.0] * 40)}
    assert going(ANY_OF_GROUP, courses, 3)[0] == ["raise", "clear"]


def test_a_station_that_falls_silent_during_an_event_keeps_it_open() -> None:
    courses = {("s-1", LEVEL): course([1.0] * 3 + [3.2] * 20 + [1.0] * 40), ("s-2", LEVEL): course([1.0] * 6)}
    assert going(ANY_OF_GROUP, courses, 4)[0] == ["raise"]
    back = {**courses, ("s-2", LEVEL): course([1.0] * 60)}
    _, state = going(ANY_OF_GROUP, courses, 2)
    assert carried(ANY_OF_GROUP, back, state, START + timedelta(hours=2), 2)[0] == ["clear"]


@pytest.mark.parametrize("head", [HEAD.replace('["s-1"]', '["group:g"]'), HEAD.replace('["s-1"]', '["s-2", "s-3"]')])
def test_a_station_that_goes_from_the_register_is_no_all_clear(head: str) -> None:
    one = rule(when("yellow", 'element = "water_level"\nabove = 3.0\nat_least = 2'), head=head)
    courses = {(code, LEVEL): course([1.0] * 3 + [3.2] * 60) for code in ("s-2", "s-3")}
    found, state = going(one, courses, 1)
    assert found == ["raise"]
    assert carried(one, courses, state, START + timedelta(hours=1), 3, (ONE, TWO))[0] == []


def test_a_station_without_the_limit_that_is_asked_for_does_not_keep_an_event_open() -> None:
    one = rule(
        when("yellow", 'element = "water_level"\nabove = "warning"'), head=HEAD.replace('["s-1"]', '["group:g", "s-1"]')
    )
    courses = {("s-1", LEVEL): course([1.0] * 3 + [3.8] * 6 + [1.0] * 20), ("s-2", LEVEL): course([1.0] * 40)}
    assert going(one, courses, 3)[0] == ["raise", "clear"]


def test_an_event_from_before_awaits_every_station() -> None:
    old = RuleState(colour=rule(LASTING).levels[0].colour, since=START, known_at=START)
    assert carried(ANY_OF_GROUP, {("s-1", LEVEL): course([1.0] * 40)}, old, START, 3)[0] == []


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ('element = "water_level"\nrise = 0.3\nwithin = "10m"', [3.0, 3.1, 3.3]),
        ('element = "water_level"\nfall = 0.3\nwithin = "10m"', [3.3, 3.1, 3.0]),
        ('element = "rainfall"\ntotal = 1.0\nwithin = "1h"', [0.1] * 10),
        ('element = "rain_total"\ntotal = 0.3\nwithin = "1h"', [3.0, 3.1, 3.3]),
    ],
)
def test_what_reaches_a_limit_in_decimals_reaches_it(condition: str, values: list[float]) -> None:
    element = condition.split('"')[1]
    found = going(rule(when("blue", condition)), {("s-1", element): course(values)}, len(values) / 12 - 0.05)[0]
    assert found == ["raise"]


def test_what_stays_at_the_hysteresis_still_holds() -> None:
    one = rule(when("yellow", 'element = "water_level"\nabove = 3.6\nhysteresis = 0.3'))
    assert going(one, {("s-1", LEVEL): course([1.0, 3.7] + [3.3] * 40)}, 3)[0] == ["raise"]


@pytest.mark.parametrize(
    ("values", "raised"),
    [
        ([100.0, 0.0, 100.2], False),  # read wrongly once
        ([100.0, 0.0, 0.0, 100.2, 100.4], False),
        ([100.0, 99.9, 100.0], False),  # corrected
        ([100.0, 0.4, 18.0, 36.0], True),  # begun anew
        ([4.0, 0.0, 18.0, 36.0], True),
    ],
)
def test_a_counter_that_is_read_wrongly_is_no_rain(values: list[float], raised: bool) -> None:
    one = rule(when("red", 'element = "rain_total"\ntotal = 30\nwithin = "1h"'))
    assert bool(going(one, {("s-1", "rain_total"): course(values)}, 0.5)[0]) is raised


def test_rain_of_which_a_part_was_not_heard_is_no_all_clear() -> None:
    one = rule(when("red", 'element = "rainfall"\ntotal = 30\nwithin = "6h"'))
    whole = course([2.0] * 20 + [0.0] * 200)
    gap = [place for place in range(220) if not 30 < place < 80]
    patchy = Course([whole.at[place] for place in gap], [whole.values[place] for place in gap])
    assert going(one, {("s-1", "rainfall"): whole}, 9)[0] == ["raise", "clear"]
    assert going(one, {("s-1", "rainfall"): patchy}, 9)[0] == ["raise"]
    assert going(one, {("s-1", "rainfall"): patchy}, 15)[0] == ["raise", "clear"]


def test_calm_that_nobody_watched_does_not_count() -> None:
    one, courses = rule(LASTING), {("s-1", LEVEL): course([3.2] * 6 + [1.0] * 80)}
    found, state = going(one, courses, 0.6)
    assert (found, state.quiet_since is not None) == (["raise"], True)
    later = START + timedelta(hours=2)
    assert carried(one, courses, state, later, 0.4)[0] == []
    assert carried(one, courses, state, later, 0.6)[0] == ["clear"]


def test_it_is_told_whether_the_level_of_the_event_still_holds() -> None:
    one = rule(when("yellow", 'element = "water_level"\nabove = 3'), when("red", 'element = "water_level"\nabove = 5'))
    for last, eased in ((5.5, False), (3.5, True), (1.0, True)):
        assert going(one, {("s-1", LEVEL): course([5.5, last])}, 0.09)[1].eased is eased
    assert going(one, {("s-1", LEVEL): course([5.5])}, 2)[1].eased is False


@given(
    st.lists(st.tuples(st.integers(1, 55), st.sampled_from([1.0, 3.5, 6.0])), min_size=1, max_size=60),
    st.integers(0, 60),
)
def test_what_lies_before_the_lookback_changes_nothing(steps: list[tuple[int, float]], wait: int) -> None:
    """Of stations that report at least once in `fresh`."""
    one = rule(
        when("blue", 'element = "water_level"\nabove = 3.0\nlasting = "90m"'),
        when("yellow", 'element = "water_level"\nrise = 4.0\nwithin = "50m"'),
    )
    at = [START.timestamp() + 60 * minutes for minutes in itertools.accumulate(step for step, _ in steps)]
    values = [value for _, value in steps]
    now = datetime.fromtimestamp(at[-1] + 60 * wait, UTC)
    kept = [place for place, moment in enumerate(at) if moment > (now - one.lookback).timestamp()]
    late = Course([at[place] for place in kept], [values[place] for place in kept])
    for state in (RuleState(), RuleState(colour=one.rising[0].colour, known_at=now)):
        whole = evaluate(one, (ONE,), {("s-1", LEVEL): Course(at, values)}, state, now)
        part = evaluate(one, (ONE,), {("s-1", LEVEL): late}, state, now)
        assert (whole.step, whole.state) == (part.step, part.state)
