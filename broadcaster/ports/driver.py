"""What a driver implements, and what it may implement besides; the core asks by `isinstance`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from broadcaster.ports.evidence import Inbox
from broadcaster.ports.gateway import Capabilities
from broadcaster.ports.message import DeliveryKey, Envelope
from broadcaster.ports.outcome import Outcome


class Driver(Protocol):
    """One connection (slot) of one gateway."""

    capabilities: Capabilities

    async def open(self, inbox: Inbox) -> None:
        """Connect and sign in; what comes back from now on goes to `inbox`. Raises `UnavailableError`."""
        ...

    def send(self, batch: Sequence[Envelope]) -> AsyncIterator[Outcome]:
        """Send each envelope once; yield one outcome for each, in any order, never raising for a single message."""
        ...

    async def close(self) -> None:
        """Finish what is in flight, say good-bye, disconnect. Never raises."""
        ...


@runtime_checkable
class Streams(Protocol):
    """A driver with a long-lived connection: it can tell when that ends, also while nothing is being sent."""

    async def lost(self) -> str:
        """Return, with the reason, once there is no connection (any more)."""
        ...


class Sent(msgspec.Struct, frozen=True, gc=False):
    """A message that the gateway has: its `key`, the gateway's own `ref` of it ("" unknown) and its `address`."""

    key: DeliveryKey
    ref: str
    address: str


@runtime_checkable
class Recalls(Protocol):
    """A driver that can stop what it has handed over: a broadcast that plays or waits, a call that rings or speaks."""

    async def recall(self, sent: Sequence[Sent]) -> None:
        """Have the gateway stop these, at most a thousand and all of one alert; returns when it was told. What is over,
        or not known there, is none of its business. It is called again after a fault or a crash, also with what was
        recalled before, and by the driver of whichever connection stands; of a gateway with several slots in every
        process that has one, so that what is a process's own (a call, a sound) is stopped there. Raises
        `UnavailableError` when the gateway cannot be told now."""
        ...


@runtime_checkable
class Weighs(Protocol):
    """A driver whose gateway counts some messages as several against the account's rate: texts in parts."""

    def weight(self, envelope: Envelope) -> int:
        """What it counts, 1 at the least."""
        ...


@runtime_checkable
class Occupies(Protocol):
    """A driver whose messages go on after they were accepted: a call holds its line until it is over. The dispatcher
    gives it no more than it has room for, and takes a full one for busy, not for silent."""

    def free(self) -> int:
        """How many more messages could be begun now; one counts from the moment that `send` is asked for its first
        outcome."""
        ...

    def when_freed(self, call: Callable[[], None]) -> None:
        """Call it whenever there is room again."""
        ...
