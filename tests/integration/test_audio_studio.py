"""The studio: real speech, real encoder, real files; once per text, whoever asks and whatever breaks."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broadcaster.errors import InputError, UnavailableError
from broadcaster.ports import Audio, Medium, Sound, Studio
from channels.speech.decode import decode
from channels.speech.espeak import EspeakSynthesizer
from channels.speech.studio import AudioStudio
from channels.speech.synthesizer import EngineError, Fault, Speech

TEXT = "姜山镇上游村的村民请注意，台风红色预警，请立即转移到避灾安置点。"
SOUNDING = [Medium.LOUDSPEAKER, Medium.VOICE]
BUILDER = """
import asyncio, pathlib, sys
from broadcaster.ports import Medium
from channels.speech.studio import AudioStudio

async def main():
    studio = AudioStudio(pathlib.Path(sys.argv[1]))
    audio = await studio.build(sys.argv[2], Medium.LOUDSPEAKER, colour="red", repeats=2)
    await studio.close()
    print(audio.sha256, audio.path)

asyncio.run(main())
"""


LIAR = """#!/bin/sh
cat >/dev/null
for last; do :; done
case $last in
  file:*) printf nonsense > "${last#file:}" ;;
  *) printf nonsense ;;
esac
"""


class CountingSynthesizer:
    """The real engine, counting what it is asked; `gate` holds it back while tests arrange who waits."""

    def __init__(self) -> None:
        self._espeak = EspeakSynthesizer()
        self.name = self._espeak.name
        self.asked = 0
        self.begun = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    def voice(self, language: str) -> str | None:
        return self._espeak.voice(language)

    async def speak(self, text: str, language: str) -> Speech:
        self.asked += 1
        self.begun.set()
        await self.gate.wait()
        return await self._espeak.speak(text, language)

    def estimate(self, text: str) -> float:
        return self._espeak.estimate(text)

    async def close(self) -> None:
        await self._espeak.close()


@pytest.fixture
async def engine() -> CountingSynthesizer:
    return CountingSynthesizer()


@pytest.fixture
async def studio(tmp_path: Path, engine: CountingSynthesizer) -> AsyncIterator[AudioStudio]:
    studio = AudioStudio(tmp_path / "audio", [engine])
    yield studio
    await studio.close()


def files(folder: Path, pattern: str) -> list[Path]:
    return list(folder.rglob(pattern))


async def red(studio: Studio, medium: Medium = Medium.LOUDSPEAKER, text: str = TEXT) -> Audio:
    return await studio.build(text, medium, colour="red", repeats=2)


@pytest.mark.parametrize("medium", SOUNDING)
async def test_a_broadcast_decodes_to_the_length_it_claims_at_the_agreed_level(
    studio: AudioStudio, medium: Medium
) -> None:
    audio = await red(studio, medium)
    heard = decode(audio.path.read_bytes())
    assert heard.seconds == pytest.approx(audio.seconds, abs=0.1)
    assert -21 < heard.rms < -14
    assert -6 < heard.peak < -0.3


async def test_each_medium_gets_its_own_format(studio: AudioStudio) -> None:
    loudspeaker = await red(studio, Medium.LOUDSPEAKER)
    voice = await red(studio, Medium.VOICE)
    assert (loudspeaker.media_type, loudspeaker.path.suffix) == ("audio/mpeg", ".mp3")
    assert (voice.media_type, voice.path.suffix) == ("audio/wav", ".wav")
    assert decode(voice.path.read_bytes()).sample_rate == 8000
    assert voice.path.read_bytes()[20:22] == b"\x06\x00"  # WAVE_FORMAT_ALAW


FORMATS = {
    Sound.MP3: (".mp3", "audio/mpeg", 22_050),
    Sound.A_LAW: (".wav", "audio/wav", 8_000),
    Sound.MU_LAW: (".wav", "audio/wav", 8_000),
    Sound.PCM: (".wav", "audio/wav", 8_000),
    Sound.WIDE_PCM: (".wav", "audio/wav", 16_000),
    Sound.OPUS: (".ogg", "audio/ogg", 48_000),
    Sound.AMR: (".amr", "audio/amr", 8_000),
}


@pytest.mark.parametrize("sound", Sound)
async def test_a_gateway_that_wants_another_format_gets_it(studio: AudioStudio, sound: Sound) -> None:
    audio = await studio.build(TEXT, Medium.VOICE, colour="red", sound=sound)
    heard = decode(audio.path.read_bytes())
    assert (audio.path.suffix, audio.media_type, heard.sample_rate) == FORMATS[sound]
    assert heard.seconds == pytest.approx(audio.seconds, abs=0.1)


async def test_the_words_are_spoken_once_for_all_formats(studio: AudioStudio, engine: CountingSynthesizer) -> None:
    audios = [await studio.build(TEXT, Medium.VOICE, colour="red", sound=sound) for sound in Sound]
    assert engine.asked == 1
    assert len({audio.sha256 for audio in audios}) == len(Sound)


@pytest.mark.parametrize("medium", SOUNDING)
@pytest.mark.parametrize("repeats", [1, 3])
async def test_the_estimate_is_close_before_anything_is_built(
    studio: AudioStudio, medium: Medium, repeats: int
) -> None:
    estimate = studio.estimate(TEXT, medium, colour="orange", repeats=repeats)
    audio = await studio.build(TEXT, medium, colour="orange", repeats=repeats)
    assert estimate == pytest.approx(audio.seconds, rel=0.15)


async def test_the_same_broadcast_is_built_once_however_many_ask(
    studio: AudioStudio, engine: CountingSynthesizer
) -> None:
    audios = await asyncio.gather(*(red(studio) for _ in range(50)))
    assert engine.asked == 1
    assert len(set(audios)) == 1
    assert await red(studio) == audios[0]
    assert engine.asked == 1


async def test_what_changes_the_sound_makes_another_file(studio: AudioStudio) -> None:
    built = [
        await studio.build(TEXT, Medium.LOUDSPEAKER, colour="red"),
        await studio.build(TEXT, Medium.LOUDSPEAKER, colour="blue"),
        await studio.build(TEXT, Medium.LOUDSPEAKER, colour="red", repeats=2),
        await studio.build(TEXT, Medium.LOUDSPEAKER, colour="red", drill=True),
        await studio.build(TEXT, Medium.LOUDSPEAKER, colour="red", language="yue"),
        await studio.build(TEXT, Medium.VOICE, colour="red"),
        await studio.build(TEXT + "请互相转告。", Medium.LOUDSPEAKER, colour="red"),
    ]
    assert len({audio.sha256 for audio in built}) == len(built)
    assert len({audio.path for audio in built}) == len(built)


async def test_two_studios_make_the_same_file_to_the_byte(tmp_path: Path, studio: AudioStudio) -> None:
    other = AudioStudio(tmp_path / "elsewhere")
    await other.build("先说点别的。", Medium.VOICE, colour="")
    assert (await red(other)).sha256 == (await red(studio)).sha256
    await other.close()


async def test_a_truncated_file_is_noticed_and_built_again_of_the_words_that_were_kept(
    studio: AudioStudio, engine: CountingSynthesizer
) -> None:
    audio = await red(studio)
    audio.path.write_bytes(audio.path.read_bytes()[:2000])
    assert (await red(studio)).sha256 == audio.sha256
    assert len(audio.path.read_bytes()) > 2000
    assert engine.asked == 1


async def test_a_kept_broadcast_outlives_the_studio_and_needs_no_engine(tmp_path: Path, studio: AudioStudio) -> None:
    audio = await red(studio)
    mute = EspeakSynthesizer(command=("/nonexistent/engine",))
    later = AudioStudio(tmp_path / "audio", [mute])
    assert await red(later) == audio
    await later.close()


async def test_processes_that_build_the_same_at_once_end_with_one_whole_file(tmp_path: Path) -> None:
    async def builder() -> bytes:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", BUILDER, str(tmp_path), TEXT, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        assert process.returncode == 0
        return output.splitlines()[-1]

    outputs = await asyncio.gather(*(builder() for _ in range(3)))
    assert len(set(outputs)) == 1
    assert len(files(tmp_path, "*.mp3")) == 1
    assert files(tmp_path, "*.part") == []


async def test_a_caller_who_leaves_does_not_take_the_others_broadcast_along(
    studio: AudioStudio, engine: CountingSynthesizer
) -> None:
    engine.gate.clear()
    leaving, staying = asyncio.create_task(red(studio)), asyncio.create_task(red(studio))
    await engine.begun.wait()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    engine.gate.set()
    assert (await staying).seconds > 10
    assert engine.asked == 1


async def test_closing_tells_who_still_waits_instead_of_leaving_them(
    tmp_path: Path, engine: CountingSynthesizer
) -> None:
    studio = AudioStudio(tmp_path, [engine])
    engine.gate.clear()
    waiting = asyncio.create_task(red(studio))
    await engine.begun.wait()
    await studio.close()
    with pytest.raises(UnavailableError, match="停止"):
        await waiting


async def test_the_event_loop_runs_on_while_a_long_broadcast_is_made(studio: AudioStudio) -> None:
    loop = asyncio.get_running_loop()
    longest = 0.0
    build = asyncio.create_task(studio.build(TEXT * 8, Medium.LOUDSPEAKER, colour="red", repeats=4))
    while not build.done():
        before = loop.time()
        await asyncio.sleep(0)
        longest = max(longest, loop.time() - before)
    assert (await build).seconds > 100
    assert longest < 0.5


async def test_an_engine_that_fails_fails_the_build_and_not_the_next(tmp_path: Path) -> None:
    broken = AudioStudio(tmp_path, [EspeakSynthesizer(command=("/nonexistent/engine",))])
    with pytest.raises(UnavailableError, match="语音合成"):
        await red(broken)
    await broken.close()
    working = AudioStudio(tmp_path)
    assert (await red(working)).seconds > 10
    await working.close()


async def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "audio").write_text("not a folder")
    studio = AudioStudio(tmp_path / "audio")
    with pytest.raises(UnavailableError, match="写不进") as failure:
        await red(studio)
    assert failure.value.remedy
    await studio.close()


async def test_an_encoder_that_is_missing_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/nonexistent/ffmpeg")
    studio = AudioStudio(tmp_path)
    with pytest.raises(UnavailableError, match="编码器"):
        await red(studio)
    await studio.close()


async def test_an_encoder_that_writes_nonsense_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    liar = tmp_path / "ffmpeg"
    liar.write_text(LIAR)
    liar.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(liar))
    studio = AudioStudio(tmp_path / "audio")
    with pytest.raises((UnavailableError, InputError)):
        await red(studio)
    assert files(tmp_path, "*.mp3") == []
    await studio.close()


async def test_a_broadcast_longer_than_anybody_listens_is_refused(studio: AudioStudio) -> None:
    with pytest.raises(InputError, match="分钟"):
        await studio.build("风" * 4000, Medium.LOUDSPEAKER, colour="red", repeats=10)


async def test_warming_up_has_the_engine_speak_once_and_keeps_nothing(
    tmp_path: Path, studio: AudioStudio, engine: CountingSynthesizer
) -> None:
    await studio.warm()
    assert engine.asked == 1
    assert not [one for one in files(tmp_path, "*") if one.is_file()]
    await red(studio)
    assert engine.asked == 2, "what is to be said is said as ever"


async def test_an_engine_that_does_not_start_is_left_to_whoever_speaks_first(tmp_path: Path) -> None:
    class Broken(CountingSynthesizer):
        async def speak(self, text: str, language: str) -> Speech:
            raise EngineError(Fault.DOWN, "没有启动。")

    studio = AudioStudio(tmp_path, [Broken()])
    await studio.warm()
    with pytest.raises(UnavailableError, match="没有启动"):
        await red(studio)
    await studio.close()
