"""Frames of the rehearsal line: 4 bytes of length (big endian), then one MessagePack array that begins with its kind.

A frame carries many messages, so that the cost of a message is the cost of its row. Rows are plain tuples; see the
aliases below. The line is ours alone: it exists so that drivers and the virtual district meet over a real socket.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import msgspec

VERSION = 1
FRAME_MAX = 16 * 1024 * 1024
"""Longest frame in bytes; a longer one is a protocol error."""

CHUNK = 256 * 1024
"""Bytes of an audio file in one `Upload`."""

LENGTH = 4

SubmitRow: TypeAlias = tuple[int, int, int, str, int, int, float]
"""alert, ordinal, attempt, address, index into the frame's messages, urgency, expires (Unix seconds)."""

AnswerRow: TypeAlias = tuple[int, int, str, float]
"""index into the submitted frame's rows, verdict (below), the gateway's message id or a reason, seconds to wait."""

ReceiptRow: TypeAlias = tuple[str, int, int, int, bool, str]
"""the gateway's message id ("" = not named), alert (0 = not named), ordinal, attempt, delivered?, reason."""

ReplyRow: TypeAlias = tuple[str, str, str, float]
"""the gateway's id of the reply, address, text, when (Unix seconds)."""

ACCEPTED, DEFERRED, REJECTED = 0, 1, 2


class LineError(ValueError):
    """The bytes are not a frame of this protocol; the connection cannot be used further."""


class SignIn(msgspec.Struct, array_like=True, tag=1):
    version: int
    account: str
    channel: str
    password: str


class Welcome(msgspec.Struct, array_like=True, tag=2):
    """Signed in. `greeting` is for the conversation log."""

    greeting: str


class Refused(msgspec.Struct, array_like=True, tag=3):
    """Not signed in, or a frame that makes no sense here; the server closes after it."""

    reason: str


class Submit(msgspec.Struct, array_like=True, tag=4):
    """Messages to send. Each message's parts are what differs from the others: `heads[i] + part + tails[i]`."""

    frame: int
    heads: list[str]
    tails: list[str]
    messages: list[list[str]]
    rows: list[SubmitRow]


class Answers(msgspec.Struct, array_like=True, tag=5):
    frame: int
    rows: list[AnswerRow]


class Receipts(msgspec.Struct, array_like=True, tag=6):
    """Evidence of the moment `at` (Unix seconds); comes again until `Ack` names `batch`."""

    batch: int
    at: float
    rows: list[ReceiptRow]


class Replies(msgspec.Struct, array_like=True, tag=7):
    """What people sent back; comes again until `Ack` names `batch`."""

    batch: int
    rows: list[ReplyRow]


class Ack(msgspec.Struct, array_like=True, tag=8):
    batches: list[int]


class Upload(msgspec.Struct, array_like=True, tag=9):
    """A piece of an audio file, named by the SHA-256 (hex) of the whole; `last` ends it."""

    sha256: str
    media_type: str
    seconds: float
    data: bytes
    last: bool


class Ping(msgspec.Struct, array_like=True, tag=10):
    pass


class Pong(msgspec.Struct, array_like=True, tag=11):
    pass


class Bye(msgspec.Struct, array_like=True, tag=12):
    pass


class Ask(msgspec.Struct, array_like=True, tag=13):
    """A question to whoever directs the rehearsal, instead of signing in; arguments are JSON."""

    question: str
    arguments: bytes


class Told(msgspec.Struct, array_like=True, tag=14):
    """The answer to `Ask`: JSON, or what was wrong."""

    answer: bytes
    problem: str


Frame: TypeAlias = (
    SignIn | Welcome | Refused | Submit | Answers | Receipts | Replies | Ack | Upload | Ping | Pong | Bye | Ask | Told
)

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame)


def encode(frame: Frame) -> bytes:
    """The frame's bytes, length included."""
    buffer = bytearray(LENGTH)
    _encoder.encode_into(frame, buffer, LENGTH)
    buffer[:LENGTH] = (len(buffer) - LENGTH).to_bytes(LENGTH, "big")
    return bytes(buffer)


class Framer:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that `data` completes; LineError when the stream is not this protocol."""
        self._buffer += data
        start, held = 0, len(self._buffer)
        try:
            while held - start >= LENGTH:
                size = int.from_bytes(self._buffer[start : start + LENGTH], "big")
                if size > FRAME_MAX:
                    raise LineError(f"A frame of {size} bytes is longer than the {FRAME_MAX} allowed.")
                if held - start - LENGTH < size:
                    return
                body = bytes(self._buffer[start + LENGTH : start + LENGTH + size])
                start += LENGTH + size
                yield _decode(body)
        finally:
            del self._buffer[:start]


def _decode(body: bytes) -> Frame:
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, ValueError) as problem:
        raise LineError(f"A frame does not decode: {problem}.") from problem
