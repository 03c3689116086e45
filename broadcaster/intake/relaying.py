"""What the intake asks of whoever can send something out by itself: it stands above, with the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from broadcaster.alerts.alert import MsgType
from broadcaster.alerts.automatic import Deed
from broadcaster.alerts.drafts import Draft
from broadcaster.database import Connection
from broadcaster.intake.deciding import Decided


@dataclass(frozen=True, slots=True)
class Relayed:
    """What came of it: `issued` is the alert that is out now, to be announced once that is committed; `sent`: it is, or
    is held; `note` says what has happened, or why it has not."""

    note: str
    issued: int | None = None
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Passing:
    """A draft that is to go out, at once or after a while: of which message, by which source."""

    incoming: int
    source: str
    identifier: str
    msg_type: MsgType
    draft: Draft
    decided: Decided


class Relay(Protocol):
    """Sends out what sources may send out, within the caller's transaction."""

    async def pass_on(self, connection: Connection, passing: Passing) -> Relayed:
        """Make the draft an alert and send it out, or hold it. Where the rules of an alert's life stand in the way, the
        draft stays one, and an officer is told at once."""
        ...

    async def withdraw(self, connection: Connection, source: str, identifiers: Sequence[str]) -> bool:
        """Hold what this source said under these identifiers no more, if any of it is held; it stays a draft."""
        ...

    async def miss(self, connection: Connection, source: str, identifiers: Sequence[str]) -> None:
        """Nothing goes out in the place of what was just withdrawn: an officer is told at once."""
        ...

    async def held(self, connection: Connection, identifiers: Sequence[str]) -> bool:
        """Whether anything that was said under these identifiers, by whomever, is held."""
        ...

    async def went_out(self, connection: Connection, source: str, alert_id: int) -> Deed | None:
        """How an alert went out that this source's message has become by itself; None for any other."""
        ...

    async def announce(self, alert_id: int) -> None:
        """Make the workers look at what is out; it is committed."""
        ...
