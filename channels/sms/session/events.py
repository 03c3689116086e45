"""What a gateway says, in the words that all carriers' protocols share."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Protocol

import msgspec

from channels.listening.frames import ProtocolError
from channels.sms.parts import Part, Piece


class WireError(ProtocolError):
    """Octets that are not the protocol: the connection is of no use any more."""


class Verdict(Enum):
    """What became of a submitted part."""

    ACCEPTED = "accepted"
    THROTTLED = "throttled"  # not now: flow control
    REFUSED = "refused"  # not this message
    UNFIT = "unfit"  # not from us: an account, a service or a number that the gateway does not let send


class SignedIn(msgspec.Struct, frozen=True, gc=False):
    """The gateway let us in, or `why` not."""

    why: str = ""


class Answered(msgspec.Struct, frozen=True, gc=False):
    """The answer to submit `sequence`; `ref` is the gateway's id of the part."""

    sequence: int
    verdict: Verdict
    ref: str
    why: str


class Reported(msgspec.Struct, frozen=True, gc=False):
    """A status report about the part `ref`; `acknowledgement` is what to write once it is stored."""

    ref: str
    status: str
    acknowledgement: bytes


class Said(msgspec.Struct, frozen=True, gc=False):
    """Somebody wrote a short message, or a part of one; `id` is the gateway's own, "" where there is none."""

    id: str
    address: str
    piece: Piece
    acknowledgement: bytes


class Knocks(msgspec.Struct, frozen=True, gc=False):
    """On a connection that it opened, the gateway asks to be let in: `answer` says whether it is, and `why` not."""

    answer: bytes
    why: str = ""


class Asked(msgspec.Struct, frozen=True, gc=False):
    """The gateway asks for a sign of life, or whatever else is answered at once with `answer`."""

    answer: bytes


class Alive(msgspec.Struct, frozen=True, gc=False):
    """The answer to our asking for a sign of life."""


class Farewell(msgspec.Struct, frozen=True, gc=False):
    """The gateway ends the session; `answer` is our last word ("" when it answers ours)."""

    answer: bytes = b""


Event = SignedIn | Answered | Reported | Said | Knocks | Asked | Alive | Farewell


class Dialect(Protocol):
    """A carrier's protocol: frames that begin with their length in four octets (big-endian)."""

    shortest: int
    longest: int
    """Octets of a frame's header, and of the longest frame that the gateway may send."""

    def sign_in(self, sequence: int, now: datetime) -> bytes: ...

    def submit(self, sequence: int, part: Part, address: str, urgency: int, expires: datetime) -> bytes: ...

    def ask(self, sequence: int) -> bytes:
        """Ask for a sign of life; empty where the protocol has no such question."""
        ...

    def farewell(self, sequence: int) -> bytes: ...

    def read(self, frame: bytes) -> Event:
        """What a whole frame says; `WireError` when it is none of the protocol's."""
        ...
