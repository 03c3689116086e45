"""A text goes out in the parts that were counted when it was written, and comes back whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.parts import ASCII, GBK, UCS2, count, parts, piece
from templates.segments import segment

HANZI = st.text(st.sampled_from("台风红色预警请立即转移，。【】𠀋😀"), min_size=71, max_size=600)


@given(HANZI)
def test_chinese_takes_as_many_parts_as_were_counted(text: str) -> None:
    assert len(parts(text, 1)) == segment(text).parts


@pytest.mark.parametrize(("length", "count"), [(1, 1), (160, 1), (161, 2), (306, 2), (307, 3)])
def test_plain_letters_take_as_many_parts_as_were_counted(length: int, count: int) -> None:
    text = "a" * length
    assert len(parts(text, 1)) == count == segment(text).parts
    assert {part.coding for part in parts(text, 1)} == {ASCII}


@given(HANZI, st.integers(0, 2**31))
def test_the_parts_read_together_are_the_text(text: str, reference: int) -> None:
    cut = parts(text, reference)
    read = [piece(part.content, part.coding, headed=part.total > 1) for part in cut]
    assert "".join(one.text for one in read) == text
    assert [(one.reference, one.total, one.number) for one in read] == [
        (reference % 256, len(cut), number) for number in range(1, len(cut) + 1)
    ]
    assert all(len(part.content) <= 140 for part in cut)


def test_a_sixteen_bit_reference_is_understood() -> None:
    assert piece(b"\x06\x08\x04\x01\x02\x03\x02" + "好".encode("utf-16-be"), UCS2, headed=True) == ("好", 258, 3, 2)


@pytest.mark.parametrize(
    ("content", "coding", "text"),
    [("１收到".encode("gb18030"), GBK, "１收到"), ("收到".encode("gb18030"), ASCII, "收到"), (b"1", ASCII, "1")],
)
def test_what_handsets_send_is_read(content: bytes, coding: int, text: str) -> None:
    assert piece(content, coding, headed=False).text == text


@given(st.binary(max_size=200), st.integers(0, 255), st.booleans())
def test_no_octets_are_too_odd(content: bytes, coding: int, headed: bool) -> None:
    found = piece(content, coding, headed=headed)
    assert 1 <= found.number <= found.total


def test_half_a_pair_of_surrogates_does_not_stop_a_warning() -> None:
    assert parts("风\ud83d", 1)[0].coding == UCS2


@pytest.mark.parametrize(
    "text", ["", "a", "a" * 160, "a" * 161, "a" * 306, "a" * 307, "台" * 70, "台" * 71, "台" * 134, "台" * 135]
)
@pytest.mark.parametrize("tail", ["", "🌀", "🌀🌀🌀"])
def test_parts_are_counted_as_they_are_cut(text: str, tail: str) -> None:
    assert count(text + tail) == len(parts(text + tail, 1))
