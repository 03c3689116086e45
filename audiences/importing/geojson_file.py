"""GeoJSON (RFC 7946) region outlines: a FeatureCollection whose features name their code and name in `properties`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from audiences.errors import FileError

MAX_BYTES = 64 << 20
MAX_POSITIONS = 200_000

OUTLINE = "边界为 Polygon 或 MultiPolygon；每个环至少 4 个位置且首尾相同，位置为 [经度, 纬度]"


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: its place in the file (from 1), its properties as text, and its geometry as it stands."""

    number: int
    properties: Mapping[str, str]
    geometry: object


def features(path: Path) -> Iterator[Feature]:
    """The features of the file; FileError when there is none, or it is too large, no JSON, or no FeatureCollection."""
    if not path.is_file():
        raise FileError(f"没有这个文件：{path}。", remedy="请检查路径。")
    if path.stat().st_size > MAX_BYTES:
        raise FileError(f"GeoJSON 文件超过 {MAX_BYTES >> 20} MB。", remedy="请按乡镇拆分，或简化边界。")
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FileError("这不是有效的 JSON 文件（须为 UTF-8）。", remedy="请重新导出为 GeoJSON。") from error
    found = document.get("features") if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise FileError("GeoJSON 须为 FeatureCollection，内有 features 列表。", remedy="请重新导出为 GeoJSON。")
    for number, feature in enumerate(found, start=1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict):
            yield Feature(number, {}, None)
            continue
        written = {_text(key): _text(value) for key, value in properties.items() if value is not None}
        yield Feature(number, written, feature.get("geometry"))


def outline(geometry: object) -> dict[str, object] | None:
    """The geometry, checked and without extras; None for null. ValueError when it is no outline."""
    if geometry is None:
        return None
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise ValueError(OUTLINE)
    coordinates = geometry.get("coordinates")
    polygons = [coordinates] if geometry["type"] == "Polygon" else coordinates
    if not isinstance(polygons, list) or not polygons:
        raise ValueError(OUTLINE)
    checked = [[_ring(ring) for ring in _list(polygon)] for polygon in polygons]
    if sum(len(ring) for polygon in checked for ring in polygon) > MAX_POSITIONS or not all(checked):
        raise ValueError(OUTLINE)
    return {"type": geometry["type"], "coordinates": checked[0] if geometry["type"] == "Polygon" else checked}


def middle(shape: Mapping[str, Any]) -> tuple[float, float]:
    """The centroid of the largest outer ring, (lon, lat) to 6 decimals."""
    polygons = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
    return _centroid(max((polygon[0] for polygon in polygons), key=lambda ring: abs(_doubled_area(ring))))


def _list(value: object) -> list[object]:
    if not isinstance(value, list) or not value:
        raise ValueError(OUTLINE)
    return value


def _ring(ring: object) -> list[list[float]]:
    positions = [_position(position) for position in _list(ring)]
    if len(positions) < 4 or positions[0] != positions[-1] or _doubled_area(positions) == 0:
        raise ValueError(OUTLINE)
    return positions


def _position(position: object) -> list[float]:
    match position:
        case [int() | float() as lon, int() | float() as lat, *_] if abs(lon) <= 180 and abs(lat) <= 90:
            return [float(lon), float(lat)]
    raise ValueError(OUTLINE)


def _doubled_area(ring: list[list[float]]) -> float:
    (x, y) = ring[0]
    return sum((a[0] - x) * (b[1] - y) - (b[0] - x) * (a[1] - y) for a, b in pairwise(ring))


def _centroid(ring: list[list[float]]) -> tuple[float, float]:
    """Reckoned from the first corner, so that nothing is lost by taking large numbers from each other."""
    (x, y), doubled = ring[0], _doubled_area(ring)
    lon = lat = 0.0
    for a, b in pairwise(ring):
        cross = (a[0] - x) * (b[1] - y) - (b[0] - x) * (a[1] - y)
        lon += (a[0] + b[0] - 2 * x) * cross
        lat += (a[1] + b[1] - 2 * y) * cross
    return round(x + lon / (3 * doubled), 6), round(y + lat / (3 * doubled), 6)


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")  # no database keeps halves of characters
