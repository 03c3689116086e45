"""What has changed, word by word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from broadcaster.alerts.differences import Piece, changes, pieces


def test_a_chinese_character_and_a_latin_word_are_words() -> None:
    assert pieces("转移到学校", "转移到礼堂") == (Piece("转移到"), Piece("学校", old=True), Piece("礼堂", new=True))
    assert pieces("by 10 km", "by 12 km") == (Piece("by "), Piece("10", old=True), Piece("12", new=True), Piece(" km"))


def test_fields_that_are_the_same_are_left_out() -> None:
    assert [change.field for change in changes({"a": "1", "b": "2", "d": ""}, {"a": "1", "b": "3", "c": "4"})] == [
        "b",
        "c",
    ]


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_pieces_hold_both_texts(before: str, after: str) -> None:
    found = pieces(before, after)
    assert "".join(piece.text for piece in found if not piece.old) == after
    assert sum(len(piece.text) for piece in found if not piece.new) == len(before)


def test_texts_beyond_measure_are_not_compared() -> None:
    assert len(pieces("甲" * 5000, "乙" * 5000)) == 2
