from hypothesis import given
from hypothesis import strategies as st

from broadcaster.dispatch.refs import RecentRefs
from broadcaster.ports import DeliveryKey

KEYS = st.builds(DeliveryKey, st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1), st.integers(1, 2**15 - 1))


@given(st.dictionaries(st.text(max_size=20), KEYS, max_size=20))
def test_a_message_is_the_delivery_that_it_was(keys: dict[str, DeliveryKey]) -> None:
    refs = RecentRefs()
    for ref, key in keys.items():
        refs[ref] = key
    assert {ref: refs.get(ref) for ref in keys} == keys
    assert refs.get("never heard of") is None or "never heard of" in keys


def test_the_last_are_remembered_and_not_many_more() -> None:
    refs = RecentRefs(most=100)
    for number in range(1050):
        refs[str(number)] = DeliveryKey(7, number, 1)
    remembered = [number for number in range(1050) if refs.get(str(number)) is not None]
    assert remembered[-100:] == list(range(950, 1050))
    assert len(remembered) <= 200
