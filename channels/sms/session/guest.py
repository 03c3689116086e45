"""A connection that the gateway opened to us: it asks to be let in, then brings reports and replies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from channels.sms.session.connection import Connection
from channels.sms.session.events import (
    Alive,
    Asked,
    Dialect,
    Farewell,
    Knocks,
    Reported,
    Said,
    WireError,
)

KNOCK = 128
"""Octets of a frame from somebody who is not let in yet."""

KNOCK_WITHIN = 10.0
"""Seconds for asking to be let in."""

REFUSE_AFTER = 1.0
"""Seconds until somebody is told that he is not let in: guessing takes time."""


class Host(Protocol):
    """Who receives guests."""

    def arrived(self, guest: Guest) -> bool:
        """Somebody is at the door; whether to hear what he wants."""
        ...

    def admitted(self, guest: Guest) -> Callable[[Reported | Said], None] | None:
        """His word was good; what takes what he brings, None where there is no room."""
        ...

    def refused(self, guest: Guest, why: str) -> None:
        """He is not let in."""
        ...

    def left(self, guest: Guest) -> None:
        """The connection is over."""
        ...


class Guest(Connection):
    """One such connection, from the machine `address`. Before it is let in, nothing that it says is longer than a
    sign-in, or believed."""

    def __init__(self, dialect: Dialect, quiet: float, host: Host) -> None:
        super().__init__(dialect.shortest, KNOCK, quiet)
        self._dialect = dialect
        self._host = host
        self.address = ""
        self._incoming: Callable[[Reported | Said], None] | None = None
        self._refused = False
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if peer := transport.get_extra_info("peername"):
            self.address = str(peer[0])
        if not self._host.arrived(self):
            self.end("not expected")
            return
        self._patience = self._loop.call_later(KNOCK_WITHIN, self.end, "has not asked to be let in")

    def connection_lost(self, problem: Exception | None) -> None:
        self.end(f"connection lost: {problem or 'closed by the gateway'}")

    def over(self, reason: str) -> None:  # noqa: ARG002 (its host tells about refusals, not about partings)
        if self._patience is not None:
            self._patience.cancel()
        self._host.left(self)

    def take(self, frame: bytes) -> None:
        if self._refused:
            return
        event, incoming = self._dialect.read(frame), self._incoming
        match event:
            case Knocks(answer, why):
                self._knocked(answer, why)
            case Farewell(answer):
                self.write(answer)
                self.end("the gateway said good-bye")
            case _ if incoming is None:
                raise WireError("something before the sign-in")
            case Reported() | Said():
                incoming(event)
            case Asked(answer):
                self.write(answer)
            case Alive():
                pass
            case _:
                raise WireError("an answer to nothing")

    def _knocked(self, answer: bytes, why: str) -> None:
        if why:
            self._refused = True
            self.hold(True)
            self._host.refused(self, why)
            self._loop.call_later(REFUSE_AFTER, self._turn_away, answer)
            return
        if self._incoming is None:
            self._incoming = self._host.admitted(self)
            if self._incoming is None:
                self.end("no room")
                return
            self._longest = self._dialect.longest
            if self._patience is not None:
                self._patience.cancel()
        self.write(answer)

    def _turn_away(self, answer: bytes) -> None:
        self.write(answer)
        self.end("not let in")
