"""Attention tones: distinct, clickless, at a level."""

from __future__ import annotations

from array import array
from itertools import combinations

import pytest

from channels.speech.tone import ATTENTION, BEEP, CHIME, CLOSING, SAMPLE_RATE, Tone, samples

ALL = {**ATTENTION, "chime": CHIME, "closing": CLOSING, "beep": BEEP}


@pytest.mark.parametrize("name", ALL)
def test_a_tone_is_as_long_as_it_says_and_neither_silent_nor_clipped(name: str) -> None:
    wave = array("h", samples(ALL[name]))
    assert len(wave) / SAMPLE_RATE == pytest.approx(ALL[name].seconds)
    assert 10_000 < max(wave) < 20_000


@pytest.mark.parametrize("name", ALL)
def test_a_tone_begins_and_ends_without_a_click(name: str) -> None:
    wave = array("h", samples(ALL[name]))
    assert max(abs(wave[0]), abs(wave[-1])) < 500


def test_each_colour_has_its_own_tone_and_none_is_the_drills() -> None:
    for one, other in combinations((*ATTENTION.values(), CHIME), 2):
        assert samples(one) != samples(other)


def test_the_graver_the_warning_the_longer_it_sounds() -> None:
    lengths = [ATTENTION[colour].seconds for colour in ("red", "orange", "yellow", "blue")]
    assert lengths == sorted(lengths, reverse=True)


@pytest.mark.parametrize("tone", ALL.values(), ids=ALL)
def test_no_tone_uses_the_frequencies_kept_for_other_alarms(tone: Tone) -> None:
    steady = {burst.start for burst in tone.bursts if burst.start == burst.end}
    assert not steady & {853.0, 960.0, 1050.0}
    assert all(400 <= frequency <= 1400 for burst in tone.bursts for frequency in (burst.start, burst.end))
