"""A gateway's conversation log: the last exchanges, so that a fault at three in the morning is seen, not guessed.

They are kept in the memory of the process that has the connection, and told to the database with its signs of life, so
that the pages of another process show them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from broadcaster.clock import Clock
from broadcaster.database import Connection

LINES = 200
WIDTH = 500

TOLD = 60
"""Lines of one gateway that a process tells."""

KEPT = "1 day"
"""How long what a process told is kept after it told last."""


@dataclass(frozen=True, slots=True)
class Line:
    """One exchange: `direction` is → sent, ← received, ! fault; the driver has redacted `text`."""

    at: datetime
    direction: str
    text: str


class GatewayJournal:
    """The last lines of one gateway; bounded in number and width."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: deque[Line] = deque(maxlen=LINES)
        self.noted = 0
        """How many lines there ever were."""

    def note(self, direction: str, text: str) -> None:
        self._lines.append(Line(self._clock.now(), direction, text[:WIDTH]))
        self.noted += 1

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(self._lines)


class Telling:
    """Tells the database what one process's journals hold, each when it has something new."""

    def __init__(self, journals: Mapping[str, GatewayJournal]) -> None:
        self._journals = journals
        self._told: dict[str, int] = {}

    async def __call__(self, connection: Connection, process: str) -> None:
        for gateway, journal in sorted(self._journals.items()):
            noted = journal.noted
            if noted == self._told.get(gateway, 0):
                continue
            lines = [
                Line(line.at, line.direction, line.text.replace("\0", "").encode("utf-8", "replace").decode("utf-8"))
                for line in journal.lines[-TOLD:]
            ]
            await connection.execute(
                """
                INSERT INTO gateway_exchange (process, gateway, lines) VALUES ($1, $2, $3::text::jsonb)
                ON CONFLICT (process, gateway) DO UPDATE SET lines = excluded.lines, told_at = clock_timestamp()
                """,
                process,
                gateway,
                msgspec.json.encode(lines).decode(),
            )
            self._told[gateway] = noted
        await connection.execute(f"DELETE FROM gateway_exchange WHERE told_at < clock_timestamp() - interval '{KEPT}'")


async def exchanges(connection: Connection, gateway: str, most: int = TOLD) -> list[Line]:
    """The last lines of a gateway, whichever process had them, the newest first."""
    rows = await connection.fetch("SELECT lines::text AS lines FROM gateway_exchange WHERE gateway = $1", gateway)
    told = [line for row in rows for line in reversed(msgspec.json.decode(row["lines"], type=list[Line]))]
    return sorted(told, key=lambda line: line.at, reverse=True)[:most]  # keeps the order of what is of one moment
