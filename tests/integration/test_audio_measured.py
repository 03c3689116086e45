"""Listening by measurement: every file that goes out is decoded, and its tones, words, pauses and loudness are
measured."""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from broadcaster.ports import Audio, EngineSettings, Medium, Passage, Sound
from channels.speech.broadcast import LEAD, PAUSE, plan
from channels.speech.engines import engines
from channels.speech.loudness import LEVEL, levelled, measure
from channels.speech.studio import AudioStudio
from channels.speech.synthesizer import Speech
from channels.speech.tone import AMPLITUDE, ATTENTION, BEEP, CHIME, CLOSING, SAMPLE_RATE, Tone, samples
from channels.speech.track import Line, load
from tests.harness import speech_cloud
from tests.harness.listening import level, numbers, part, pitch, share, windows
from tests.harness.neural_voice import piper_model, sherpa_options
from tests.harness.speech_cloud import speech_peer

RATE = Line.PCM.rate
TEXT = "姜山镇上游村的村民请注意，台风红色预警，请立即转移到避灾安置点。"
EDGE = 0.06  # s at the borders of a part that an encoder may smear
SILENCE = -50.0  # dBFS; codecs of telephones never get quieter than their noise


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[AudioStudio]:
    studio = AudioStudio(tmp_path / "audio")
    yield studio
    await studio.close()


async def heard(audio: Audio) -> array[int]:
    """What a telephone line hears of the file."""
    return numbers((await load(audio, Line.PCM)).samples)


@pytest.mark.parametrize("sound", Sound)
@pytest.mark.parametrize("medium", [Medium.LOUDSPEAKER, Medium.VOICE])
async def test_every_format_holds_tone_silence_and_words_at_their_places(
    studio: AudioStudio, sound: Sound, medium: Medium
) -> None:
    audio = await studio.build(TEXT, medium, colour="orange", repeats=2, sound=sound)
    wave = await heard(audio)
    broadcast = plan([Passage(TEXT, "zh-CN")], medium, colour="orange", repeats=2, drill=False)
    tone = broadcast.opening.seconds
    around = broadcast.seconds([0.0]) - PAUSE[medium]
    words = (audio.seconds - around - PAUSE[medium]) / 2
    assert len(wave) / RATE == pytest.approx(audio.seconds, abs=0.1)
    assert level(part(wave, RATE, EDGE, tone - EDGE)) > -20
    assert level(part(wave, RATE, tone + EDGE, tone + LEAD - EDGE)) < SILENCE
    first = tone + LEAD
    pause = first + words
    assert level(part(wave, RATE, pause + EDGE, pause + PAUSE[medium] - EDGE)) < SILENCE
    spoken = part(wave, RATE, first, pause)
    again = part(wave, RATE, pause + PAUSE[medium], pause + PAUSE[medium] + words)
    assert measure(spoken.tobytes(), RATE) == pytest.approx(LEVEL, abs=1.0)
    assert measure(again.tobytes(), RATE) == pytest.approx(measure(spoken.tobytes(), RATE), abs=0.3)
    assert max(map(abs, wave)) < 32768 * 0.98


@pytest.mark.parametrize("sound", Sound)
@pytest.mark.parametrize(("colour", "steps"), [("orange", [1100, 700] * 4), ("yellow", [900, 600] * 2)])
async def test_a_two_tone_signal_keeps_its_frequencies_in_every_format(
    studio: AudioStudio, sound: Sound, colour: str, steps: Sequence[int]
) -> None:
    audio = await studio.build(TEXT, Medium.LOUDSPEAKER, colour=colour, sound=sound)
    wave, tone = await heard(audio), ATTENTION[colour]
    each = tone.seconds / len(steps)
    for number, hertz in enumerate(steps):
        burst = part(wave, RATE, number * each + EDGE, (number + 1) * each - EDGE)
        assert share(burst, RATE, hertz) > 0.9
        assert pitch(burst, RATE) == hertz


async def test_the_red_signal_rises_from_500_to_1300_hertz_six_times(studio: AudioStudio) -> None:
    wave = await heard(await studio.build(TEXT, Medium.LOUDSPEAKER, colour="red"))
    bursts = [part(wave, RATE, start * 0.55, start * 0.55 + 0.5) for start in range(6)]
    for burst in bursts:
        pitches = [pitch(window, RATE) for window in windows(burst, RATE, 0.1)]
        assert pitches == sorted(pitches)
        assert 500 <= pitches[0] <= 660
        assert 1140 <= pitches[-1] <= 1300


@pytest.mark.parametrize(
    ("medium", "drill", "hertz"),
    [
        (Medium.LOUDSPEAKER, True, [659, 523, 784]),
        (Medium.LOUDSPEAKER, False, [659, 523, 784]),
        (Medium.VOICE, False, [800, 800]),
    ],
)
async def test_a_drill_and_an_order_have_the_chime_and_a_call_beeps(
    studio: AudioStudio, medium: Medium, drill: bool, hertz: list[int]
) -> None:
    wave = await heard(await studio.build(TEXT, medium, colour="red" if drill else "", drill=drill))
    for number, one in enumerate(hertz):
        start = number * 0.35 + EDGE
        assert share(part(wave, RATE, start, start + 0.15), RATE, one) > 0.9


async def test_a_loudspeaker_closes_with_two_falling_tones(studio: AudioStudio) -> None:
    audio = await studio.build(TEXT, Medium.LOUDSPEAKER, colour="blue")
    wave = await heard(audio)
    start = audio.seconds - CLOSING.seconds
    assert share(part(wave, RATE, start + EDGE, start + 0.25 - EDGE), RATE, 784) > 0.9
    assert share(part(wave, RATE, start + 0.3 + EDGE, start + 0.7 - EDGE), RATE, 523) > 0.9


@pytest.mark.parametrize(
    "tone", [*ATTENTION.values(), CHIME, CLOSING, BEEP], ids=[*ATTENTION, "chime", "closing", "beep"]
)
def test_no_signal_is_taken_for_one_that_the_law_reserves(tone: Tone) -> None:
    """The attention signal of the EAS is 853 and 960 Hz together for 8 s; sirens wail for longer than any of ours."""
    wave = numbers(samples(tone))
    assert tone.seconds < 4
    assert not any(
        share(window, SAMPLE_RATE, 853) > 0.2 and share(window, SAMPLE_RATE, 960) > 0.2
        for window in windows(wave, SAMPLE_RATE, 0.2)
    )
    assert max(map(abs, wave)) <= 32768 * AMPLITUDE


async def test_all_voices_of_all_engines_are_equally_loud(tmp_path: Path) -> None:
    with speech_peer() as peer:
        chosen = engines(
            [
                EngineSettings("sherpa_onnx", sherpa_options(tmp_path), folder=tmp_path),
                EngineSettings("piper", {"voices": {"en": str(piper_model())}}),
                EngineSettings(
                    "aliyun_nls",
                    {
                        "voices": {"zh": "xiaoyun"},
                        "app_key": speech_cloud.APP_KEY,
                        "token": speech_cloud.TOKEN,
                        "endpoint": f"http://127.0.0.1:{peer.port}",
                    },
                ),
            ]
        )
        said = {"zh-CN": TEXT, "yue": TEXT, "en": "Typhoon warning. Move now. Test."}
        loudness = []
        for engine in chosen:
            for language, text in said.items():
                if engine.voice(language) is not None:
                    words = levelled(await engine.speak(text, language), SAMPLE_RATE)
                    loudness.append(measure(words, SAMPLE_RATE))
            await engine.close()
    assert len(loudness) == 6
    assert max(loudness) - min(loudness) < 1.0


@pytest.mark.parametrize("amplitude", [0.01, 0.1, 0.9])
def test_a_quiet_voice_comes_out_as_loud_as_a_loud_one(amplitude: float) -> None:
    quiet = array("h", (round(value * amplitude * 3) for value in numbers(speech_cloud.tone("一" * 20))))
    assert measure(levelled(Speech(quiet.tobytes(), 16_000), SAMPLE_RATE), SAMPLE_RATE) == pytest.approx(LEVEL, abs=0.3)


def test_a_very_short_word_is_measured_too() -> None:
    short = speech_cloud.tone("一")
    assert measure(short, 16_000) == pytest.approx(measure(speech_cloud.tone("一" * 20), 16_000), abs=0.5)
