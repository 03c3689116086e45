"""What terminals say: the bodies of GD/J 089's uplink, read, and the acknowledgements of them."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import msgspec

from channels.loudspeaker.terminal_tcp.dialect import Dialect, WireError, unpacked
from channels.loudspeaker.terminal_tcp.wire import Kind

RESULT_OK = 0
NOT_UNDERSTOOD = 1
STARTED, ENDED = 1, 2
EMERGENCY = 1
"""Of a task; 2 is the daily programme, 3 the telephone, 4 a text message, 5 the mixer, 6 a memory stick."""


class Heartbeat(msgspec.Struct, frozen=True):
    """`state` 1 idle, 2 at work, 3 out of order; `first`: it signs in. Its physical address stands behind that."""

    state: int
    first: bool


class Fault(msgspec.Struct, frozen=True):
    """Something broke (`broken`) or works again; `kind` 1 to 5."""

    broken: bool
    kind: int
    words: str


class Switched(msgspec.Struct, frozen=True):
    """A task began or ended; `task` 1 to 6."""

    began: bool
    task: int
    message: str


class Played(msgspec.Struct, frozen=True):
    """The result of the broadcast of `message`: from when to when it sounded, and how often."""

    message: str
    good: bool
    words: str
    began: datetime
    ended: datetime
    times: int


class Other(msgspec.Struct, frozen=True):
    """A record, the answer to a question, or whatever else is only to be acknowledged."""

    kind: int


Report: TypeAlias = Heartbeat | Fault | Switched | Played | Other


class Answer(msgspec.Struct, frozen=True):
    """A response to one of ours: 0 is good."""

    result: int
    words: str


def report(kind: int, body: bytes, dialect: Dialect) -> Report:
    """What a request of a terminal says; `WireError` when its body is too short for that."""
    wide = dialect.message_octets
    match kind:
        case Kind.HEARTBEAT:
            _has(body, 2)
            return Heartbeat(body[0], first=body[1] == 1)
        case Kind.FAULT:
            _has(body, 2)
            return Fault(broken=body[0] == 1, kind=body[1], words=words(body[2:-4]))
        case Kind.SWITCHED:
            _has(body, 2 + wide)
            return Switched(body[0] == STARTED, body[1], unpacked(body[2 : 2 + wide], dialect.message_digits))
        case Kind.PLAYED:
            return _played(body, dialect)
    return Other(kind)


def answer(body: bytes) -> Answer:
    """What a response says: result, length of its words, words. A body without words is as good."""
    _has(body, 1)
    length = int.from_bytes(body[1:3])
    return Answer(body[0], words(body[3 : 3 + length]))


def acknowledgement(result: int, at: datetime | None, dialect: Dialect) -> bytes:
    """The body of our response to a report; heartbeats get the time `at` as well, by which terminals set their
    clocks."""
    return bytes([result, 0, 0]) + (dialect.time(at) if at is not None else b"")


def words(octets: bytes) -> str:
    """A description: UTF-8 or GBK, filled up with zeros."""
    text = octets.partition(b"\0")[0]
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("gb18030", "replace")


def _played(body: bytes, dialect: Dialect) -> Played:
    wide = dialect.message_octets
    _has(body, wide + 3)
    at = wide + 3
    end = at + int.from_bytes(body[wide + 1 : at])
    _has(body, end + 9)
    return Played(
        message=unpacked(body[:wide], dialect.message_digits),
        good=body[wide] == 1,
        words=words(body[at:end]),
        began=dialect.moment(body[end : end + 4]),
        ended=dialect.moment(body[end + 4 : end + 8]),
        times=body[end + 8],
    )


def _has(body: bytes, octets: int) -> None:
    if len(body) < octets:
        raise WireError(f"a body of {len(body)} octets ends too soon")
