"""The speech process: loads espeak-ng and speaks what it is told over its pipes, until stdin ends.

espeak-ng is under GPL-3.0, so it lives in this process and nothing else of the system is loaded here; the two sides
share no memory and speak only in frames (see `frames.py`). Started by `espeak.py` as
`python -m channels.speech.espeak_process`.

    hello    ← {"engine": "espeak-ng 1.52.0", "sample_rate": 22050}
    request  → {"text", "voice", "speed" (words/min), "pitch" (0–99)}
    answer   ← {"sample_rate"} + samples (signed 16 bit, mono), or {"error"}
"""

from __future__ import annotations

import ctypes
import os
import sys
import traceback
from typing import Any, BinaryIO

import espeakng_loader

from channels.speech.frames import PREFIX, FrameError, frame, header_of, lengths

# speak_lib.h of espeak-ng 1.52
AUDIO_OUTPUT_SYNCHRONOUS = 2
INITIALIZE_DONT_EXIT = 0x8000
POS_CHARACTER = 1
CHARS_UTF8 = 1
PARAMETER_RATE = 1
PARAMETER_PITCH = 3
EE_OK = 0

SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class EspeakError(Exception):
    """espeak-ng refused: the message goes back over the pipe."""


class Espeak:
    """The loaded library, with one voice at a time."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._library.espeak_Info.restype = ctypes.c_char_p
        self._samples = bytearray()
        self._callback = SynthCallback(self._collect)  # kept: the library holds only its address
        data = os.fsencode(espeakng_loader.get_data_path())
        self.sample_rate: int = self._library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, data, INITIALIZE_DONT_EXIT)
        if self.sample_rate <= 0:
            raise EspeakError("espeak-ng could not load its data.")
        self._library.espeak_SetSynthCallback(self._callback)
        self._voice = ""

    @property
    def version(self) -> str:
        """The library's own version, such as "1.52.0"."""
        return str((self._library.espeak_Info(None) or b"").decode())

    def speak(self, text: str, voice: str, speed: int, pitch: int) -> bytes:
        """The samples of `text`; EspeakError when the voice is missing or the text is refused."""
        if voice != self._voice and self._library.espeak_SetVoiceByName(voice.encode()) != EE_OK:
            raise EspeakError(f"espeak-ng has no voice {voice!r}.")
        self._voice = voice
        self._library.espeak_SetParameter(PARAMETER_RATE, speed, 0)
        self._library.espeak_SetParameter(PARAMETER_PITCH, pitch, 0)
        self._samples.clear()
        written = text.encode() + b"\0"
        code = self._library.espeak_Synth(written, len(written), 0, POS_CHARACTER, 0, CHARS_UTF8, None, None)
        if code != EE_OK:
            raise EspeakError(f"espeak-ng refused the text (code {code}).")
        return bytes(self._samples)

    def _collect(self, wave: Any, count: int, _events: object) -> int:
        if wave and count > 0:
            self._samples += ctypes.string_at(wave, count * ctypes.sizeof(ctypes.c_short))
        return 0


def answer(espeak: Espeak, request: dict[str, Any]) -> bytes:
    """The frame that answers one request."""
    try:
        samples = espeak.speak(request["text"], request["voice"], request["speed"], request["pitch"])
    except EspeakError as error:
        return frame({"error": str(error)})
    return frame({"sample_rate": espeak.sample_rate}, samples)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Say hello, then answer each request until the other side closes its end."""
    try:
        espeak = Espeak()
    except (EspeakError, OSError) as error:
        answers.write(frame({"error": str(error)}))
        answers.flush()
        return
    answers.write(frame({"engine": f"espeak-ng {espeak.version}", "sample_rate": espeak.sample_rate}))
    answers.flush()
    while len(prefix := requests.read(PREFIX.size)) == PREFIX.size:
        header, body = lengths(prefix)
        request = header_of(requests.read(header))
        requests.read(body)
        if not spoken(espeak, request, answers):
            return  # the answer may be half-written: the parent starts a new process


def spoken(espeak: Espeak, request: dict[str, Any], answers: BinaryIO) -> bool:
    """Answer in a fork of the loaded library; whether it was answered whole.

    espeak-ng carries state from one text to the next, so that the same words sound a little different each time. From
    a fresh fork (2 ms) they are the same to the sample, whoever asks and whatever was said before.
    """
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    try:
        answers.write(answer(espeak, request))
        answers.flush()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main() -> None:
    """Serve over the pipes we were started with; nothing else may write to the answers' pipe."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        try:
            serve(sys.stdin.buffer, answers)
        except (BrokenPipeError, FrameError):
            os._exit(1)  # the parent is gone, even in mid-sentence: there is nobody left to tell


if __name__ == "__main__":
    main()
