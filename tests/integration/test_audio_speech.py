"""The speech process: it speaks Mandarin, survives its own death, and never holds anybody up for ever."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator

import psutil
import pytest

from broadcaster.errors import InputError, UnavailableError
from channels.speech.espeak import COMMAND, TEXT_MAX, EspeakSynthesizer
from channels.speech.pipe import SpeechPipe
from channels.speech.segment import AudioSegment
from channels.speech.synthesizer import Speech

WARNING = (
    "宁波市鄞州区气象台发布台风红色预警信号，预计未来六小时内我区将受台风影响，平均风力可达十二级以上，"
    "请沿海、低洼地带居民立即转移到就近避灾安置点，听从村干部指挥，不要外出，关好门窗，切断电源，注意安全。"
)
TEXTS = [
    "请立即转移到安全地带。",
    "台风红色预警。",
    "森林火险橙色预警解除，感谢配合。",
    "山洪暴发，请沿溪居民往高处撤离，不要携带财物。",
    "姜山镇上游村的村民请注意，地质灾害红色预警。",
    WARNING,
]


@pytest.fixture
async def speaker() -> AsyncIterator[EspeakSynthesizer]:
    synthesizer = EspeakSynthesizer()
    yield synthesizer
    await synthesizer.close()


def segment(speech: Speech) -> AudioSegment:
    return AudioSegment(speech.samples, sample_width=2, frame_rate=speech.sample_rate, channels=1)


async def test_different_texts_sound_different_and_the_same_text_the_same(speaker: EspeakSynthesizer) -> None:
    spoken = [(await speaker.speak(text)).samples for text in TEXTS]
    assert len(set(spoken)) == len(TEXTS)
    assert [(await speaker.speak(text)).samples for text in TEXTS] == spoken


async def test_homophones_with_other_tones_sound_different(speaker: EspeakSynthesizer) -> None:
    said = {(await speaker.speak(text)).samples for text in ("妈妈妈", "麻麻麻", "马马马", "骂骂骂")}
    assert len(said) == 4


@pytest.mark.parametrize("text", TEXTS)
async def test_speech_is_audible_nearly_all_the_time(speaker: EspeakSynthesizer, text: str) -> None:
    sound = segment(await speaker.speak(text))
    windows = [sound[start : start + 100] for start in range(0, len(sound), 100)]
    audible = sum(window.dBFS > -45 for window in windows)
    assert audible / len(windows) > 0.6
    assert -24 < sound.dBFS < -12


async def test_length_grows_with_the_text(speaker: EspeakSynthesizer) -> None:
    one = (await speaker.speak(WARNING)).seconds
    three = (await speaker.speak(WARNING * 3)).seconds
    assert three == pytest.approx(3 * one, rel=0.05)


@pytest.mark.parametrize("text", TEXTS)
async def test_the_estimate_is_close_to_the_spoken_length(speaker: EspeakSynthesizer, text: str) -> None:
    assert speaker.estimate(text) == pytest.approx((await speaker.speak(text)).seconds, rel=0.2)


async def test_one_hundred_characters_take_far_less_than_they_last(speaker: EspeakSynthesizer) -> None:
    await speaker.speak("热身。")
    started = time.perf_counter()
    speech = await speaker.speak(WARNING)
    assert time.perf_counter() - started < speech.seconds / 5


@pytest.mark.parametrize("language", ["zh-CN", "yue", "en-GB", "zh-HK"])
async def test_the_languages_of_the_district_have_a_voice(speaker: EspeakSynthesizer, language: str) -> None:
    assert (await speaker.speak("typhoon 台风", language)).seconds > 0.5


async def test_a_language_without_a_voice_is_refused(speaker: EspeakSynthesizer) -> None:
    with pytest.raises(InputError, match="tlh"):
        await speaker.speak("台风", "tlh")


@pytest.mark.parametrize("text", ["", "…", " \n"])
async def test_text_that_makes_no_sound_is_refused(speaker: EspeakSynthesizer, text: str) -> None:
    with pytest.raises(InputError, match="没有能读出的字"):
        await speaker.speak(text)


async def test_a_text_beyond_all_measure_is_refused(speaker: EspeakSynthesizer) -> None:
    with pytest.raises(InputError, match=str(TEXT_MAX)):
        await speaker.speak("风" * (TEXT_MAX + 1))


async def test_markup_and_odd_characters_do_not_stop_the_voice(speaker: EspeakSynthesizer) -> None:
    for text in ('<speak><break time="60s"/>转移</speak>', "[[a]] 转移", "转移😀龘", "&lt;转移 %s %n"):
        assert 0.3 < (await speaker.speak(text)).seconds < 20


async def test_many_at_once_each_get_their_own_words(speaker: EspeakSynthesizer) -> None:
    alone = [(await speaker.speak(text)).samples for text in TEXTS]
    together = await asyncio.gather(*(speaker.speak(text) for text in TEXTS * 5))
    assert [speech.samples for speech in together] == alone * 5


async def test_a_killed_process_is_started_again_without_anybody_noticing() -> None:
    synthesizer = EspeakSynthesizer()
    before = await synthesizer.speak("请转移。")
    for child in _children():
        os.kill(child, signal.SIGKILL)
    assert (await synthesizer.speak("请转移。")).samples == before.samples
    await synthesizer.close()


async def test_after_closing_it_speaks_again_when_asked() -> None:
    synthesizer = EspeakSynthesizer()
    await synthesizer.speak("请转移。")
    await synthesizer.close()
    assert _children() == []
    assert (await synthesizer.speak("请转移。")).seconds > 0
    await synthesizer.close()


@pytest.mark.parametrize(
    "program",
    [
        "import sys; sys.exit(3)",
        "print('no frame at all, only noise', flush=True)",
        "import time; time.sleep(60)",
        "import os, time; os.fork(); time.sleep(60)",
    ],
    ids=["dies", "babbles", "hangs", "hangs with its fork"],
)
async def test_an_engine_of_no_use_is_unavailable_within_its_time(program: str) -> None:
    synthesizer = EspeakSynthesizer(timeout=0.5, command=(sys.executable, "-c", program))
    with pytest.raises(UnavailableError, match="没有回答") as failure:
        await asyncio.wait_for(synthesizer.speak("请转移。"), 40)
    assert "daohu doctor" in failure.value.remedy
    await synthesizer.close()


async def test_an_engine_that_is_not_there_is_unavailable() -> None:
    synthesizer = EspeakSynthesizer(command=("/nonexistent/engine",))
    with pytest.raises(UnavailableError):
        await synthesizer.speak("请转移。")


async def test_a_caller_who_leaves_in_mid_sentence_does_not_spoil_the_next(speaker: EspeakSynthesizer) -> None:
    expected = (await speaker.speak("请转移。")).samples
    leaving = asyncio.create_task(speaker.speak(WARNING * 10))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert (await speaker.speak("请转移。")).samples == expected


async def test_the_process_ends_with_its_parents_pipe() -> None:
    engine = await SpeechPipe.start(COMMAND)
    await engine.hello()
    assert engine.alive
    await engine.end()
    assert not engine.alive


def _children() -> list[int]:
    """The speech processes of this test process that are alive."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):  # also what has ended and waits to be reaped
            if "channels.speech.espeak_process" in child.cmdline():
                found.append(child.pid)
    return found
