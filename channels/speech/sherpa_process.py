"""The process that loads sherpa-onnx and a model, and speaks what it is told over its pipes, until stdin ends.

Started by `sherpa.py` as `python -m channels.speech.sherpa_process FILES`, the files as JSON; it talks in frames
(`frames.py`).

    hello    ← {"engine": "sherpa-onnx", "sample_rate"}, or {"error"}
    request  → {"text", "speaker", "speed"}
    answer   ← {"sample_rate"} + samples (signed 16 bit, mono), or {"error"}

A word that is not in the model's lexicon the library leaves out, and says so only on stderr. A warning must not lose a
word: such a text is refused, and another engine says it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from array import array
from typing import Any, BinaryIO

import sherpa_onnx

from channels.speech.frames import PREFIX, FrameError, frame, header_of, lengths

LEFT_OUT = re.compile(rb"OOV|[Uu]nknown|[Ii]gnore|[Ss]kip")
MUTTERED_MOST = 1 << 20


def load(files: dict[str, Any]) -> Any:
    """The model, ready to speak; ValueError when the library does not take it."""
    common = {"tokens": files["tokens"], "lexicon": files["lexicon"]}
    match files["kind"]:
        case "vits":
            kind = {"vits": sherpa_onnx.OfflineTtsVitsModelConfig(model=files["model"], **common)}
        case "matcha":
            acoustic = {"acoustic_model": files["model"], "vocoder": files["vocoder"]}
            kind = {"matcha": sherpa_onnx.OfflineTtsMatchaModelConfig(**acoustic, **common)}
        case _:
            voices = {"model": files["model"], "voices": files["speakers"]}
            kind = {"kokoro": sherpa_onnx.OfflineTtsKokoroModelConfig(**voices, **common)}
    model = sherpa_onnx.OfflineTtsModelConfig(**kind, num_threads=files["threads"], provider="cpu")
    config = sherpa_onnx.OfflineTtsConfig(model=model, rule_fsts=",".join(files["rules"]), max_num_sentences=1)
    if not config.validate():
        raise ValueError("sherpa-onnx does not take these files for such a model.")
    return sherpa_onnx.OfflineTts(config)


class Muttering:
    """What the library writes to stderr, from `begin` on; it holds words of the text, so it goes nowhere else."""

    def __init__(self) -> None:
        self._file = os.memfd_create("stderr")
        sys.stderr.flush()
        os.dup2(self._file, 2)

    def begin(self) -> None:
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)

    @property
    def left_out(self) -> bool:
        """Whether the library says that it did not read everything."""
        return LEFT_OUT.search(os.pread(self._file, MUTTERED_MOST, 0)) is not None


def spoken(model: Any, request: dict[str, Any], muttering: Muttering) -> bytes:
    """The frame that answers one request."""
    muttering.begin()
    said = model.generate(request["text"], sid=request["speaker"], speed=request["speed"])
    if muttering.left_out:
        return frame({"error": "the model does not know all words of the text."})
    samples = array("h", (round(32767 * max(-1.0, min(1.0, sample))) for sample in said.samples))
    if sys.byteorder == "big":
        samples.byteswap()
    return frame({"sample_rate": said.sample_rate}, samples.tobytes())


def serve(files: dict[str, Any], requests: BinaryIO, answers: BinaryIO) -> None:
    """Say hello, then answer each request until the other side closes its end."""
    try:
        model = load(files)
    except (ValueError, RuntimeError, TypeError) as error:
        answers.write(frame({"error": str(error)}))
        answers.flush()
        return
    answers.write(frame({"engine": "sherpa-onnx", "sample_rate": model.sample_rate}))
    answers.flush()
    muttering = Muttering()
    while len(prefix := requests.read(PREFIX.size)) == PREFIX.size:
        header, body = lengths(prefix)
        request = header_of(requests.read(header))
        requests.read(body)
        try:
            answers.write(spoken(model, request, muttering))
        except (ValueError, RuntimeError, TypeError) as error:
            answers.write(frame({"error": str(error)}))
        answers.flush()


def main() -> None:
    """Serve over the pipes we were started with; what the library prints goes to stderr."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        try:
            serve(json.loads(sys.argv[1]), sys.stdin.buffer, answers)
        except (BrokenPipeError, FrameError):
            os._exit(1)  # the parent is gone, even in mid-sentence: there is nobody left to tell


if __name__ == "__main__":
    main()
