"""How texts are cut into short messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.segments import PART, SINGLE, Alphabet, alphabet_of, segment, split

UCS2, GSM7 = Alphabet.UCS2, Alphabet.GSM7


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "parts"),
    [
        ("", GSM7, 0, 0),
        ("a", GSM7, 1, 1),
        ("a" * 160, GSM7, 160, 1),
        ("a" * 161, GSM7, 161, 2),
        ("a" * 306, GSM7, 306, 2),
        ("a" * 307, GSM7, 307, 3),
        ("{" * 80, GSM7, 160, 1),
        ("{" * 81, GSM7, 162, 2),
        ("a" * 152 + "{" + "a" * 153, GSM7, 307, 3),  # the escape pair does not fit the first part's last septet
        ("€", GSM7, 2, 1),
        ("Grüße @ £5\n", GSM7, 11, 1),
        ("`", UCS2, 1, 1),
        ("水" * 70, UCS2, 70, 1),
        ("水" * 71, UCS2, 71, 2),
        ("水" * 134, UCS2, 134, 2),
        ("水" * 135, UCS2, 135, 3),
        ("😀" * 35, UCS2, 70, 1),
        ("😀" * 36, UCS2, 72, 2),
        ("😀" * 67, UCS2, 134, 3),  # 33 pairs in a part: the 67th unit stays empty
        ("𠮷" * 33 + "村" + "𠮷" * 33 + "村", UCS2, 134, 2),
        ("a" * 159 + "水", UCS2, 160, 3),
    ],
)
def test_lengths_and_parts_are_those_of_the_standard(text: str, alphabet: Alphabet, units: int, parts: int) -> None:
    cut = segment(text)

    assert (cut.alphabet, cut.units, cut.parts) == (alphabet, units, parts)


@given(st.text(alphabet=st.sampled_from("aé{€水😀𠮷\n"), max_size=500))
def test_parts_join_to_the_text_and_none_is_over_its_room(text: str) -> None:
    parts = split(text)
    alphabet = alphabet_of(text)
    room = SINGLE[alphabet] if len(parts) == 1 else PART[alphabet]

    assert "".join(parts) == text
    assert len(parts) == segment(text).parts
    for part in parts:
        units = len(part.encode("utf-16-le")) // 2 if alphabet is UCS2 else segment(part).units
        assert 0 < units <= room
