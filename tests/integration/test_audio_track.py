"""A broadcast as frames: what a line gets is what the file holds, decoded once for everybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from broadcaster.errors import UnavailableError
from broadcaster.ports import Audio, Medium, Sound
from channels.speech.studio import AudioStudio
from channels.speech.track import FRAME, Line, Track, load

TEXT = "台风红色预警，请立即转移。"


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[AudioStudio]:
    studio = AudioStudio(tmp_path / "audio")
    yield studio
    await studio.close()


@pytest.fixture
async def audio(studio: AudioStudio) -> Audio:
    return await studio.build(TEXT, Medium.LOUDSPEAKER, colour="red")


@pytest.mark.parametrize(
    ("line", "octets"), [(Line.A_LAW, 160), (Line.MU_LAW, 160), (Line.PCM, 320), (Line.WIDE_PCM, 640)]
)
async def test_frames_are_whole_and_last_as_long_as_the_broadcast(audio: Audio, line: Line, octets: int) -> None:
    track = await load(audio, line)
    assert {len(frame) for frame in track} == {octets}
    assert len(track) * FRAME == pytest.approx(audio.seconds, abs=0.1)
    assert b"".join(track) == track.samples


async def test_the_last_frame_is_filled_up_with_silence() -> None:
    track = Track(Line.A_LAW, b"\x55" * 160 + b"\x12" + b"\xd5" * 159)
    assert track[1] == b"\x12" + b"\xd5" * 159
    with pytest.raises(IndexError):
        track[2]


async def test_a_line_of_the_files_own_codec_gets_its_very_samples(studio: AudioStudio) -> None:
    audio = await studio.build(TEXT, Medium.VOICE, colour="red", sound=Sound.A_LAW)
    file = audio.path.read_bytes()
    start = file.index(b"data") + 8
    length = int.from_bytes(file[start - 4 : start], "little")
    assert (await load(audio, Line.A_LAW)).samples.startswith(file[start : start + length])


async def test_it_is_decoded_once_and_then_read(audio: Audio, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await load(audio, Line.A_LAW)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/nonexistent/ffmpeg")
    assert await load(audio, Line.A_LAW) == first
    with pytest.raises(UnavailableError):
        await load(audio, Line.MU_LAW)


@pytest.mark.parametrize("damage", [b"", b"short", b"\0" * 4032])
async def test_a_damaged_copy_is_decoded_again(audio: Audio, damage: bytes) -> None:
    first = await load(audio, Line.A_LAW)
    (copy,) = audio.path.parent.glob("*.a_law")
    copy.write_bytes(damage)
    assert await load(audio, Line.A_LAW) == first


async def test_a_copy_of_another_broadcast_is_not_played(audio: Audio) -> None:
    await load(audio, Line.A_LAW)
    (copy,) = audio.path.parent.glob("*.a_law")
    written = copy.stat().st_mtime_ns
    await load(replace(audio, sha256="0" * 64), Line.A_LAW)
    assert copy.stat().st_mtime_ns > written


async def test_many_terminals_at_once_get_the_same(audio: Audio) -> None:
    tracks = await asyncio.gather(*(load(audio, Line.PCM) for _ in range(8)))
    assert len({track.samples for track in tracks}) == 1
    assert list(audio.path.parent.glob("*.part")) == []


async def test_a_file_that_is_gone_is_unavailable(audio: Audio) -> None:
    audio.path.unlink()
    with pytest.raises(UnavailableError, match="读不出"):
        await load(audio, Line.A_LAW)


async def test_a_file_that_is_no_sound_is_unavailable(audio: Audio) -> None:
    audio.path.write_bytes(b"nonsense" * 1000)
    with pytest.raises(UnavailableError, match="解不出"):
        await load(audio, Line.A_LAW)
