"""sherpa-onnx in [[speech.engines]]."""

from __future__ import annotations

import importlib.util
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from broadcaster.errors import SettingsError
from broadcaster.ports import EngineSettings
from channels.speech.entry import Options, Seconds, Tag, Word, file_of, read, said
from channels.speech.sherpa import Files, SherpaSynthesizer
from channels.speech.synthesizer import Synthesizer


class SherpaOptions(Options, frozen=True, kw_only=True):
    """`voices` are the model's speakers, from 0; files as `Files` has them."""

    needed: ClassVar[str] = "voices、model、tokens"

    voices: Annotated[dict[Tag, Annotated[int, Meta(ge=0)]], Meta(min_length=1)]
    model: Word
    tokens: Word
    kind: Literal["vits", "matcha", "kokoro"] = "vits"
    lexicon: str = ""
    vocoder: str = ""
    speakers: str = ""
    rules: list[Word] = msgspec.field(default_factory=list)
    threads: Annotated[int, Meta(ge=1, le=64)] = 1
    speed: Annotated[float, Meta(ge=0.3, le=3)] = 1.0
    timeout: Seconds = 60.0


def made(settings: EngineSettings) -> Synthesizer:
    """The engine of its entry; `SettingsError` when that is wrong."""
    options = read(settings, SherpaOptions)
    if importlib.util.find_spec("sherpa_onnx") is None:
        raise SettingsError(f"{said(settings)}：没有安装 sherpa-onnx。", remedy="请运行 pip install 'daohu[sherpa]'。")
    needs = {"matcha": ("vocoder",), "kokoro": ("speakers",)}.get(options.kind, ())
    for key in needs:
        if not getattr(options, key):
            raise SettingsError(f"{said(settings)}：缺少 {key}。", remedy=f"{options.kind} 模型需要它。")
    named = {key: getattr(options, key) for key in ("model", "tokens", "lexicon", "vocoder", "speakers")}
    files = Files(
        kind=options.kind,
        **{key: str(file_of(settings, key, name)) if name else "" for key, name in named.items()},
        rules=tuple(str(file_of(settings, "rules", name)) for name in options.rules),
        threads=options.threads,
    )
    return SherpaSynthesizer(files, options.voices, speed=options.speed, timeout=options.timeout)
