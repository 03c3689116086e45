"""The broadcast as it is heard, without any engine: a sine stands for the words."""

from __future__ import annotations

import math
from array import array

import pytest

from broadcaster.errors import InputError
from broadcaster.ports import Medium
from channels.speech.broadcast import SPEECH_LEVEL, assemble, plan
from channels.speech.synthesizer import Speech
from channels.speech.tone import ATTENTION, BEEP, CHIME

TEXT = "台风红色预警，请立即转移。"


def sine(seconds: float, amplitude: float, rate: int = 22_050) -> Speech:
    count = int(seconds * rate)
    wave = array("h", (round(32767 * amplitude * math.sin(2 * math.pi * 300 * n / rate)) for n in range(count)))
    return Speech(wave.tobytes(), rate)


@pytest.mark.parametrize("colour", ["red", "orange", "yellow", "blue"])
def test_a_loudspeaker_opens_with_the_tone_of_the_colour(colour: str) -> None:
    assert plan(TEXT, Medium.LOUDSPEAKER, colour=colour, repeats=1, drill=False).opening is ATTENTION[colour]


def test_a_message_without_a_colour_opens_with_the_chime() -> None:
    assert plan(TEXT, Medium.LOUDSPEAKER, colour="", repeats=1, drill=False).opening is CHIME


def test_a_drill_never_sounds_the_alarm_and_always_says_that_it_is_one() -> None:
    drill = plan(TEXT, Medium.LOUDSPEAKER, colour="red", repeats=1, drill=True)
    assert drill.opening is CHIME
    assert drill.words.startswith("演练")
    assert drill.words.endswith(TEXT)


def test_a_drill_that_says_so_itself_is_left_as_it_is() -> None:
    said = f"这是防汛演练。{TEXT}"
    assert plan(said, Medium.LOUDSPEAKER, colour="red", repeats=1, drill=True).words == said


def test_a_call_opens_with_a_beep_not_with_a_siren() -> None:
    call = plan(TEXT, Medium.VOICE, colour="red", repeats=2, drill=False)
    assert call.opening is BEEP
    assert call.closing is None


@pytest.mark.parametrize("medium", [Medium.VOICE, Medium.LOUDSPEAKER])
@pytest.mark.parametrize("repeats", [1, 3])
def test_the_broadcast_is_as_long_as_planned(medium: Medium, repeats: int) -> None:
    broadcast = plan(TEXT, medium, colour="yellow", repeats=repeats, drill=False)
    speech = sine(1.0, 0.2)
    assert assemble(broadcast, speech).duration_seconds == pytest.approx(broadcast.seconds(speech.seconds), abs=0.01)


@pytest.mark.parametrize("amplitude", [0.02, 0.2, 0.9])
def test_quiet_and_loud_voices_come_out_at_the_same_level(amplitude: float) -> None:
    broadcast = plan(TEXT, Medium.VOICE, colour="", repeats=1, drill=False)
    segment = assemble(broadcast, sine(2.0, amplitude))
    words = segment[-2000:]
    assert words.dBFS == pytest.approx(SPEECH_LEVEL, abs=0.3)


def test_an_engine_with_another_sample_rate_keeps_its_length() -> None:
    broadcast = plan(TEXT, Medium.VOICE, colour="", repeats=1, drill=False)
    segment = assemble(broadcast, sine(2.0, 0.2, rate=16_000))
    assert segment.duration_seconds == pytest.approx(broadcast.seconds(2.0), abs=0.02)


@pytest.mark.parametrize("text", ["", "   ", "，。！", "\x00\x07", "……"])
def test_text_without_a_word_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="没有能读出的字"):
        plan(text, Medium.VOICE, colour="red", repeats=1, drill=False)


def test_control_characters_never_reach_the_engine() -> None:
    assert plan("请\x00转\x1b移", Medium.VOICE, colour="", repeats=1, drill=False).words == "请 转 移"


@pytest.mark.parametrize("medium", [Medium.SMS, Medium.WECHAT, Medium.EMAIL])
def test_a_silent_medium_is_refused(medium: Medium) -> None:
    with pytest.raises(InputError, match="没有声音"):
        plan(TEXT, medium, colour="red", repeats=1, drill=False)


@pytest.mark.parametrize("repeats", [0, -1, 11])
def test_repeats_out_of_range_are_refused(repeats: int) -> None:
    with pytest.raises(InputError, match="遍数"):
        plan(TEXT, Medium.VOICE, colour="red", repeats=repeats, drill=False)


def test_an_unknown_colour_is_refused() -> None:
    with pytest.raises(InputError, match="purple"):
        plan(TEXT, Medium.VOICE, colour="purple", repeats=1, drill=False)
