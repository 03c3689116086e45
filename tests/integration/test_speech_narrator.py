"""Who says a text: the first engine that works; a broken one costs its time once, and words are spoken once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import structlog

from broadcaster.errors import InputError, UnavailableError
from broadcaster.ports import EngineSettings, Medium, Passage
from channels.speech.engines import engines
from channels.speech.espeak import EspeakSynthesizer
from channels.speech.keeper import Keeper
from channels.speech.narrator import REST, Narrator
from channels.speech.studio import AudioStudio
from channels.speech.synthesizer import EngineError, Fault, Speech

TEXT = "台风红色预警，请立即转移。"


class Wilful:
    """The real engine under another name, which fails as it is told to; counts what it is asked."""

    def __init__(self, name: str, languages: Sequence[str] = ("zh-CN",)) -> None:
        self.name = name
        self.fault: Fault | None = None
        self.asked = 0
        self.mute = False
        self._languages = languages
        self._espeak = EspeakSynthesizer()

    def voice(self, language: str) -> str | None:
        return f"{self.name}/{language}" if language in self._languages else None

    async def speak(self, text: str, language: str) -> Speech:
        self.asked += 1
        if self.mute:
            return Speech(bytes(32_000), 16_000)
        if self.fault is not None:
            raise EngineError(self.fault, f"{self.name} does not speak.")
        return await self._espeak.speak(text, language)

    def estimate(self, text: str) -> float:
        return self._espeak.estimate(text)

    async def close(self) -> None:
        await self._espeak.close()


class Stage:
    """Two engines, and a clock that tests move."""

    def __init__(self, folder: Path) -> None:
        self.now = 0.0
        self.cloud = Wilful("cloud")
        self.floor = Wilful("floor", ("zh-CN", "en"))
        self.keeper = Keeper(folder)
        self.narrator = Narrator([self.cloud, self.floor], self.keeper, lambda: self.now)

    async def engine(self, text: str, language: str = "zh-CN") -> str:
        return (await self.narrator.say(text, language)).engine


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    await stage.keeper.close()
    for engine in (stage.cloud, stage.floor):
        await engine.close()


async def test_the_first_engine_that_has_the_voice_speaks(stage: Stage) -> None:
    assert await stage.engine(TEXT) == "cloud"
    assert await stage.engine("Move now.", "en") == "floor"
    assert (stage.cloud.asked, stage.floor.asked) == (1, 1)


async def test_words_that_were_spoken_are_not_spoken_again(stage: Stage) -> None:
    first = await stage.narrator.say(TEXT, "zh-CN")
    assert await stage.narrator.say(TEXT, "zh-CN") == first
    again = await asyncio.gather(*(stage.narrator.say("新的一条。", "zh-CN") for _ in range(20)))
    assert len(set(again)) == 1
    assert stage.cloud.asked == 2


@pytest.mark.parametrize("fault", [fault for fault in Fault if REST[fault]])
async def test_an_engine_that_failed_is_left_alone_for_a_while(stage: Stage, fault: Fault) -> None:
    stage.cloud.fault = fault
    assert await stage.engine("一号。") == "floor"
    assert await stage.engine("二号。") == "floor"
    assert stage.cloud.asked == 1
    stage.now += REST[fault]
    stage.cloud.fault = None
    assert await stage.engine("三号。") == "cloud"


async def test_a_text_that_is_refused_is_no_reason_to_rest(stage: Stage) -> None:
    stage.cloud.fault = Fault.TEXT
    assert await stage.engine("一号。") == "floor"
    stage.cloud.fault = None
    assert await stage.engine("二号。") == "cloud"


async def test_an_engine_that_gives_nothing_but_silence_is_not_what_people_get(stage: Stage) -> None:
    stage.cloud.mute = True
    assert await stage.engine(TEXT) == "floor"
    stage.floor.mute = True
    with pytest.raises(InputError, match="没有能读出的字"):
        await stage.engine("一号。")


async def test_what_a_resting_engine_said_before_is_still_heard_in_its_voice(stage: Stage) -> None:
    await stage.engine(TEXT)
    stage.cloud.fault = Fault.DOWN
    await stage.engine("一号。")
    assert await stage.engine(TEXT) == "cloud"


async def test_the_last_engine_is_asked_even_after_it_failed(stage: Stage) -> None:
    stage.cloud.fault = stage.floor.fault = Fault.DOWN
    with pytest.raises(UnavailableError, match="floor"):
        await stage.engine(TEXT)
    stage.floor.fault = None
    assert await stage.engine(TEXT) == "floor"


async def test_a_language_that_nobody_speaks_is_refused(stage: Stage) -> None:
    assert not stage.narrator.speaks("tlh")
    with pytest.raises(InputError, match="tlh"):
        await stage.engine(TEXT, "tlh")


async def test_the_log_says_who_failed_and_why_and_nothing_of_the_text(stage: Stage) -> None:
    stage.cloud.fault = Fault.QUOTA
    with structlog.testing.capture_logs() as lines:
        await stage.engine(TEXT)
    failed = next(line for line in lines if line["event"] == "speech.engine_failed")
    assert (failed["engine"], failed["fault"], failed["rests"]) == ("cloud", "quota", REST[Fault.QUOTA])
    assert TEXT not in str(lines)


@pytest.mark.parametrize("engine", ["aliyun_nls", "xfyun"])
async def test_a_service_that_is_not_there_never_keeps_a_warning_from_being_heard(tmp_path: Path, engine: str) -> None:
    nowhere = "http://127.0.0.1:9" if engine == "aliyun_nls" else "ws://127.0.0.1:9/v2/tts"
    keys = (
        {"app_key": "k", "token": "t"} if engine == "aliyun_nls" else {"app_id": "a", "api_key": "k", "api_secret": "s"}
    )
    chosen = engines([EngineSettings(engine, {"voices": {"zh": "x"}, "endpoint": nowhere, **keys})])
    studio = AudioStudio(tmp_path, chosen)
    assert (await studio.build(TEXT, Medium.VOICE, colour="red")).seconds > 2
    reports = await studio.examine()
    assert [bool(report.problem) for report in reports] == [True, False]
    assert reports[0].remedy
    assert reports[1].seconds > 0
    await studio.close()


async def test_all_languages_of_a_broadcast_are_said_as_far_as_there_is_a_voice(tmp_path: Path) -> None:
    studio = AudioStudio(tmp_path)
    english, klingon = Passage("Typhoon warning. Move now.", "en"), Passage("jach", "tlh")
    alone = await studio.build(TEXT, Medium.LOUDSPEAKER, colour="red", repeats=2)
    both = await studio.build(TEXT, Medium.LOUDSPEAKER, colour="red", repeats=2, then=[english, klingon])
    known = await studio.build(TEXT, Medium.LOUDSPEAKER, colour="red", repeats=2, then=[english])
    assert both == known
    assert both.seconds > alone.seconds + 4
    estimate = studio.estimate(TEXT, Medium.LOUDSPEAKER, colour="red", repeats=2, then=[english, klingon])
    assert estimate == pytest.approx(both.seconds, rel=0.2)
    await studio.close()
