"""piper and sherpa-onnx as they are installed, with a real voice, each in a process of its own."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from broadcaster.ports import EngineSettings, Medium
from channels.speech.engines import engines
from channels.speech.loudness import LEVEL, levelled, measure
from channels.speech.sherpa import Files, SherpaSynthesizer
from channels.speech.studio import AudioStudio
from channels.speech.synthesizer import EngineError, Fault, Synthesizer
from tests.harness.neural_voice import piper_model, sherpa_options

TEXT = "Typhoon warning. Move now. Test."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("voice")


@pytest.fixture(scope="module")
def sherpa(folder: Path) -> EngineSettings:
    return EngineSettings("sherpa_onnx", {**sherpa_options(folder), "timeout": 120.0}, folder=folder)


PIPER = EngineSettings("piper", {"voices": {"en": str(piper_model())}, "timeout": 120.0})


@pytest.fixture(params=["piper", "sherpa_onnx"])
async def engine(request: pytest.FixtureRequest, sherpa: EngineSettings) -> AsyncIterator[Synthesizer]:
    made = engines([PIPER if request.param == "piper" else sherpa])[0]
    yield made
    await made.close()


async def test_it_speaks_and_a_longer_text_takes_longer(engine: Synthesizer) -> None:
    short, long = await engine.speak("Test.", "en"), await engine.speak(TEXT, "en-GB")
    assert 0.2 < short.seconds < long.seconds < 10
    assert measure(long.samples, long.sample_rate) > -40


async def test_it_speaks_the_languages_that_it_has_a_voice_for(engine: Synthesizer) -> None:
    assert engine.voice("en-US") is not None
    assert engine.voice("zh-CN") is None


async def test_the_estimate_is_of_the_right_size(engine: Synthesizer) -> None:
    """These voices draw the length of every sound by lot: of six times as many sounds less depends on it, and an
    estimate of half or of twice the length would be of another voice."""
    long = " ".join([TEXT] * 6)
    spoken = (await engine.speak(long, "en")).seconds
    assert spoken > 6, "it says all of it"
    assert 1 / 2 < engine.estimate(long) / spoken < 2


async def test_its_words_come_out_at_the_level_of_all_voices(engine: Synthesizer) -> None:
    words = levelled(await engine.speak(TEXT, "en"), 22_050)
    assert measure(words, 22_050) == pytest.approx(LEVEL, abs=0.3)


async def test_a_broadcast_in_its_language_is_spoken_by_it(tmp_path: Path, sherpa: EngineSettings) -> None:
    studio = AudioStudio(tmp_path, engines([sherpa]))
    audio = await studio.build(TEXT, Medium.LOUDSPEAKER, colour="red", language="en")
    alone = AudioStudio(tmp_path / "espeak")
    assert audio.sha256 != (await alone.build(TEXT, Medium.LOUDSPEAKER, colour="red", language="en")).sha256
    await studio.close()
    await alone.close()


def piper(*program: str, **options: Any) -> Synthesizer:
    command = list(program) if program else [sys.executable, "-m", "piper"]
    made = EngineSettings(
        "piper", {"voices": {"en": str(piper_model())}, "command": command, "timeout": 120.0, **options}
    )
    return engines([made])[0]


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("import sys; sys.exit('no such model')", Fault.DOWN),
        ("import os; os.kill(os.getpid(), 11)", Fault.DOWN),
        ("pass", Fault.NONSENSE),
        ("import sys; sys.stdout.write('abc')", Fault.NONSENSE),
        ("import time; time.sleep(600)", Fault.SLOW),
        ("import os, time; os.fork(); time.sleep(600)", Fault.SLOW),
    ],
    ids=["fails", "crashes", "is silent", "says half a sample", "hangs", "hangs with its child"],
)
async def test_a_piper_of_no_use_costs_its_time_limit_and_no_process(code: str, fault: Fault) -> None:
    before = _children()
    with pytest.raises(EngineError) as failure:
        await piper(sys.executable, "-c", code, timeout=2.0 if fault is Fault.SLOW else 60.0).speak(TEXT, "en")
    assert failure.value.fault is fault
    assert _children() <= before


async def test_a_slower_voice_takes_longer() -> None:
    usual, slow = piper(), piper(length_scale=2.0)
    assert (await slow.speak(TEXT, "en")).seconds > 1.5 * (await usual.speak(TEXT, "en")).seconds
    assert slow.voice("en") != usual.voice("en")


async def test_a_model_that_brings_the_library_down_takes_nobody_along(tmp_path: Path) -> None:
    options = sherpa_options(tmp_path, inputs="another toolkit")
    broken = SherpaSynthesizer(vits(*(tmp_path / options[name] for name in ("model", "tokens", "lexicon"))), {"en": 0})
    with pytest.raises(EngineError) as failure:
        await broken.speak(TEXT, "en")
    assert failure.value.fault in (Fault.DOWN, Fault.TEXT), "it crashes, or notices in time"
    await broken.close()


async def test_a_model_that_does_not_know_a_word_leaves_the_text_to_another(
    folder: Path, sherpa: EngineSettings, capfd: pytest.CaptureFixture[str]
) -> None:
    studio = AudioStudio(folder / "kept", engines([sherpa]))
    knows = await studio.build("Typhoon warning.", Medium.VOICE, colour="", language="en")
    with pytest.raises(EngineError, match="does not know") as failure:
        await engines([sherpa])[0].speak("Typhoon warning in Shangyou.", "en")
    assert failure.value.fault is Fault.TEXT
    assert (
        await studio.build("Typhoon warning in Shangyou.", Medium.VOICE, colour="", language="en")
    ).seconds > knows.seconds
    assert "hangyou" not in capfd.readouterr().err.casefold()
    await studio.close()


async def test_files_that_are_no_model_are_said_to_be_none(tmp_path: Path) -> None:
    for name in ("model", "tokens", "lexicon"):
        (tmp_path / name).write_text("nonsense")
    broken = SherpaSynthesizer(vits(*(tmp_path / name for name in ("model", "tokens", "lexicon"))), {"en": 0})
    with pytest.raises(EngineError) as failure:
        await broken.speak(TEXT, "en")
    assert failure.value.fault is Fault.DOWN
    await broken.close()


def test_a_description_without_a_rate_is_refused(tmp_path: Path) -> None:
    model = tmp_path / "voice.onnx"
    model.write_bytes(b"")
    for described in ("nonsense", "{}", json.dumps({"audio": {"sample_rate": "22050"}})):
        Path(f"{model}.json").write_text(described)
        with pytest.raises(Exception, match=r"audio\.sample_rate"):
            engines([EngineSettings("piper", {"voices": {"en": str(model)}})])


def vits(model: Path, tokens: Path, lexicon: Path) -> Files:
    return Files("vits", str(model), str(tokens), str(lexicon))


def _children() -> set[int]:
    found = set()
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.status() != psutil.STATUS_ZOMBIE:
                found.add(child.pid)
    return found
