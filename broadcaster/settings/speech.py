"""Reading `[[speech.engines]]`: which engine, by rule; its own keys, as they are."""

from __future__ import annotations

from broadcaster.ports import EngineSettings
from broadcaster.settings.checking import Checker
from broadcaster.settings.reading import Key
from broadcaster.settings.rules import text

_ENGINE = text("语音引擎的名称，如 aliyun_nls、xfyun、piper、sherpa_onnx、espeak", pattern=r"[a-z][a-z0-9_]*")


def read_engines(checker: Checker) -> tuple[EngineSettings, ...]:
    """The engines in the order in which they are asked."""

    def read(key: Key, raw: object) -> EngineSettings | None:
        if not isinstance(raw, dict):
            checker.refuse(key, '应为一个表，如 { engine = "espeak" }')
            return None
        right, engine = checker.value((*key, "engine"), raw.get("engine", ""), _ENGINE)
        options = {name: checker.free((*key, name), value) for name, value in raw.items() if name != "engine"}
        return EngineSettings(engine, options, checker.place(key), checker.folder) if right else None

    found = checker.rows(("speech", "engines"), read) or ()
    return tuple(engine for engine in found if engine is not None)
