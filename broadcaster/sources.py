"""What an adapter of a source implements, and the values that cross that line.

A source is a machine that tells us of dangers: a feed that is polled, a folder into which files are put, a platform
that calls. An adapter fetches once, classifies what happened, and judges what came; it sees no database and no retry
policy: those are the core's (`broadcaster.intake`). Adapters are registered by entry points in the group
`broadcaster.adapters`, named by their kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec

from broadcaster.alerts.alert import Alert, Reference
from broadcaster.alerts.automatic import Deed
from broadcaster.alerts.colour import Colour


class SignaturePolicy(StrEnum):
    """What is asked of a message's signature: a good one; a good one if there is any; nothing."""

    REQUIRE = "require"
    PREFER = "prefer"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeedRule:
    """One `[[sources.deeds]]`: what becomes of messages of these hazards and colours, none named: of all. `hold`: how
    many seconds an officer has for a veto, None: as usual for the colour."""

    do: Deed
    hazards: frozenset[str] = frozenset()
    colours: frozenset[Colour] = frozenset()
    hold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """One `[[sources]]` of the settings.

    `trust` is what messages become that none of `deeds` is for; of those the first that fits holds. `address`: an http
    or https address that is polled, the path of a folder that is looked through, or "" for a source that only calls us.
    `interval` in seconds. `certificates`: PEM files of those whose signatures are good. `private`: the address may lie
    in a private network. `codes`: what a geocode of theirs is here, `"EMMA_ID CN001"` to a region code. `answer_to`:
    the address that CAP Ack and Error go to, "" for a source that wants none. `options` are the kind's own.
    """

    name: str
    kind: str
    address: str = field(default="", repr=False)
    interval: float = 60.0
    trust: Deed = Deed.NOTIFY
    deeds: tuple[DeedRule, ...] = ()
    signature: SignaturePolicy = SignaturePolicy.IGNORE
    certificates: tuple[Path, ...] = ()
    private: bool = False
    codes: Mapping[str, str] = field(default_factory=dict)
    answer_to: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


class Verdict(StrEnum):
    """What a message is worth."""

    ACCEPTED = "accepted"
    WITH_WARNINGS = "accepted-with-warnings"
    REFUSED = "refused"


class Signature(StrEnum):
    """What is known of a message's signature: it has none; it was not looked at; it is by one of the source's
    certificates; it is not."""

    NONE = "none"
    UNCHECKED = "unchecked"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Judged:
    """A message as it was understood. `reasons` are sentences, errors first; `alert` is None when it is refused, and
    `named` is then how it calls itself, where that can be read."""

    verdict: Verdict
    reasons: tuple[str, ...]
    alert: Alert | None
    signature: Signature = Signature.NONE
    named: Reference | None = None


class Item(msgspec.Struct, frozen=True):
    """A message as it came. `mark` names the entry of an index that led to it ("" for none); `address`: where it was
    got, for people to see ("" for the source's own address). `proven`: whoever it came through has looked at its
    signature, which is good or not; None where it has its own."""

    document: bytes
    mark: str = ""
    address: str = ""
    proven: bool | None = None


class Shelf(Protocol):
    """Where a source puts what it gets."""

    async def known(self, marks: Sequence[str]) -> frozenset[str]:
        """Those of `marks` whose messages are kept already."""
        ...

    async def keep(self, items: Sequence[Item]) -> int:
        """Keep messages; durable when this returns. How many were new."""
        ...


class Trouble(StrEnum):
    """Why a visit came to nothing."""

    UNREACHABLE = "unreachable"
    INSECURE = "insecure"
    SLOW = "slow"
    TRUNCATED = "truncated"
    TOO_LARGE = "too_large"
    MISLED = "misled"
    DENIED = "denied"
    MISSING = "missing"
    BUSY = "busy"
    BROKEN = "broken"
    NONSENSE = "nonsense"


Memory = Mapping[str, str]
"""What a source wants to be told at its next visit: validators of HTTP, where it was."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A visit that went well: how many messages the source offers, how many of them were new; `remarks` on what is odd
    about it. `memory` replaces the one before."""

    memory: Memory
    offered: int = 0
    new: int = 0
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """A visit that did not: what of it was kept stays. `after`: the seconds that the server asks us to wait; `memory`
    replaces the one before, unless it is None."""

    trouble: Trouble
    reason: str
    after: float | None = None
    memory: Memory | None = None


Visit = Heard | Failed


class Source(Protocol):
    """One configured source, as one process uses it."""

    async def visit(self, shelf: Shelf, memory: Memory) -> Visit:
        """Look once whether there is anything new, and keep it. Never raises for what the other side does."""
        ...

    def messages(self, document: bytes) -> Sequence[bytes]:
        """The messages in a document that was handed to us; `InputError` when it is nothing of this kind."""
        ...

    def judge(self, document: bytes, now: datetime) -> Judged:
        """What a message is worth. Never raises for what is in it; may take seconds, so it is called in a thread."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@runtime_checkable
class Receives(Protocol):
    """A source that calls us at `/callbacks/<its name>`, in its own way."""

    def receive(self, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Sequence[bytes]:
        """The messages of a call; names of headers are in lower case. `UnauthenticatedError` for a caller who does not
        prove itself, `InputError` for nonsense."""
        ...


@runtime_checkable
class Behind(Protocol):
    """A source whose messages are orders of a platform above us: they come to the door of a gateway."""

    gateway: str


@runtime_checkable
class SourcePlugin(Protocol):
    """What an entry point leads to."""

    kind: str

    def build(self, settings: SourceSettings) -> Source:
        """A source; connects to nothing. `SettingsError` when a setting is wrong."""
        ...
