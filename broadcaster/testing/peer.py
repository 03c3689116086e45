"""The other end of a driver, as the contract kit needs it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from broadcaster.ports import GatewaySettings, Message


class Mood(StrEnum):
    """How a peer is told to treat what comes next."""

    WILLING = "willing"  # takes everything, sends a receipt soon
    SLOW = "slow"  # the same, but answers only after a while (0.1 s to 1 s)
    THROTTLING = "throttling"  # takes nothing: "not now"
    CUTTING = "cutting"  # takes some, then breaks the connection without an answer
    SILENT = "silent"  # takes some, then says nothing any more and leaves the connection open
    BABBLING = "babbling"  # answers with something that is not its protocol


class Peer(Protocol):
    """A gateway that can be told how to behave: the rehearsal, a sandbox, a fake that speaks the real protocol.

    `gateway` leads to it, with a window of at least 1 and the shortest waits that the driver allows: the kit waits up
    to `patience` seconds for a promise to come true. `nowhere` is the same gateway where nobody listens. `moods` are
    those that it can play.
    """

    gateway: GatewaySettings
    nowhere: GatewaySettings
    moods: frozenset[Mood]
    patience: float
    message: Message
    bad_address: str

    def addresses(self, count: int) -> Sequence[str]:
        """So many addresses that the gateway takes, all different."""
        ...

    async def play(self, mood: Mood) -> None:
        """Behave like this from now on."""
        ...

    async def taken(self) -> Sequence[str]:
        """The client reference (`str(key)`) of every message it took so far, each time; "" where it got none."""
        ...

    async def unacknowledged(self) -> int | None:
        """How many receipts and replies it has for us that we have not acknowledged; None where its protocol knows no
        acknowledgement, because the driver itself sees what comes of a message."""
        ...

    async def say(self, address: str, text: str) -> str:
        """Have somebody write back; the id of what they wrote, "" where the protocol has none."""
        ...

    async def hang_up(self) -> None:
        """Break the driver's connection now."""
        ...
