"""An alert's area as GeoJSON for a small map: its shapes and regions over the outlines of district and towns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from audiences.records import Level
from broadcaster.alerts import areas
from broadcaster.alerts.alert import Alert
from broadcaster.database import Connection

MOST_REGIONS = 300
MOST_POINTS = 20_000
"""Of all outlines together: beyond them regions are shown by their middle."""

_DIGITS = 4  # of a degree: eleven metres
_REGIONS = "SELECT code, name, level, lon, lat, outline FROM region WHERE code = ANY($1::text[]) ORDER BY code LIMIT $2"
_GROUND = """SELECT code, name, level, lon, lat, outline FROM region WHERE starts_with(code, $1) AND level <= $2
ORDER BY code LIMIT $3"""

_NAMES = "SELECT code, name FROM region WHERE code = ANY($1::text[])"

Feature = dict[str, Any]


async def places(connection: Connection, alerts: Sequence[Alert]) -> Mapping[str, str]:
    """From what alerts call their areas to what people call them: a bare region code has the region's name."""
    called = {area.description for alert in alerts for info in alert.infos for area in info.areas}
    codes = [text for text in called if text.isascii() and text.isdigit()]
    names = {row["code"]: row["name"] for row in await connection.fetch(_NAMES, codes)} if codes else {}
    return {text: names.get(text) or text for text in called}


async def outline(connection: Connection, alert: Alert, district: str) -> dict[str, Any]:
    """A FeatureCollection; `role` is area or ground, `radius` (metres) makes a point a circle."""
    codes = sorted({district if district.startswith(code) else code for code in areas.regions(alert)})
    ground = await connection.fetch(_GROUND, district, int(Level.TOWN), MOST_REGIONS)
    chosen = await connection.fetch(_REGIONS, codes, MOST_REGIONS)
    room = _Room(MOST_POINTS)
    found = [
        _feature("area", "", {"type": "Polygon", "coordinates": [_ring(ring, room)]}) for ring in areas.polygons(alert)
    ]
    for circle in areas.circles(alert):
        point = _feature("area", "", {"type": "Point", "coordinates": [circle.lon, circle.lat]})
        point["properties"]["radius"] = circle.km * 1000
        found.append(point)
    found += filter(None, (_region("area", row, room) for row in chosen))
    found = [*filter(None, (_region("ground", row, room) for row in ground)), *found]
    return {"type": "FeatureCollection", "features": found}


class _Room:
    """How many points may still be drawn."""

    def __init__(self, points: int) -> None:
        self.points = points


def _region(role: str, row: Mapping[str, Any], room: _Room) -> Feature | None:
    shape = msgspec.json.decode(row["outline"]) if row["outline"] else None
    if isinstance(shape, dict) and shape.get("type") in ("Polygon", "MultiPolygon") and room.points > 0:
        return _feature(role, row["name"], {"type": shape["type"], "coordinates": _plain(shape["coordinates"], room)})
    if role == "ground" or row["lon"] is None or row["lat"] is None:
        return None
    return _feature(role, row["name"], {"type": "Point", "coordinates": [row["lon"], row["lat"]]})


def _feature(role: str, name: str, geometry: dict[str, Any]) -> Feature:
    return {"type": "Feature", "properties": {"role": role, "name": name}, "geometry": geometry}


def _plain(coordinates: Any, room: _Room) -> Any:
    if coordinates and coordinates[0] and isinstance(coordinates[0][0], (int, float)):
        return _ring(coordinates, room)
    return [_plain(part, room) for part in coordinates]


def _ring(ring: Any, room: _Room) -> list[tuple[float, float]]:
    """Rounded, without points that fall together."""
    plain: list[tuple[float, float]] = []
    for lon, lat, *_ in ring:
        point = (round(float(lon), _DIGITS), round(float(lat), _DIGITS))
        if all(map(math.isfinite, point)) and (not plain or plain[-1] != point):
            plain.append(point)
    room.points -= len(plain)
    return plain
