"""From the settings to engines, in the order in which they are asked; espeak-ng is always the last that is left.

[[speech.engines]]
engine = "aliyun_nls"
voices = { "zh-CN" = "zhixiaobai", "yue" = "shanshan" }
…
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module

from broadcaster.errors import SettingsError
from broadcaster.ports import EngineSettings
from channels.speech.entry import said
from channels.speech.synthesizer import Synthesizer

ENGINES = ("espeak", "piper", "sherpa_onnx", "aliyun_nls", "xfyun")
"""The engines, each of which has a module `<engine>_entry` that makes it of its entry. Only those that the settings
name are loaded: some bring an HTTP client, which is of no use to the others."""


def engines(settings: Sequence[EngineSettings]) -> tuple[Synthesizer, ...]:
    """The engines of the settings in their order, espeak-ng last unless it has a place of its own. None is started.
    `SettingsError` for the first entry that is wrong."""
    named: list[str] = []
    found: list[Synthesizer] = []
    for one in settings:
        if one.engine not in ENGINES:
            allowed = "、".join(ENGINES)
            raise SettingsError(f"{said(one)}：没有名为 {one.engine} 的语音引擎。", remedy=f"可用的有：{allowed}。")
        if one.engine in named:
            raise SettingsError(f"{said(one)}：这个引擎前面已经写过。", remedy="每个引擎只写一次。")
        named.append(one.engine)
        found.append(_maker(one.engine)(one))
    if "espeak" not in named:
        found.append(_maker("espeak")(EngineSettings("espeak")))
    return tuple(found)


def _maker(engine: str) -> Callable[[EngineSettings], Synthesizer]:
    made: Callable[[EngineSettings], Synthesizer] = import_module(f"channels.speech.{engine}_entry").made
    return made
