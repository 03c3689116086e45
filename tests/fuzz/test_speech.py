"""Whatever a speech service answers: it is speech, or a fault of a known kind, at little cost."""

from __future__ import annotations

import base64
import json

import pytest

from channels.speech.aliyun_nls import failure
from channels.speech.frames import PREFIX, FrameError, frame, header_of, lengths
from channels.speech.synthesizer import EngineError
from channels.speech.xfyun import read_frame
from tests.fuzz.conftest import Fuzz
from tests.fuzz.trial import LONG, OFTEN, SHORT, Decoder

AUDIO = {"audio": base64.b64encode(bytes(range(200))).decode(), "ced": "9"}
SPOKEN = [
    json.dumps({"code": 0, "message": "success", "sid": "tts", "data": {**AUDIO, "status": status}}).encode()
    for status in (1, 2)
]
REFUSED = [
    json.dumps({"task_id": "c541", "result": "", "status": code, "message": "Gateway:ACCESS_DENIED"}).encode()
    for code in (40000001, 50000000)
]


def speech_frame(written: bytes) -> object:
    header, body = lengths(written[: PREFIX.size].ljust(PREFIX.size, b"\0"))
    return header_of(written[PREFIX.size : PREFIX.size + header]), body


DECODERS = [
    Decoder("xfyun", read_frame, SPOKEN, (EngineError,), tokens=[b"null", b"status", b"\xff", b"99999999999999999999"]),
    Decoder("aliyun", lambda body: failure(400, body).fault, REFUSED, tokens=[b"null", b"status", b"[", b"{"]),
    Decoder("process", speech_frame, [frame({"sample_rate": 22050}, b"\0\0"), frame({"error": "no"})], (FrameError,)),
]


@pytest.mark.parametrize("decoder", DECODERS, ids=str)
def test_damaged_answers_are_understood_or_refused(decoder: Decoder, fuzz: Fuzz) -> None:
    fuzz(decoder, SHORT, OFTEN)


@pytest.mark.soak
@pytest.mark.parametrize("decoder", DECODERS, ids=str)
def test_many_more_damaged_answers(decoder: Decoder, fuzz: Fuzz) -> None:
    fuzz(decoder, LONG)
