"""Who says a text: the first engine that works; what it said is kept, so that nobody has to say it again."""

from __future__ import annotations

import hashlib
import json
import time
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from broadcaster.errors import InputError, UnavailableError
from broadcaster.ports import Audio
from channels.speech.encoding import SPEECH
from channels.speech.keeper import Keeper, Make
from channels.speech.loudness import levelled
from channels.speech.synthesizer import SAMPLE_BYTES, EngineError, Fault, Speech, Synthesizer
from channels.speech.tone import SAMPLE_RATE

RECIPE = 2  # raise when the level or the way of keeping words changes: they are then spoken anew

REST = {
    Fault.DOWN: 30.0,
    Fault.SLOW: 60.0,
    Fault.BUSY: 10.0,
    Fault.QUOTA: 600.0,
    Fault.REFUSED: 300.0,
    Fault.TEXT: 0.0,
    Fault.NONSENSE: 60.0,
}
"""Seconds for which an engine is not asked after a fault, so that each broadcast does not wait for it again."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Take:
    """Words that were spoken: by which engine, under which key, and where their samples are (at the tones' rate)."""

    engine: str
    key: str
    audio: Audio

    @property
    def samples(self) -> bytes:
        """The samples, signed 16-bit mono; reads a file."""
        with wave.open(str(self.audio.path), "rb") as file:
            return file.readframes(file.getnframes())


class Narrator:
    """Asks `engines` in their order; the last one is asked even when it failed a moment ago. `clock` in seconds."""

    def __init__(
        self, engines: Sequence[Synthesizer], keeper: Keeper, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engines = tuple(engines)
        self._keeper = keeper
        self._clock = clock
        self._rests: dict[str, float] = {}

    def speaks(self, language: str) -> bool:
        """Whether any engine has a voice for `language`."""
        return any(engine.voice(language) is not None for engine in self._engines)

    def estimate(self, words: str, language: str) -> float:
        """About how many seconds the words will take, by the engine that would be asked first."""
        able = [engine for engine in self._engines if engine.voice(language) is not None] or self._engines
        return next((engine for engine in able if not self._rests_now(engine)), able[-1]).estimate(words)

    async def say(self, words: str, language: str) -> Take:
        """The words, spoken. `InputError` for what cannot be said, `UnavailableError` when no engine works now."""
        able = [engine for engine in self._engines if engine.voice(language) is not None]
        failure: EngineError | InputError | None = None
        for engine in able:
            key = _key(engine, words, language)
            kept = await self._keeper.find(key, SPEECH)
            if kept is not None:
                return Take(engine.name, key, kept)
            if self._rests_now(engine) and engine is not able[-1]:
                continue
            try:
                audio = await self._keeper.have(key, SPEECH, partial(self._spoken, engine, words, language))
            except EngineError as error:
                failure = error
                self._rest(engine, error)
            except InputError as error:  # what one cannot say, or says in silence, the next may
                failure = error
            else:
                return Take(engine.name, key, audio)
        if failure is None:
            raise InputError(f"没有能读 {language!r} 的语音。", remedy="请在 [speech] 的引擎中为这种语言指定 voices。")
        raise failure

    async def _spoken(self, engine: Synthesizer, words: str, language: str) -> Make:
        started = self._clock()
        try:
            speech = await engine.speak(words, language)
        except EngineError:
            raise
        except UnavailableError as error:
            raise EngineError(Fault.DOWN, error.what, remedy=error.remedy) from error
        log.info("speech.spoken", engine=engine.name, seconds=round(speech.seconds, 1), took=self._clock() - started)
        return lambda path: _produce(speech, path)

    def _rests_now(self, engine: Synthesizer) -> bool:
        return self._clock() < self._rests.get(engine.name, 0.0)

    def _rest(self, engine: Synthesizer, error: EngineError) -> None:
        seconds = REST[error.fault]
        self._rests[engine.name] = self._clock() + seconds
        log.warning("speech.engine_failed", engine=engine.name, fault=error.fault.value, why=error.what, rests=seconds)


def _key(engine: Synthesizer, words: str, language: str) -> str:
    said = (RECIPE, engine.voice(language), language, words)
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def _produce(speech: Speech, path: Path) -> float:
    samples = levelled(speech, SAMPLE_RATE)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples)
    return len(samples) / SAMPLE_BYTES / SAMPLE_RATE
