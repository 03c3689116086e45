"""espeak-ng in [[speech.engines]]."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from broadcaster.ports import EngineSettings
from channels.speech.entry import Options, Tag, Word, read
from channels.speech.espeak import EspeakSynthesizer
from channels.speech.synthesizer import Synthesizer


class EspeakOptions(Options, frozen=True, kw_only=True):
    """`speed` in words/min, `pitch` 0 to 99; `voices` besides those for zh, yue and en that are always there."""

    voices: dict[Tag, Word] = msgspec.field(default_factory=dict)
    speed: Annotated[int, Meta(ge=80, le=450)] = 160
    pitch: Annotated[int, Meta(ge=0, le=99)] = 50


def made(settings: EngineSettings) -> Synthesizer:
    """The engine of its entry; `SettingsError` when that is wrong."""
    options = read(settings, EspeakOptions)
    return EspeakSynthesizer(speed=options.speed, pitch=options.pitch, voices=options.voices)
