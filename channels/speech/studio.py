"""Makes the broadcasts that loudspeakers play and calls say, once each. Implements `broadcaster.ports.Studio`."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType

import structlog

from broadcaster.errors import InputError, UnavailableError
from broadcaster.ports import Audio, Medium
from channels.speech.broadcast import Broadcast, assemble, plan
from channels.speech.decode import decode
from channels.speech.encoding import A_LAW, MP3, Encoding, encode
from channels.speech.espeak import EspeakSynthesizer
from channels.speech.store import BroadcastStore
from channels.speech.synthesizer import Speech, Synthesizer

RECIPE = 1  # raise when tones, levels or pauses change: broadcasts kept before are then made anew
ENCODINGS: Mapping[Medium, Encoding] = MappingProxyType({Medium.LOUDSPEAKER: MP3, Medium.VOICE: A_LAW})
LENGTH_MAX = 1800.0  # s
LENGTH_TOLERANCE = 0.2  # s that an encoder may add
CLAIM_POLL = 0.05  # s between looks while another process builds
THREADS = 2

log = structlog.get_logger(__name__)


class AudioStudio:
    """A studio that keeps its broadcasts in `folder`; the speech process starts with the first text.

    Many tasks and processes may ask for the same broadcast at once: one builds, the others get its file.
    """

    def __init__(
        self,
        folder: Path,
        synthesizer: Synthesizer | None = None,
        encodings: Mapping[Medium, Encoding] = ENCODINGS,
    ) -> None:
        self._store = BroadcastStore(folder)
        self._synthesizer = synthesizer or EspeakSynthesizer()
        self._encodings = encodings
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="studio")
        self._builds: dict[str, asyncio.Task[Audio]] = {}
        self._swept = False

    async def build(
        self,
        text: str,
        medium: Medium,
        *,
        colour: str,
        repeats: int = 1,
        drill: bool = False,
        language: str = "zh-CN",
    ) -> Audio:
        """The finished broadcast of `text` on `medium`, from disk when it was made before.

        `colour` is red, orange, yellow, blue or "" (no warning colour). Raises `InputError` for what cannot be said and
        `UnavailableError` when speech, encoder or disk fail; trying again later may work.
        """
        broadcast = plan(text, medium, colour=colour, repeats=repeats, drill=drill)
        encoding = self._encodings[medium]
        if (length := broadcast.seconds(self._synthesizer.estimate(broadcast.words))) > LENGTH_MAX:
            raise InputError(
                f"这条广播约 {length / 60:.0f} 分钟，超过 {LENGTH_MAX / 60:.0f} 分钟。",
                remedy="请缩短播报文字或减少遍数。",
            )
        key = self._key(broadcast, encoding, language)
        build = self._builds.get(key)
        if build is None:
            build = asyncio.create_task(self._built(key, broadcast, encoding, language))
            self._builds[key] = build
            build.add_done_callback(lambda _: self._builds.pop(key, None))
        return await _outcome(build)

    def estimate(self, text: str, medium: Medium, *, colour: str, repeats: int = 1, drill: bool = False) -> float:
        """About how many seconds the broadcast will last, within a tenth; nothing is built. Raises `InputError`."""
        broadcast = plan(text, medium, colour=colour, repeats=repeats, drill=drill)
        return broadcast.seconds(self._synthesizer.estimate(broadcast.words))

    async def close(self) -> None:
        """Give up what is being built and end the speech process."""
        builds = list(self._builds.values())
        for build in builds:
            build.cancel()
        await asyncio.gather(*builds, return_exceptions=True)
        await self._synthesizer.close()
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)

    def _key(self, broadcast: Broadcast, encoding: Encoding, language: str) -> str:
        heard = (
            RECIPE,
            self._synthesizer.name,
            language,
            broadcast.words,
            repr(broadcast.opening),
            repr(broadcast.closing),
            broadcast.repeats,
            broadcast.pause,
            encoding.name,
        )
        return hashlib.sha256(json.dumps(heard, ensure_ascii=False).encode()).hexdigest()

    async def _built(self, key: str, broadcast: Broadcast, encoding: Encoding, language: str) -> Audio:
        loop = asyncio.get_running_loop()
        if not self._swept:
            self._swept = True
            await loop.run_in_executor(self._threads, self._store.sweep)
        while True:
            kept = await loop.run_in_executor(self._threads, self._store.find, key, encoding)
            if kept is not None:
                return kept
            with self._store.claimed(key) as ours:
                if ours:
                    return await self._made(key, broadcast, encoding, language)
            await asyncio.sleep(CLAIM_POLL)

    async def _made(self, key: str, broadcast: Broadcast, encoding: Encoding, language: str) -> Audio:
        loop = asyncio.get_running_loop()
        kept = await loop.run_in_executor(self._threads, self._store.find, key, encoding)
        if kept is not None:  # another process finished it just before our claim
            return kept
        started = loop.time()
        speech = await self._synthesizer.speak(broadcast.words, language)

        def make(path: Path) -> float:
            return produce(broadcast, speech, encoding, path)

        audio = await loop.run_in_executor(self._threads, self._store.keep, key, encoding, make)
        log.info(
            "broadcast_built", key=key[:12], encoding=encoding.name, seconds=audio.seconds, took=loop.time() - started
        )
        return audio


async def _outcome(build: asyncio.Task[Audio]) -> Audio:
    """What the shared build comes to; one caller's leaving does not end it for the others."""
    try:
        return await asyncio.shield(build)
    except asyncio.CancelledError:
        caller = asyncio.current_task()
        if caller is not None and caller.cancelling():
            raise
        raise UnavailableError("广播音频正在生成时系统停止了。", remedy="系统启动后会重新生成。") from None


def produce(broadcast: Broadcast, speech: Speech, encoding: Encoding, path: Path) -> float:
    """Write the broadcast to `path`, hear it back, return its seconds. Blocks. `UnavailableError`, OSError."""
    segment = assemble(broadcast, speech)
    encode(segment, encoding, path)
    heard = decode(path.read_bytes())
    planned = segment.duration_seconds
    if abs(heard.seconds - planned) > LENGTH_TOLERANCE:
        raise UnavailableError(
            f"生成的广播音频为 {heard.seconds:.1f} 秒，应为 {planned:.1f} 秒。",
            remedy="请检查磁盘空间，然后运行 daohu doctor。",
        )
    return float(heard.seconds)
