"""espeak-ng as a `Synthesizer`: offline Mandarin that is always there, spoken by a separate process.

100 characters take about 20 ms.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from types import MappingProxyType

from broadcaster.errors import InputError
from channels.speech.process import SpeechProcess
from channels.speech.synthesizer import Pace, Speech, voice_among

COMMAND = (sys.executable, "-P", "-m", "channels.speech.espeak_process")
VOICES: Mapping[str, str] = MappingProxyType({"zh": "cmn", "yue": "yue", "en": "en"})
TEXT_MAX = 5_000  # characters; about twenty minutes of speech
SPEED_MEASURED = 175  # words/min at which the pace below was measured
PACE = Pace(0.278, 0.10, 0.14)


class EspeakSynthesizer:
    """Speaks through one espeak-ng process. `speed` in espeak's words/min, `pitch` 0–99, `timeout` s for a text;
    `voices` are espeak's names by language, besides those that it always has."""

    name = "espeak"

    def __init__(
        self,
        *,
        speed: int = 160,
        pitch: int = 50,
        voices: Mapping[str, str] = VOICES,
        timeout: float = 20.0,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._speed = speed
        self._pitch = pitch
        self._voices = {**VOICES, **voices}
        self._process = SpeechProcess(command, timeout=timeout)

    def voice(self, language: str) -> str | None:
        found = voice_among(self._voices, language)
        return found and f"espeak-ng/{version('espeakng-loader')}/{self._speed}/{self._pitch}/{found}"

    async def speak(self, text: str, language: str = "zh-CN") -> Speech:
        """Say `text`. `InputError` for a language without a voice and for what makes no sound."""
        voice = voice_among(self._voices, language)
        if voice is None:
            raise InputError(f"没有能读 {language!r} 的语音。", remedy=f"可用：{'、'.join(sorted(self._voices))}。")
        if len(text) > TEXT_MAX:
            raise InputError(f"播报文字 {len(text)} 字，超过 {TEXT_MAX} 字。", remedy="请缩短播报文字。")
        request = {"text": text, "voice": voice, "speed": self._speed, "pitch": self._pitch}
        header, samples = await self._process.ask(request)
        if not samples.strip(b"\0"):
            raise InputError("播报文字里没有能读出的字。", remedy="请写入要播报的文字。")
        return Speech(samples, int(header["sample_rate"]))

    def estimate(self, text: str) -> float:
        """Seconds, within about a tenth for ordinary warnings."""
        return PACE.seconds(text) * SPEED_MEASURED / self._speed

    async def close(self) -> None:
        """End the process; a later `speak` starts it again."""
        await self._process.close()
