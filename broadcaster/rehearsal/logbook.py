"""The rehearsal's own record of what it really received: append-only, written before the answer, apart from the client.

Each record is 4 bytes of length and a MessagePack array that begins with its kind. It survives a SIGKILL of the client
and of the rehearsal itself; a torn last record is ignored when reading.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec

from broadcaster.rehearsal.reading import Reading
from channels.line.wire import LENGTH, ReceiptRow, ReplyRow

TakenRow: TypeAlias = tuple[int, int, int, str, int, float, int, str]
"""alert (0: the protocol has no room for the key), ordinal, attempt, address, urgency, expires (Unix seconds), hash of
the text, our message id."""

JoinedRow: TypeAlias = tuple[str, int]
"""our message id, in how many parts the message came: the ids of the parts end with this one."""

RefusedRow: TypeAlias = tuple[int, int, int, str, str]
"""alert, ordinal, attempt, address, reason."""


class Started(msgspec.Struct, array_like=True, tag=1):
    """A process began to write here; its message ids begin with `prefix`."""

    at: float
    prefix: str
    script: bytes


class SignedIn(msgspec.Struct, array_like=True, tag=2):
    at: float
    account: str
    channel: str
    connection: int


class Taken(msgspec.Struct, array_like=True, tag=3):
    """Messages that reached the gateway in one frame."""

    at: float
    account: str
    connection: int
    rows: list[TakenRow]


class Turned(msgspec.Struct, array_like=True, tag=4):
    """Messages that were refused, for good."""

    at: float
    account: str
    connection: int
    rows: list[RefusedRow]


class Evidenced(msgspec.Struct, array_like=True, tag=5):
    """Receipts as they went out for the first time."""

    at: float
    account: str
    rows: list[ReceiptRow]


class Said(msgspec.Struct, array_like=True, tag=6):
    """Replies as they went out for the first time."""

    account: str
    rows: list[ReplyRow]


class Lost(msgspec.Struct, array_like=True, tag=7):
    """A connection ended without good-bye; `in_flight` messages had been taken and not answered."""

    at: float
    account: str
    connection: int
    in_flight: int
    reason: str


class Text(msgspec.Struct, array_like=True, tag=8):
    """What a text hash stands for."""

    hash: int
    text: str


class Heard(msgspec.Struct, array_like=True, tag=9):
    """An audio file that a terminal or call would play: its real length in seconds, or what is wrong with it."""

    at: float
    sha256: str
    seconds: float
    problem: str


class Acknowledged(msgspec.Struct, array_like=True, tag=10):
    """What the client says it has stored: the message ids of receipts, and the ids of replies."""

    at: float
    account: str
    receipts: list[str]
    replies: list[str]


class Joined(msgspec.Struct, array_like=True, tag=11):
    """Messages that came in several parts."""

    rows: list[JoinedRow]


class Called(msgspec.Struct, array_like=True, tag=20):
    """A call, as the one who was called had it: what came of it (`how`), the key that was pressed, and the sound, up to
    the last packet that was not silence: its seconds, the SHA-256 of its octets as they came, packets that were
    missing; how far the packets were from 20 ms apart, in milliseconds."""

    at: float
    account: str
    ref: str
    address: str
    how: str
    key: str
    seconds: float
    sha256: str
    missing: int
    jitter_median: float
    jitter_most: float
    jitter_p99: float


class Sounded(msgspec.Struct, array_like=True, tag=21):
    """A terminal began to sound, or was stopped; `what` is "began" or "stopped"."""

    at: float
    account: str
    ref: str
    what: str


class Measured(msgspec.Struct, array_like=True, tag=40):
    """What an instrument measured at `at`, reported over `way` ("sl651", "mqtt", "api"): elements and their values."""

    at: float
    way: str
    station: str
    values: list[tuple[str, float]]


class Stored(msgspec.Struct, array_like=True, tag=41):
    """An instrument learned that what it measured at `measured` is stored, or, by MQTT, that the broker will bring it;
    it had said it so many times."""

    at: float
    station: str
    measured: float
    tries: int


class Published(msgspec.Struct, array_like=True, tag=42):
    """The weather office put a message into its feed."""

    at: float
    identifier: str
    msg_type: str
    colour: str


class Visited(msgspec.Struct, array_like=True, tag=43):
    """Somebody looked at the weather office's feed, and got `status`: 200 the whole index, 304 that it is as it was."""

    at: float
    status: int


Record: TypeAlias = (
    Started
    | SignedIn
    | Taken
    | Turned
    | Evidenced
    | Said
    | Lost
    | Text
    | Heard
    | Acknowledged
    | Joined
    | Called
    | Sounded
    | Measured
    | Stored
    | Published
    | Visited
)

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


class Logbook:
    """The writing end."""

    def __init__(self, path: Path, texts_kept: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._texts: set[int] = set()
        self._texts_kept = texts_kept
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, *records: Record) -> None:
        """Append `records`; they are the kernel's when this returns."""
        buffer = bytearray()
        for record in records:
            start = len(buffer)
            buffer += b"\0\0\0\0"
            _encoder.encode_into(record, buffer, start + LENGTH)
            buffer[start : start + LENGTH] = (len(buffer) - start - LENGTH).to_bytes(LENGTH, "big")
        view = memoryview(buffer)
        while view:
            view = view[os.write(self._file, view) :]

    def keep_texts(self, readings: Iterable[Reading]) -> None:
        """Write down the texts that are new, as long as there is room for texts."""
        if len(self._texts) >= self._texts_kept:
            return
        for reading in readings:
            if reading.hash not in self._texts:
                self._texts.add(reading.hash)
                self.write(Text(reading.hash, reading.text))

    def close(self) -> None:
        os.close(self._file)


def read_logbook(path: Path) -> Iterator[Record]:
    """The records of a logbook, in the order in which they were written."""
    with path.open("rb") as file:
        while len(head := file.read(LENGTH)) == LENGTH:
            body = file.read(int.from_bytes(head, "big"))
            if len(body) < int.from_bytes(head, "big"):
                return
            yield _decoder.decode(body)
