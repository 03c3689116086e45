"""Stations of the tests, what they report, and rules that look at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from broadcaster.database import Database
from broadcaster.security.permissions import SYSTEM
from broadcaster.sensing import Reading
from broadcaster.triggers import rules


async def register(
    database: Database,
    code: str,
    region: str,
    *,
    clusters: Sequence[str] = (),
    limits: Mapping[str, Mapping[str, float]] | None = None,
    place: tuple[float, float] | None = None,
    period: int = 300,
) -> int:
    """A station; its id."""
    lon, lat = place or (None, None)
    async with database.connection() as connection:
        number: int = await connection.fetchval(
            "INSERT INTO station (code, name, region_code, kind, clusters, limits, period, lon, lat)"
            " VALUES ($1, $2, $3, 'river', $4, $5::text::jsonb, $6, $7, $8) RETURNING id",
            code,
            f"{code}站",
            region,
            list(clusters),
            msgspec.json.encode(limits or {}).decode(),
            period,
            lon,
            lat,
        )
    return number


def course(
    station: str, element: str, start: datetime, values: Sequence[float], *, minutes: float = 5
) -> list[Reading]:
    """Values one after another, `minutes` apart."""
    step = timedelta(minutes=minutes)
    return [Reading(station, element, start + step * place, value) for place, value in enumerate(values)]


async def put_to_work(database: Database, district: str, name: str, text: str, now: datetime) -> None:
    """A rule, written and at work for real."""
    await rules.save(database, SYSTEM, district, name, text, issuing=(), seen=0, note="", now=now)
    await rules.put_to_work(database, SYSTEM, district, name, 1, "live", now, own=True)
