"""Makes the broadcasts that loudspeakers play and calls say, once each. Implements `broadcaster.ports.Studio`."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import structlog

from broadcaster.errors import DaohuError, InputError, UnavailableError
from broadcaster.ports import Audio, EngineReport, Medium, Passage, Sound
from channels.speech.broadcast import Broadcast, assemble, plan
from channels.speech.decode import decode
from channels.speech.encoding import ENCODINGS, Encoding, encode
from channels.speech.espeak import EspeakSynthesizer
from channels.speech.keeper import Keeper, Make
from channels.speech.lexicon import BUILT_IN, Lexicon
from channels.speech.loudness import levelled
from channels.speech.narrator import Narrator, Take
from channels.speech.synthesizer import Synthesizer
from channels.speech.tone import SAMPLE_RATE

RECIPE = 2  # raise when tones, levels or pauses change: broadcasts kept before are then made anew
USUAL: Mapping[Medium, Sound] = MappingProxyType({Medium.LOUDSPEAKER: Sound.MP3, Medium.VOICE: Sound.A_LAW})
"""What a gateway gets whose driver names no format."""

LENGTH_MAX = 1800.0  # s
LENGTH_TOLERANCE = 0.2  # s that an encoder may add
PHRASES = {"zh-CN": "语音检查。", "yue": "语音检查。", "en": "Speech check."}
"""What an engine says when it is tried, in the first of these languages for which it has a voice."""

log = structlog.get_logger(__name__)


class AudioStudio:
    """A studio that keeps its broadcasts in `folder`. The first of `engines` that works speaks; they start when they
    are first asked. Many tasks and processes may ask for the same broadcast at once: one builds, the others get its
    file.
    """

    def __init__(self, folder: Path, engines: Sequence[Synthesizer] | None = None, lexicon: Lexicon = BUILT_IN) -> None:
        self._engines = tuple(engines) if engines else (EspeakSynthesizer(),)
        self._keeper = Keeper(folder)
        self._narrator = Narrator(self._engines, self._keeper)
        self._lexicon = lexicon

    async def build(
        self,
        text: str,
        medium: Medium,
        *,
        colour: str,
        repeats: int = 1,
        drill: bool = False,
        language: str = "zh-CN",
        sound: Sound | None = None,
        then: Sequence[Passage] = (),
    ) -> Audio:
        """The finished broadcast of `text` on `medium`, from disk when it was made before.

        `colour` is red, orange, yellow, blue or "" (no warning colour); `sound` the file's format, None for the
        medium's usual one; `then` what is said after it in other languages, as far as there is a voice. Raises
        `InputError` for what cannot be said and `UnavailableError` when speech, encoder or disk fail; trying again
        later may work.
        """
        broadcast = self._plan(text, medium, colour, repeats, language, then, drill=drill)
        encoding = ENCODINGS[sound or USUAL[medium]]
        if (length := self._length(broadcast)) > LENGTH_MAX:
            raise InputError(
                f"这条广播约 {length / 60:.0f} 分钟，超过 {LENGTH_MAX / 60:.0f} 分钟。",
                remedy="请缩短播报文字或减少遍数。",
            )
        takes = [await self._narrator.say(one.text, one.language) for one in broadcast.passages]

        async def prepare() -> Make:
            return lambda path: produce(broadcast, takes, encoding, path)

        return await self._keeper.have(_key(broadcast, takes, encoding), encoding, prepare)

    def estimate(
        self,
        text: str,
        medium: Medium,
        *,
        colour: str,
        repeats: int = 1,
        drill: bool = False,
        language: str = "zh-CN",
        then: Sequence[Passage] = (),
    ) -> float:
        """About how many seconds the broadcast will last, within a tenth; nothing is built. Raises `InputError`."""
        return self._length(self._plan(text, medium, colour, repeats, language, then, drill=drill))

    def wording(self, text: str, language: str = "zh-CN") -> str:
        """The text as the engines get it."""
        return self._lexicon.spelt(text, language)

    def speaks(self, language: str) -> bool:
        """Whether any engine has a voice for `language`."""
        return self._narrator.speaks(language)

    async def examine(self, words: Mapping[str, str] | None = None) -> Sequence[EngineReport]:
        """Let every engine say the first of `words`, by language, for which it has a voice; nothing is kept."""
        return [await _examined(engine, words or PHRASES) for engine in self._engines]

    async def warm(self) -> None:
        """Have the engine that is asked first say something, and a broadcast of it made and heard: models are then
        loaded and programs found. Nothing is kept; faults are left to the first broadcast."""
        engine = self._engines[0]
        with tempfile.TemporaryDirectory(prefix="daohu-") as folder, contextlib.suppress(DaohuError, OSError):
            language = next((one for one in PHRASES if engine.voice(one) is not None), "zh-CN")
            words = PHRASES[language]
            speech = await engine.speak(words, language)
            broadcast = plan([Passage(words, language)], Medium.LOUDSPEAKER, colour="blue", repeats=1, drill=False)
            samples, path = levelled(speech, SAMPLE_RATE), Path(folder, "warm.mp3")
            await asyncio.to_thread(_written, broadcast, [samples], ENCODINGS[Sound.MP3], path)

    async def close(self) -> None:
        """Give up what is being built and end the engines."""
        await self._keeper.close()
        for engine in self._engines:
            await engine.close()

    def _plan(
        self,
        text: str,
        medium: Medium,
        colour: str,
        repeats: int,
        language: str,
        then: Sequence[Passage],
        *,
        drill: bool,
    ) -> Broadcast:
        others = [passage for passage in then if self.speaks(passage.language)]
        passages = [
            Passage(self.wording(one.text, one.language), one.language) for one in (Passage(text, language), *others)
        ]
        return plan(passages, medium, colour=colour, repeats=repeats, drill=drill)

    def _length(self, broadcast: Broadcast) -> float:
        return broadcast.seconds([self._narrator.estimate(one.text, one.language) for one in broadcast.passages])


def _key(broadcast: Broadcast, takes: Sequence[Take], encoding: Encoding) -> str:
    heard = (
        RECIPE,
        [take.key for take in takes],
        repr(broadcast.opening),
        repr(broadcast.closing),
        broadcast.repeats,
        broadcast.pause,
        encoding.name,
        encoding.arguments,
    )
    return hashlib.sha256(json.dumps(heard, ensure_ascii=False).encode()).hexdigest()


def produce(broadcast: Broadcast, takes: Sequence[Take], encoding: Encoding, path: Path) -> float:
    """Write the broadcast to `path`, hear it back, return its seconds. Blocks. `UnavailableError`, OSError."""
    started = time.monotonic()
    seconds = _written(broadcast, [take.samples for take in takes], encoding, path)
    engines = [take.engine for take in takes]
    took = time.monotonic() - started
    log.info("broadcast_built", encoding=encoding.name, engines=engines, seconds=seconds, took=took)
    return seconds


def _written(broadcast: Broadcast, samples: Sequence[bytes], encoding: Encoding, path: Path) -> float:
    segment = assemble(broadcast, samples)
    encode(segment, encoding, path)
    heard = decode(path.read_bytes())
    planned = segment.duration_seconds
    if abs(heard.seconds - planned) > LENGTH_TOLERANCE:
        raise UnavailableError(
            f"生成的广播音频为 {heard.seconds:.1f} 秒，应为 {planned:.1f} 秒。",
            remedy="请检查磁盘空间，然后运行 daohu doctor。",
        )
    return float(heard.seconds)


async def _examined(engine: Synthesizer, words: Mapping[str, str]) -> EngineReport:
    language = next((one for one in words if engine.voice(one) is not None), None)
    if language is None:
        return EngineReport(engine.name, problem="没有可用的语言", remedy="请为它指定 voices。")
    started = asyncio.get_running_loop().time()
    try:
        speech = await engine.speak(words[language], language)
    except DaohuError as error:
        return EngineReport(engine.name, problem=error.what, remedy=error.remedy)
    return EngineReport(engine.name, seconds=speech.seconds, took=asyncio.get_running_loop().time() - started)
