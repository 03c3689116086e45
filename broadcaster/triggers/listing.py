"""What pages and commands read of stations and their readings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from broadcaster.database import Connection
from broadcaster.errors import NotFoundError
from broadcaster.triggers.sql import SQL
from broadcaster.triggers.station import Station, read_limits


@dataclass(frozen=True, slots=True)
class Latest:
    """What one series said last; `verdict` as `quality.Verdict`."""

    series: int
    element: str
    at: datetime
    value: float
    verdict: int


@dataclass(frozen=True, slots=True)
class Point:
    """One reading of a course."""

    at: datetime
    value: float
    verdict: int


@dataclass(frozen=True, slots=True)
class Silent:
    """A station that reports no more."""

    id: int
    code: str
    name: str
    silent_since: datetime
    heard_at: datetime


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody who reports without being registered."""

    code: str
    source: str
    readings: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Listener:
    """An entry of the settings, as the process that has it tells."""

    name: str
    owner: str | None
    held: bool | None
    trouble: str
    since: datetime | None
    readings: int


async def stations(
    connection: Connection, scopes: Sequence[str], *, words: str = "", after: str = "", most: int = 100
) -> list[Station]:
    """Stations in the regions `scopes`, by code."""
    rows = await connection.fetch(SQL["stations"], list(scopes), words.strip().casefold(), after, most)
    return [_station(row) for row in rows]


async def station(connection: Connection, number: int, scopes: tuple[str, ...]) -> Station:
    """One of them; `NotFoundError` also for one outside of `scopes`."""
    row = await connection.fetchrow(SQL["station"], number)
    if row is None or not row["region_code"].startswith(scopes):
        raise NotFoundError("没有编号为 %(number)s 的测站。", remedy="请从测站列表中选择。", number=number)
    return _station(row)


async def latest(connection: Connection, stations: Iterable[int]) -> dict[int, list[Latest]]:
    """What their series said last, by station."""
    found: dict[int, list[Latest]] = {}
    for row in await connection.fetch(SQL["latest"], list(stations)):
        one = Latest(row["id"], row["element"], row["last_at"], row["last_value"], row["last_verdict"])
        found.setdefault(row["station_id"], []).append(one)
    return found


async def course(connection: Connection, series: int, start: datetime, end: datetime, most: int = 5000) -> list[Point]:
    """The readings of a series after `start`, up to `end`, oldest first."""
    rows = await connection.fetch(SQL["course"], series, start, end, most)
    return [Point(**row) for row in reversed(rows)]


async def silent(connection: Connection, scopes: Sequence[str], most: int = 50) -> list[Silent]:
    """The stations that have fallen silent, the latest first."""
    return [Silent(**row) for row in await connection.fetch(SQL["silent"], list(scopes), most)]


async def ahead(connection: Connection, stations: Sequence[Station] | Sequence[Silent], now: datetime) -> set[int]:
    """The numbers of those that are silent because their clocks are ahead: what they report is of a time to come."""
    silent = [one.id for one in stations if one.silent_since is not None]
    if not silent:
        return set()
    return {row["station_id"] for row in await connection.fetch(SQL["ahead"], silent, now)}


async def strangers(connection: Connection, most: int = 50) -> list[Stranger]:
    """Who reports without being registered, the latest first."""
    return [Stranger(**row) for row in await connection.fetch(SQL["strangers"], most)]


async def listeners(connection: Connection, names: Sequence[str]) -> list[Listener]:
    """How the entries of the settings fare."""
    return [Listener(**row) for row in await connection.fetch(SQL["listeners"], list(names))]


def _station(row: Any) -> Station:
    return msgspec.convert({**row, "limits": read_limits(row["limits"]), "clusters": tuple(row["clusters"])}, Station)
