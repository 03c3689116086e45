"""sherpa-onnx as a `Synthesizer`: neural voices offline, by a library (Apache-2.0, the extra `daohu[sherpa]`) and
models that the operator brings.

The library lives in a process of its own: a model takes hundreds of MB, and a wrong one takes the process down. The
process ends when nobody has asked it for two minutes.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from channels.speech.process import SpeechProcess
from channels.speech.synthesizer import NEWSREADER, EngineError, Fault, Speech, voice_among

COMMAND = (sys.executable, "-P", "-m", "channels.speech.sherpa_process")
IDLE = 120.0


@dataclass(frozen=True, slots=True)
class Files:
    """A model of `kind` vits, matcha or kokoro, as paths; "" for what that kind does not have. `rules` are the text
    rules (FST) that come with some models."""

    kind: str
    model: str
    tokens: str
    lexicon: str = ""
    vocoder: str = ""
    speakers: str = ""
    rules: tuple[str, ...] = ()
    threads: int = 1

    @property
    def octets(self) -> int:
        """The model's size: another model under the same name has another voice."""
        return Path(self.model).stat().st_size


class SherpaSynthesizer:
    """`voices` are the model's speakers (0 …) by language; `speed` above 1 is faster; `timeout` s for a text, loading
    included."""

    name = "sherpa_onnx"

    def __init__(
        self,
        files: Files,
        voices: Mapping[str, int],
        *,
        speed: float = 1.0,
        timeout: float = 60.0,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._voices = {language: str(speaker) for language, speaker in voices.items()}
        self._speed = speed
        described = json.dumps(asdict(files), ensure_ascii=False, sort_keys=True)
        self._model = hashlib.sha256(f"{described} {files.octets}".encode()).hexdigest()[:12]
        self._process = SpeechProcess((*command, described), timeout=timeout, idle=IDLE)

    def voice(self, language: str) -> str | None:
        found = voice_among(self._voices, language)
        return found and f"sherpa_onnx/{self._model}/{found}/{self._speed}"

    async def speak(self, text: str, language: str) -> Speech:
        """Say `text`."""
        speaker = int(voice_among(self._voices, language) or 0)
        header, samples = await self._process.ask({"text": text, "speaker": speaker, "speed": self._speed})
        if not samples or len(samples) % 2:
            raise EngineError(Fault.TEXT, "sherpa-onnx 没有给出语音：模型读不了这段文字。")
        return Speech(samples, int(header["sample_rate"]))

    def estimate(self, text: str) -> float:
        """Seconds."""
        return NEWSREADER.seconds(text) / self._speed

    async def close(self) -> None:
        """End the process; a later `speak` starts it again."""
        await self._process.close()
