"""The map of an alert: its villages, or the grids of one of them, as GeoJSON (RFC 7946) that needs no tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from broadcaster.database import Connection
from broadcaster.report.sql import SQL

DECIMALS = 5
"""Of degrees: about a metre."""


@dataclass(frozen=True, slots=True)
class Place:
    """One region of the map; `geometry` is its outline, else its middle as a point, else None."""

    region: str
    name: str
    geometry: dict[str, Any] | None
    counts: tuple[int, int, int] | None = None


async def villages(connection: Connection, alert_id: int) -> list[Place]:
    """Every village of the alert. Their counts are those of its progress."""
    return [Place(row["region"], row["name"], _geometry(row)) for row in await connection.fetch(SQL["map"], alert_id)]


async def grids(connection: Connection, alert_id: int, village: str) -> list[Place]:
    """The grids of one village, with households (all, reached, given up)."""
    return [
        Place(row["region"], row["name"], _geometry(row), (row["total"], row["reached"], row["unreached"]))
        for row in await connection.fetch(SQL["grids"], alert_id, village)
    ]


def collection(places: list[Place]) -> bytes:
    """A FeatureCollection; places that lie nowhere have a null geometry."""
    features = [
        {
            "type": "Feature",
            "id": place.region,
            "properties": {"name": place.name or place.region, "counts": place.counts},
            "geometry": place.geometry,
        }
        for place in places
    ]
    return msgspec.json.encode({"type": "FeatureCollection", "features": features})


def _geometry(row: Any) -> dict[str, Any] | None:
    if row["outline"]:
        outline: dict[str, Any] = msgspec.json.decode(row["outline"])
        return {"type": outline.get("type"), "coordinates": _rounded(outline.get("coordinates"))}
    if row["lon"] is None or row["lat"] is None:
        return None
    return {"type": "Point", "coordinates": _rounded([row["lon"], row["lat"]])}


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(value, DECIMALS) if isinstance(value, float) else value
