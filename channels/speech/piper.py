"""piper as a `Synthesizer`: neural voices offline, by the program that the operator installed.

piper is under GPL-3.0, so it is a program of its own that is started for each text: `piper -m MODEL --output-raw`
takes lines of text on stdin and writes signed 16-bit mono samples; the model's description (`MODEL.json`) says at
which rate.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from channels.redaction import redacted
from channels.speech.synthesizer import NEWSREADER, EngineError, Fault, Speech, voice_among

LARGEST = 256 << 20  # octets of speech: an hour and a half
STDERR_MOST = 64 << 10


@dataclass(frozen=True, slots=True)
class Model:
    """A voice: its file and that one's octets, and samples/s as its description says."""

    path: Path
    octets: int
    sample_rate: int


class PiperSynthesizer:
    """`command` starts piper; `models` by language; `length_scale` above 1 is slower; `timeout` s for a text."""

    name = "piper"

    def __init__(
        self,
        command: Sequence[str],
        models: Mapping[str, Model],
        *,
        speaker: int | None = None,
        length_scale: float = 1.0,
        timeout: float = 30.0,
    ) -> None:
        self._command = tuple(command)
        self._models = {str(model.path): model for model in models.values()}
        self._voices = {language: str(model.path) for language, model in models.items()}
        self._speaker = speaker
        self._length_scale = length_scale
        self._timeout = timeout

    def voice(self, language: str) -> str | None:
        found = voice_among(self._voices, language)
        return found and f"piper/{found}/{self._models[found].octets}/{self._speaker}/{self._length_scale}"

    async def speak(self, text: str, language: str) -> Speech:
        """Say `text` by a new process; it is killed when it takes too long."""
        model = self._models[voice_among(self._voices, language) or ""]
        line = " ".join(text.split())
        try:
            async with asyncio.timeout(self._timeout):
                samples, told, code = await self._run(model, line)
        except TimeoutError as error:
            raise EngineError(
                Fault.SLOW, f"piper {self._timeout:g} 秒内没有完成。", remedy="请换一个小些的模型，或增大 timeout。"
            ) from error
        except OSError as error:
            raise EngineError(
                Fault.DOWN, f"piper 无法启动：{error.strerror}。", remedy="请检查 [speech] 中 piper 的 command。"
            ) from error
        if code != 0:
            lines = told.decode(errors="replace").strip().splitlines() or [f"退出码 {code}"]
            raise EngineError(Fault.DOWN, f"piper 失败：{redacted(lines[-1])}", remedy="请检查 piper 的安装和模型。")
        if not samples or len(samples) % 2:
            raise EngineError(Fault.NONSENSE, "piper 没有给出语音。", remedy="请检查 piper 的版本和模型。")
        return Speech(samples, model.sample_rate)

    def estimate(self, text: str) -> float:
        """Seconds."""
        return NEWSREADER.seconds(text) * self._length_scale

    async def close(self) -> None:
        """Nothing runs between texts."""

    async def _run(self, model: Model, line: str) -> tuple[bytes, bytes, int]:
        process = await asyncio.create_subprocess_exec(
            *self._command, *self._arguments(model), stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
        try:
            written = asyncio.create_task(_write(process, line.encode() + b"\n"))
            told = asyncio.create_task(_last(process.stderr))
            samples = await _whole(process.stdout)
            await asyncio.wait([written])
            return samples, await told, await process.wait()
        finally:
            await _killed(process)

    def _arguments(self, model: Model) -> list[str]:
        arguments = ["-m", str(model.path), "--output-raw"]
        if self._speaker is not None:
            arguments += ["--speaker", str(self._speaker)]
        if self._length_scale != 1.0:
            arguments += ["--length-scale", f"{self._length_scale:g}"]
        return arguments


async def _write(process: Process, line: bytes) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):  # it may have left without reading: its exit code says so
            process.stdin.write(line)
            await process.stdin.drain()
            process.stdin.close()
            await process.stdin.wait_closed()


async def _whole(stream: asyncio.StreamReader | None) -> bytes:
    samples = bytearray()
    while stream is not None and (piece := await stream.read(1 << 16)):
        samples += piece
        if len(samples) > LARGEST:
            raise EngineError(Fault.NONSENSE, "piper 说个没完。", remedy="请检查 piper 的版本和模型。")
    return bytes(samples)


async def _last(stream: asyncio.StreamReader | None) -> bytes:
    """The end of what was written; all of it is read, so that the writer never waits."""
    told = b""
    while stream is not None and (piece := await stream.read(1 << 14)):
        told = (told + piece)[-STDERR_MOST:]
    return told


async def _killed(process: Process) -> None:
    """The process and whatever it started are gone after this."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
