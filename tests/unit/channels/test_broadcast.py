"""The broadcast as it is heard, without any engine: a sine stands for the words."""

from __future__ import annotations

import math
from array import array

import pytest

from broadcaster.errors import InputError
from broadcaster.ports import Medium, Passage
from channels.speech.broadcast import Broadcast, assemble
from channels.speech.broadcast import plan as plan_passages
from channels.speech.tone import ATTENTION, BEEP, CHIME, SAMPLE_RATE

TEXT = "台风红色预警，请立即转移。"


def sine(seconds: float) -> bytes:
    count = int(seconds * SAMPLE_RATE)
    return array("h", (round(9000 * math.sin(2 * math.pi * 300 * n / SAMPLE_RATE)) for n in range(count))).tobytes()


def plan(
    text: str, medium: Medium, *, colour: str, repeats: int, drill: bool, language: str = "zh-CN", then: str = ""
) -> Broadcast:
    passages = [Passage(text, language), *([Passage(then, "en")] if then else [])]
    return plan_passages(passages, medium, colour=colour, repeats=repeats, drill=drill)


def words(broadcast: Broadcast) -> str:
    return broadcast.passages[0].text


@pytest.mark.parametrize("colour", ["red", "orange", "yellow", "blue"])
def test_a_loudspeaker_opens_with_the_tone_of_the_colour(colour: str) -> None:
    assert plan(TEXT, Medium.LOUDSPEAKER, colour=colour, repeats=1, drill=False).opening is ATTENTION[colour]


def test_a_message_without_a_colour_opens_with_the_chime() -> None:
    assert plan(TEXT, Medium.LOUDSPEAKER, colour="", repeats=1, drill=False).opening is CHIME


def test_a_drill_never_sounds_the_alarm_and_always_says_that_it_is_one() -> None:
    drill = plan(TEXT, Medium.LOUDSPEAKER, colour="red", repeats=1, drill=True)
    assert drill.opening is CHIME
    assert words(drill).startswith("演练")
    assert words(drill).endswith(TEXT)


def test_a_drill_that_says_so_itself_is_left_as_it_is() -> None:
    said = f"这是防汛演练。{TEXT}"
    assert words(plan(said, Medium.LOUDSPEAKER, colour="red", repeats=1, drill=True)) == said


def test_a_drill_says_so_in_the_language_of_each_text() -> None:
    drill = plan(TEXT, Medium.LOUDSPEAKER, colour="red", repeats=1, drill=True, then="Move to high ground.")
    assert [passage.text.partition(" ")[0] for passage in drill.passages] == [f"演练，演练，演练。{TEXT}", "This"]
    said = plan("Drill. Move.", Medium.VOICE, colour="red", repeats=1, drill=True, language="en-GB")
    assert words(said) == "Drill. Move."


def test_a_call_opens_with_a_beep_not_with_a_siren() -> None:
    call = plan(TEXT, Medium.VOICE, colour="red", repeats=2, drill=False)
    assert call.opening is BEEP
    assert call.closing is None


@pytest.mark.parametrize("medium", [Medium.VOICE, Medium.LOUDSPEAKER])
@pytest.mark.parametrize("repeats", [1, 3])
@pytest.mark.parametrize("then", ["", "Move to high ground."])
def test_the_broadcast_is_as_long_as_planned(medium: Medium, repeats: int, then: str) -> None:
    broadcast = plan(TEXT, medium, colour="yellow", repeats=repeats, drill=False, then=then)
    spoken = [1.0, 2.0][: len(broadcast.passages)]
    segment = assemble(broadcast, [sine(seconds) for seconds in spoken])
    assert segment.duration_seconds == pytest.approx(broadcast.seconds(spoken), abs=0.01)


def test_each_time_all_languages_are_said_one_after_the_other() -> None:
    broadcast = plan(TEXT, Medium.VOICE, colour="", repeats=2, drill=False, then="Move.")
    one, other = b"\x01\0" * 100, b"\x02\0" * 100
    samples = assemble(broadcast, [one, other]).raw_data
    places = [samples.index(one), samples.index(other), samples.rindex(one), samples.rindex(other)]
    assert places == sorted(places)
    assert samples.count(one) == samples.count(other) == 2


@pytest.mark.parametrize("text", ["", "   ", "，。！", "\x00\x07", "……"])
def test_text_without_a_word_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="没有能读出的字"):
        plan(text, Medium.VOICE, colour="red", repeats=1, drill=False)


def test_control_characters_never_reach_the_engine() -> None:
    assert words(plan("请\x00转\x1b移", Medium.VOICE, colour="", repeats=1, drill=False)) == "请 转 移"


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
