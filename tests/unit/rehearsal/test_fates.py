from random import Random

from hypothesis import given
from hypothesis import strategies as st

from broadcaster.rehearsal.fates import Fates, draw, pick_share, pick_weight
from broadcaster.rehearsal.script import Behaviour, Delay, Duty, Residents

BEHAVIOUR = Behaviour(
    failures={"空号": 0.1, "关机": 0.1},
    loss=0.2,
    receipt=Delay(median=1, spread=1, most=10),
    residents=Residents(share=0.3),
    duty=Duty(silent=0.25),
)
ADDRESSES = [f"138{number:08d}" for number in range(20_000)]


def dealt(seed: int, channel: str, address: str, alert: int, attempt: int) -> tuple[object, ...]:
    fates = Fates(seed, channel, BEHAVIOUR, 1.0)
    mark = fates.mark(address)
    traits, weather = fates.traits(mark), fates.weather(mark, alert, attempt)
    return traits.failure, traits.silent, traits.unit_text, traits.resident_text, weather.delay, weather.lost


@given(st.integers(), st.text(min_size=1), st.integers(1, 10**6), st.integers(1, 9))
def test_the_same_seed_deals_the_same_fate(seed: int, address: str, alert: int, attempt: int) -> None:
    assert dealt(seed, "sms", address, alert, attempt) == dealt(seed, "sms", address, alert, attempt)


def test_seeds_and_channels_deal_differently() -> None:
    def failing(seed: int, channel: str) -> set[str]:
        fates = Fates(seed, channel, BEHAVIOUR, 1.0)
        return {address for address in ADDRESSES if fates.traits(fates.mark(address)).failure}

    assert len({frozenset(failing(*key)) for key in [(1, "sms"), (2, "sms"), (1, "voice")]}) == 3


def test_shares_are_honoured() -> None:
    fates = Fates(1, "sms", BEHAVIOUR, 1.0)
    marks = [fates.mark(address) for address in ADDRESSES]
    traits = [fates.traits(mark) for mark in marks]
    assert abs(sum(bool(one.failure) for one in traits) / len(traits) - 0.2) < 0.02
    assert abs(sum(bool(one.resident_text) for one in traits) / len(traits) - 0.3) < 0.02
    assert abs(sum(one.silent for one in traits) / len(traits) - 0.25) < 0.02
    assert abs(sum(fates.weather(mark, 1, 1).lost for mark in marks) / len(marks) - 0.2) < 0.02


def test_a_number_that_does_not_exist_never_exists_but_a_lost_receipt_may_come_next_time() -> None:
    fates = Fates(1, "sms", BEHAVIOUR, 1.0)
    marks = [fates.mark(address) for address in ADDRESSES]
    again = [mark for mark in marks if fates.weather(mark, 1, 1).lost and not fates.weather(mark, 1, 2).lost]
    assert len(again) > len(marks) * 0.1


def test_delays_stay_below_their_most_and_halve_at_their_median() -> None:
    random = Random(1)
    waits = sorted(draw(random, Delay(median=2, spread=1, most=9)) for _ in range(5000))
    assert waits[-1] == 9
    assert abs(waits[2500] - 2) < 0.2
    assert draw(random, Delay(median=2)) == 2
    assert draw(random, Delay()) == 0


def test_pace_multiplies_every_delay() -> None:
    slow, quick = Fates(1, "sms", BEHAVIOUR, 1.0), Fates(1, "sms", BEHAVIOUR, 0.1)
    for mark in range(100):
        assert abs(slow.weather(mark, 1, 1).delay * 0.1 - quick.weather(mark, 1, 1).delay) < 1e-9
        assert abs(slow.traits(mark).unit_delay * 0.1 - quick.traits(mark).unit_delay) < 1e-9


def test_nothing_is_picked_from_nothing() -> None:
    assert pick_weight(Random(1), {}) == ""
    assert pick_share(Random(1), {}) == ""
    assert pick_share(Random(1), {"空号": 1.0}) == "空号"
