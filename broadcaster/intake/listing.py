"""What was received, as people look for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from broadcaster.database import Connection
from broadcaster.errors import NotFoundError
from broadcaster.intake import words
from broadcaster.intake.sql import SQL
from broadcaster.sources import SourceSettings

LAST_NUMBER = 2**63 - 1
RECENTLY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as a list shows it. `verdict` "" and `state` new: nobody has judged it yet. `alert_id` is the alert
    that its draft has become."""

    id: int
    source: str
    received_at: datetime
    state: str
    verdict: str
    signature: str
    identifier: str
    sender: str
    sent_at: datetime | None
    status: str
    msg_type: str
    hazard: str
    colour: str
    headline: str
    area: str
    expires_at: datetime | None
    regions: tuple[str, ...]
    place: str
    note: str
    same_as: int | None
    draft_key: str | None
    reasons: tuple[str, ...]
    handled_at: datetime | None
    handled_by: str
    address: str
    refers: tuple[str, ...]
    alert_id: int | None
    size: int

    @property
    def actual(self) -> bool:
        """Whether it is no drill and no test."""
        return self.status == "Actual"


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same again."""

    id: int
    source: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How a source fares. `visited_at` None: nobody has visited it yet. `counts`: messages of the last day by state."""

    settings: SourceSettings
    next_at: datetime | None = None
    failures: int = 0
    trouble: str = ""
    reason: str = ""
    remarks: tuple[str, ...] = ()
    since: datetime | None = None
    visited_at: datetime | None = None
    heard_at: datetime | None = None
    offered: int = 0
    kept: int = 0
    visiting: bool = False
    counts: tuple[tuple[str, int], ...] = ()


async def incoming(
    connection: Connection,
    scopes: Sequence[str],
    district: str,
    *,
    before: int = LAST_NUMBER,
    state: str = "",
    source: str = "",
    limit: int = 50,
) -> list[Incoming]:
    """The latest messages that touch one of `scopes` (code prefixes), before the number `before`; what has no place
    here belongs to the district as a whole."""
    rows = await connection.fetch(SQL["list"], before, state, source, list(scopes), limit, district)
    return [_incoming(dict(row)) for row in rows]


async def one(connection: Connection, number: int) -> tuple[Incoming, bytes]:
    """A message and its document; `NotFoundError` when there is none."""
    row = await connection.fetchrow(SQL["one"], number)
    if row is None:
        raise NotFoundError("没有收到过编号为 %(number)s 的消息。", remedy="请从列表中重新选择。", number=number)
    values = dict(row)
    document = bytes(values.pop("document"))
    return _incoming(values), document


async def repeats(connection: Connection, number: int) -> list[Repeat]:
    """The messages that said the same later."""
    return [Repeat(**row) for row in await connection.fetch(SQL["repeats"], number)]


async def waiting(connection: Connection) -> int:
    """How many messages wait for an officer, counted up to 100."""
    found: int = await connection.fetchval(SQL["count_waiting"])
    return found


async def statuses(connection: Connection, sources: Sequence[SourceSettings], now: datetime) -> list[SourceStatus]:
    """How each of `sources` fares, in their order."""
    rows = await connection.fetch(SQL["states"], [settings.name for settings in sources])
    known = {row["name"]: {**row, "remarks": tuple(row["remarks"])} for row in rows}
    counts: dict[str, list[tuple[str, int]]] = {}
    for row in await connection.fetch(SQL["counts"], now - RECENTLY):
        counts.setdefault(row["source"], []).append((row["state"], row["messages"]))
    found = []
    for settings in sources:
        values = {key: value for key, value in known.get(settings.name, {}).items() if key != "name"}
        found.append(SourceStatus(settings, **values, counts=tuple(sorted(counts.get(settings.name, ())))))
    return found


def _incoming(values: dict[str, Any]) -> Incoming:
    note, reasons = words.read(values.pop("words"), values["note"], values["reasons"])
    lists = {name: tuple(values[name]) for name in ("regions", "refers")}
    return Incoming(**{**values, **lists, "note": note, "reasons": reasons})
