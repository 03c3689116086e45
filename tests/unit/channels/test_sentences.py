"""A long text in pieces: nothing is lost, no piece is too long, and they end where a reader would breathe."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.speech.sentences import cut

TEXTS = st.text(alphabet="请立即转移。，！？；、abc. \n!😀", max_size=200) | st.text(max_size=200)


@given(TEXTS, st.integers(4, 50))
def test_pieces_are_the_text_and_none_is_too_long(text: str, most: int) -> None:
    pieces = cut(text, most)
    assert "".join(pieces) == text
    assert all(0 < len(piece) <= most for piece in pieces)


@given(TEXTS, st.integers(4, 50))
def test_octets_can_be_measured_as_well(text: str, most: int) -> None:
    pieces = cut(text.encode("utf-8", "replace").decode(), most, lambda piece: len(piece.encode()))
    assert all(len(piece.encode()) <= most for piece in pieces)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("一二三。四五六。七", ["一二三。四五六。", "七"]),
        ("一二三四五，六七八九十。", ["一二三四五，", "六七八九十。"]),
        ("一二三四五六七八九十", ["一二三四五六七八", "九十"]),
        ("a. b. c. d", ["a. b. c.", " d"]),
        ("2.5 m.", ["2.5 m."]),
        ("", []),
    ],
)
def test_whole_sentences_go_together_as_far_as_they_fit(text: str, pieces: list[str]) -> None:
    assert cut(text, 8) == pieces
