from hypothesis import given
from hypothesis import strategies as st

from channels.line.mould import cast, common_head, common_tail, pour

TEXTS = st.text(alphabet="台风ab，", max_size=12)


@given(st.integers(0, 4).flatmap(lambda width: st.lists(st.lists(TEXTS, min_size=width, max_size=width), max_size=8)))
def test_what_is_poured_from_a_mould_is_what_was_cast(messages: list[list[str]]) -> None:
    heads, tails, parts = cast(messages)
    assert [pour(heads, tails, part) for part in parts] == messages


@given(st.lists(st.lists(TEXTS, max_size=4), min_size=1, max_size=6))
def test_messages_of_unequal_length_come_back_as_they_were(messages: list[list[str]]) -> None:
    heads, tails, parts = cast(messages)
    assert [pour(heads, tails, part)[: len(part)] for part in parts] == messages


@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_head_and_tail_are_the_longest_that_all_share(texts: list[str]) -> None:
    head = common_head(texts)
    tail = common_tail(texts, len(head))
    shortest = min(len(text) for text in texts)
    heads = [size for size in range(shortest + 1) if len({text[:size] for text in texts}) == 1]
    assert len(head) == max(heads)
    room = shortest - len(head)
    tails = [size for size in range(room + 1) if len({text[len(text) - size :] for text in texts}) == 1]
    assert len(tail) == max(tails)


def test_only_the_place_names_of_a_warning_are_left() -> None:
    texts = [
        [f"【鄞州应急】{place}：台风红色预警，请立即转移。"] for place in ("东钱湖镇绿野村", "瞻岐镇大嵩村", "咸祥镇")
    ]
    heads, tails, parts = cast(texts)
    assert (heads, tails) == (["【鄞州应急】"], ["：台风红色预警，请立即转移。"])
    assert parts == [["东钱湖镇绿野村"], ["瞻岐镇大嵩村"], ["咸祥镇"]]
