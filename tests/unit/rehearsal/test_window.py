from hypothesis import given
from hypothesis import strategies as st

from broadcaster.rehearsal.window import RateWindow


@given(st.integers(1, 50), st.lists(st.tuples(st.floats(0, 0.7), st.integers(1, 40)), max_size=40))
def test_no_second_lets_more_through_than_the_rate(rate: int, steps: list[tuple[float, int]]) -> None:
    window, now = RateWindow(rate), 100.0
    let_through: list[tuple[float, int]] = []
    for pause, wanted in steps:
        now += pause
        granted = window.take(now, wanted)
        assert 0 <= granted <= wanted
        let_through.append((now, granted))
        last_second = sum(count for at, count in let_through if at > now - 1)
        assert last_second <= rate
        assert granted == wanted or last_second == rate, "throttled although there was room"


def test_after_the_announced_wait_something_is_let_through() -> None:
    window = RateWindow(10)
    assert window.take(5.0, 15) == 10
    assert window.take(5.5, 1) == 0
    assert window.take(5.5 + window.wait(5.5), 3) == 3


def test_without_a_rate_everything_is_let_through() -> None:
    assert RateWindow(0).take(1.0, 10**6) == 10**6
