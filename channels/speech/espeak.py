"""espeak-ng as a `Synthesizer`: offline Mandarin that is always there, spoken by a separate process.

The process is started at the first text, restarted when it dies or hangs, and asked one text at a time (100 characters
take about 20 ms). The event loop is never held: everything here waits on pipes.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from broadcaster.errors import InputError, UnavailableError
from channels.speech.espeak_engine import EspeakEngine
from channels.speech.frames import FrameError
from channels.speech.synthesizer import Speech

COMMAND = (sys.executable, "-P", "-m", "channels.speech.espeak_process")
VOICES = {"zh": "cmn", "cmn": "cmn", "yue": "yue", "zh-hk": "yue", "en": "en"}
TEXT_MAX = 5_000  # characters; about twenty minutes of speech
SPEED_MEASURED = 175  # words/min at which the figures below were measured
SECONDS_PER_CHARACTER = 0.278
SECONDS_PER_WORD_CHARACTER = 0.10
SECONDS_PER_PAUSE = 0.14
PAUSES = frozenset("，。；：！？、,;:!?.\n")


class EspeakSynthesizer:
    """Speaks through one espeak-ng process. `speed` in espeak's words/min, `pitch` 0–99, `timeout` s for a text."""

    def __init__(
        self, *, speed: int = 160, pitch: int = 50, timeout: float = 20.0, command: Sequence[str] = COMMAND
    ) -> None:
        self.name = f"espeak-ng/{version('espeakng-loader')}/{speed}/{pitch}"
        self._speed = speed
        self._pitch = pitch
        self._timeout = timeout
        self._command = tuple(command)
        self._engine: EspeakEngine | None = None
        self._turn = asyncio.Lock()

    async def speak(self, text: str, language: str = "zh-CN") -> Speech:
        """Say `text`; a process that died or hung is started again once before `UnavailableError` is raised."""
        request = {"text": text, "voice": voice_of(language), "speed": self._speed, "pitch": self._pitch}
        if len(text) > TEXT_MAX:
            raise InputError(f"播报文字 {len(text)} 字，超过 {TEXT_MAX} 字。", remedy="请缩短播报文字。")
        async with self._turn:
            try:
                header, samples = await self._asked(request)
            except _BrokenError:
                header, samples = await self._asked_again(request)
        if "error" in header:
            raise UnavailableError(
                f"语音合成引擎拒绝了文字：{header['error']}", remedy="请运行 daohu doctor 检查语音引擎。"
            )
        if not samples.strip(b"\0"):
            raise InputError("播报文字里没有能读出的字。", remedy="请写入要播报的文字。")
        return Speech(samples, int(header["sample_rate"]))

    def estimate(self, text: str) -> float:
        """Seconds, within about a tenth for ordinary warnings: by characters, Latin letters and digits, and pauses."""
        pauses = sum(character in PAUSES for character in text)
        words = sum(character.isascii() and character.isalnum() for character in text)
        hanzi = sum(character.isalnum() for character in text) - words
        said = hanzi * SECONDS_PER_CHARACTER + words * SECONDS_PER_WORD_CHARACTER + pauses * SECONDS_PER_PAUSE
        return said * SPEED_MEASURED / self._speed

    async def close(self) -> None:
        """End the process; a later `speak` starts it again."""
        async with self._turn:
            await self._end()

    async def _asked_again(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        try:
            return await self._asked(request)
        except _BrokenError as error:
            raise UnavailableError(
                f"语音合成进程没有回答：{error}",
                remedy="稍后会自动重试；若一直如此，请运行 daohu doctor 检查语音引擎。",
            ) from error

    async def _asked(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """One exchange with the process. Whatever interrupts it ends the process: its pipe is then out of step."""
        try:
            async with asyncio.timeout(self._timeout):
                if self._engine is None or not self._engine.alive:
                    await self._end()
                    self._engine = await EspeakEngine.start(self._command)
                    await self._engine.hello()
                return await self._engine.ask(request)
        except (OSError, EOFError, FrameError, TimeoutError) as error:
            await self._end(kill=True)
            raise _BrokenError(str(error) or f"{self._timeout:g} 秒内没有回答") from error
        except asyncio.CancelledError:
            await self._end(kill=True)
            raise

    async def _end(self, *, kill: bool = False) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.end(kill=kill)


class _BrokenError(Exception):
    """The process died, hung or talked nonsense."""


def voice_of(language: str) -> str:
    """The espeak-ng voice for a BCP 47 tag; InputError when there is none."""
    tag = language.lower()
    voice = VOICES.get(tag) or VOICES.get(tag.partition("-")[0])
    if voice is None:
        raise InputError(f"没有能读 {language!r} 的语音。", remedy=f"可用：{'、'.join(sorted(VOICES))}。")
    return voice
