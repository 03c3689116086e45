"""What a gateway says, in the words that all carriers' protocols share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from channels.sms.parts import Part, Piece


class WireError(ValueError):
    """Octets that are not the protocol: the connection is of no use any more."""


class Verdict(Enum):
    """What became of a submitted part."""

    ACCEPTED = "accepted"
    THROTTLED = "throttled"  # not now: flow control
    REFUSED = "refused"  # not this message
    UNFIT = "unfit"  # not from us: an account, a service or a number that the gateway does not let send


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The gateway let us in, or `why` not."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to submit `sequence`; `ref` is the gateway's id of the part."""

    sequence: int
    verdict: Verdict
    ref: str
    why: str


@dataclass(frozen=True, slots=True)
class Reported:
    """A status report about the part `ref`; `acknowledgement` is what to write once it is stored."""

    ref: str
    status: str
    acknowledgement: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody wrote a short message, or a part of one."""

    id: str
    address: str
    piece: Piece
    acknowledgement: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """The gateway asks for a sign of life, or whatever else is answered at once with `answer`."""

    answer: bytes


@dataclass(frozen=True, slots=True)
class Alive:
    """The answer to our asking for a sign of life."""


@dataclass(frozen=True, slots=True)
class Farewell:
    """The gateway ends the session; `answer` is our last word ("" when it answers ours)."""

    answer: bytes = b""


Event = SignedIn | Answered | Reported | Said | Asked | Alive | Farewell


class Dialect(Protocol):
    """A carrier's protocol: frames that begin with their length in four octets (big-endian)."""

    longest: int
    """Octets of the longest frame that the gateway may send."""

    def sign_in(self, sequence: int, now: datetime) -> bytes: ...

    def submit(self, sequence: int, part: Part, address: str, urgency: int, expires: datetime) -> bytes: ...

    def ask(self, sequence: int) -> bytes:
        """Ask for a sign of life."""
        ...

    def farewell(self, sequence: int) -> bytes: ...

    def read(self, frame: bytes) -> Event:
        """What a whole frame says; `WireError` when it is none of the protocol's."""
        ...
