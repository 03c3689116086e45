"""piper in [[speech.engines]]."""

from __future__ import annotations

import json
import shutil
import sys
from typing import Annotated, ClassVar

from msgspec import Meta

from broadcaster.errors import SettingsError
from broadcaster.ports import EngineSettings
from channels.speech.entry import Options, Seconds, Tag, Word, file_of, read, said
from channels.speech.piper import Model, PiperSynthesizer
from channels.speech.synthesizer import Synthesizer

RATES = range(8_000, 96_001)
"""Samples/s that a model may have."""


class PiperOptions(Options, frozen=True, kw_only=True):
    """`voices` are model files (`….onnx`, with its `….onnx.json` beside it)."""

    needed: ClassVar[str] = "voices"

    voices: Annotated[dict[Tag, Word], Meta(min_length=1)]
    command: Annotated[tuple[Word, ...], Meta(min_length=1)] = (sys.executable, "-m", "piper")
    speaker: Annotated[int, Meta(ge=0)] | None = None
    length_scale: Annotated[float, Meta(ge=0.3, le=3)] = 1.0
    timeout: Seconds = 30.0


def made(settings: EngineSettings) -> Synthesizer:
    """The engine of its entry; `SettingsError` when that is wrong."""
    options = read(settings, PiperOptions)
    if shutil.which(options.command[0]) is None:
        raise SettingsError(
            f"{said(settings)}：command 里没有可以运行的程序 {options.command[0]}。",
            remedy='请安装 piper（pip install piper-tts），再写明 command，如 ["/opt/piper/bin/piper"]。',
        )
    return PiperSynthesizer(
        options.command,
        {language: _model(settings, language, name) for language, name in options.voices.items()},
        speaker=options.speaker,
        length_scale=options.length_scale,
        timeout=options.timeout,
    )


def _model(settings: EngineSettings, language: str, name: str) -> Model:
    path = file_of(settings, f"voices.{language}", name)
    described = file_of(settings, f"voices.{language}", f"{name}.json")
    try:
        rate = json.loads(described.read_bytes())["audio"]["sample_rate"]
    except (OSError, ValueError, LookupError, TypeError):
        rate = None
    if not isinstance(rate, int) or rate not in RATES:
        raise SettingsError(
            f"{said(settings)}：{described} 里没有 audio.sample_rate。",
            remedy="请取与模型同时发布的 .onnx.json 文件。",
        )
    return Model(path, path.stat().st_size, rate)
