"""What an English voice says for what a warning writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.speech import speak, unspeakable


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Winds 35m/s, rain 30-50 mm.", "Winds 35 metres per second, rain 30 to 50 millimetres."),
        ("At 21:30 on 23 Nov", "At 21:30 on 23 Nov"),
        ("call 119", "call 1 1 9"),
        ("119 people", "119 people"),
        ("Call 13800138000", "Call 1 3 8 0 0 1 3 8 0 0 0"),
        ("Call 0574-87654321", "Call 0 5 7 4 8 7 6 5 4 3 2 1"),
        ("60% of roads", "60 percent of roads"),
        ("GPS, SOS and RED", "G P S, S O S and RED"),
        ("Go now!!! Really?", "Go now! Really?"),
        ("One; two", "One. two"),
        ("[DRILL] Typhoon", "DRILL, Typhoon"),
        ("See https://a.b/c. Stay", "See, Stay"),
        ("2 to 3 days", "2 to 3 days"),
    ],
)
def test_units_telephones_and_symbols_become_words(written: str, said: str) -> None:
    assert speak(written, "en") == said


def test_an_english_voice_cannot_say_emoji_and_is_told_of_chinese() -> None:
    assert unspeakable("Go 😀 to 江村", "en-US") == ("😀", "江", "村")
    assert speak("Go 😀 to 江村", "en-US") == "Go to 江村"


@given(st.text(max_size=120))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert "😀" not in speak(text, "en")
