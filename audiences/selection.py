"""Who an alert is for: a rule over regions, shapes and tags, never a stored list of ids.

Coordinates are (lon, lat) degrees, WGS 84, as in GeoJSON; CAP writes "lat,lon", and whoever reads CAP turns them round.
A household is selected when it lies in any of the regions, polygons or circles, and carries any of the tags (no tags
given: all). An empty selection selects nobody. Points on a polygon's edge are inside; a self-crossing ring encloses
what it winds round (PostgreSQL's `point <@ polygon`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from audiences.records import Level, Role

Position = tuple[float, float]
Ring = tuple[Position, ...]
Circle = tuple[float, float, float]

# CAP 1.2 gives circles in kilometres; this is the mean radius of WGS 84 (IUGG).
EARTH_RADIUS_KM = 6371.0088
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Selection:
    """Region codes (prefixes of 6, 9, 12 or 15 digits), polygon rings, circles (lon, lat, km), tags and roles.

    `roles` narrows only the duty holders that belong to the audience (none given: all); it never drops a household.
    ValueError for a code that is no region code, a ring of fewer than three corners, or a position off the globe.
    """

    regions: tuple[str, ...] = ()
    polygons: tuple[Ring, ...] = ()
    circles: tuple[Circle, ...] = ()
    tags: frozenset[str] = frozenset()
    roles: frozenset[Role] = frozenset()

    def __post_init__(self) -> None:
        for code in self.regions:
            if not (code.isascii() and code.isdigit()):
                raise ValueError(f"{code!r} is no region code: 6, 9, 12 or 15 digits.")
            Level.of(code)
        for ring in self.polygons:
            if len(set(ring)) < 3:
                raise ValueError("A polygon needs three different corners.")
            for position in ring:
                _require_on_globe(*position)
        for lon, lat, km in self.circles:
            _require_on_globe(lon, lat)
            if not (math.isfinite(km) and km >= 0):
                raise ValueError("A circle's radius is a number of kilometres, not negative.")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many a selection covers: people as far as their number is known, `vulnerable` households (risk below 100)."""

    households: int
    people: int
    vulnerable: int
    terminals: int
    duty_holders: int
    contacts: Mapping[str, int] = field(default_factory=dict)


class _Parameters:
    """Collects values and hands out their `$n`."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.values: list[Any] = []

    def add(self, value: object) -> str:
        self.values.append(value)
        return f"${self.first + len(self.values) - 1}"


def where(selection: Selection, first_parameter: int = 1) -> tuple[str, list[Any]]:
    """A condition over `household h`, and its parameters, numbered from `first_parameter`; `h.active` is included."""
    parameters = _Parameters(first_parameter)
    conditions = ["h.active", _place(selection, "h", "region_code", parameters)]
    if selection.tags:
        conditions.append(f"h.tags && {parameters.add(sorted(selection.tags))}::text[]")
    return " AND ".join(conditions), parameters.values


def where_terminal(selection: Selection, first_parameter: int = 1) -> tuple[str, list[Any]]:
    """The same over `terminal t`: tags belong to homes and narrow no loudspeaker."""
    parameters = _Parameters(first_parameter)
    return f"t.active AND {_place(selection, 't', 'region_code', parameters)}", parameters.values


async def villages(connection: asyncpg.Connection, selection: Selection) -> list[tuple[str, int]]:
    """The villages (12 digits) that hold selected households, and how many: those with the most at risk first.

    Households that are known only down to a town or county count under that shorter code.
    """
    found: dict[str, tuple[int, int]] = {}
    for home in await _by_region(connection, selection):
        households, risk = found.get(home["code"][:12], (0, 0))
        found[home["code"][:12]] = households + home["households"], risk + home["at_risk"]
    ordered = sorted(found.items(), key=lambda item: (-item[1][1], item[0]))
    return [(village, households) for village, (households, _) in ordered]


async def count(connection: asyncpg.Connection, selection: Selection, at: datetime) -> Counts:
    """Everything a duty officer wants to know before issuing; duty holders are those on duty at `at`."""
    async with connection.transaction():
        regions = await _by_region(connection, selection)
        condition, parameters = where_terminal(selection)
        return Counts(
            households=sum(row["households"] for row in regions),
            people=sum(row["people"] for row in regions),
            vulnerable=sum(row["vulnerable"] for row in regions),
            terminals=await connection.fetchval(f"SELECT count(*) FROM terminal t WHERE {condition}", *parameters),
            duty_holders=await _duty_holders(connection, selection, {row["code"] for row in regions}, at),
            contacts=await _contacts(connection, selection, regions),
        )


async def _by_region(connection: asyncpg.Connection, selection: Selection) -> list[asyncpg.Record]:
    """The selected households, summed over each region code that is theirs (mostly grids)."""
    condition, parameters = where(selection)
    rows: list[asyncpg.Record] = await connection.fetch(
        "SELECT h.region_code AS code, count(*) AS households, sum(h.size) AS people,"
        " count(*) FILTER (WHERE h.risk < 100) AS vulnerable, sum(100 - h.risk) AS at_risk"
        f" FROM household h WHERE {condition} GROUP BY h.region_code",
        *parameters,
    )
    return rows


async def _contacts(
    connection: asyncpg.Connection, selection: Selection, regions: list[asyncpg.Record]
) -> dict[str, int]:
    """The active contacts of the selected households, by medium.

    Regions that are selected whole are counted from the contacts' own region codes, without a look at any household;
    only the homes of regions that the selection cuts through are joined with their contacts.
    """
    chosen = {row["code"]: row["households"] for row in regions}
    whole = set(chosen)
    if selection.tags:  # hardly any region will be selected whole
        whole = set()
    elif selection.polygons or selection.circles:
        totals = await connection.fetch(
            "SELECT h.region_code AS code, count(*) AS households FROM household h"
            " WHERE h.active AND h.region_code = ANY($1::text[]) GROUP BY h.region_code",
            sorted(chosen),
        )
        whole = {row["code"] for row in totals if row["households"] == chosen[row["code"]]}
    condition, parameters = where(selection, first_parameter=3)
    rows = await connection.fetch(
        f"""
        SELECT medium, sum(contacts)::bigint AS contacts FROM (
            SELECT c.medium, count(*) AS contacts FROM contact c
            WHERE c.active AND c.household_id IS NOT NULL AND c.region_code = ANY($1::text[]) GROUP BY c.medium
            UNION ALL
            SELECT c.medium, -count(*) FROM household h JOIN contact c ON c.household_id = h.id AND c.active
            WHERE NOT h.active AND h.region_code = ANY($1::text[]) GROUP BY c.medium
            UNION ALL
            SELECT c.medium, count(*) FROM household h JOIN contact c ON c.household_id = h.id AND c.active
            WHERE ($2::text[] IS NULL OR h.region_code = ANY($2)) AND {condition} GROUP BY c.medium
        ) AS counted GROUP BY medium HAVING sum(contacts) > 0 ORDER BY medium
        """,
        sorted(whole),
        sorted(set(chosen) - whole) if whole else None,
        *parameters,
    )
    return {row["medium"]: row["contacts"] for row in rows}


async def _duty_holders(connection: asyncpg.Connection, selection: Selection, homes: set[str], at: datetime) -> int:
    """People on duty at `at` in a region that is selected, has its middle in a shape, or holds a selected home."""
    parameters = _Parameters(1)
    middle = _place(selection, "r", "code", parameters)
    codes = parameters.add(sorted(homes | {code[: Level.VILLAGE.code_length] for code in homes}))
    moment = parameters.add(at)
    roles = f" AND d.role = ANY({parameters.add(sorted(selection.roles))}::text[])" if selection.roles else ""
    return int(
        await connection.fetchval(
            "SELECT count(DISTINCT d.person_id) FROM duty d"
            f" WHERE d.region_code IN (SELECT r.code FROM region r WHERE {middle} UNION SELECT unnest({codes}::text[]))"
            f" AND d.valid_from <= {moment} AND (d.valid_to IS NULL OR d.valid_to > {moment}){roles}",
            *parameters.values,
        )
    )


def _place(selection: Selection, alias: str, code_column: str, parameters: _Parameters) -> str:
    """The condition that a row with a region code, `lon` and `lat` lies in any of the selection's places."""
    point = f"point({alias}.lon, {alias}.lat)"
    places = [_in_region(f"{alias}.{code_column}", code, parameters.add) for code in _outermost(selection.regions)]
    places += [_in_polygon(alias, point, ring, parameters.add) for ring in selection.polygons]
    places += [_in_circle(alias, point, circle, parameters.add) for circle in selection.circles]
    return f"({' OR '.join(places)})" if places else "FALSE"


def _outermost(codes: tuple[str, ...]) -> list[str]:
    """The codes without those that lie inside another."""
    outermost: list[str] = []
    for code in sorted(set(codes)):
        if not (outermost and code.startswith(outermost[-1])):
            outermost.append(code)
    return outermost


def _in_region(column: str, code: str, add: Callable[[object], str]) -> str:
    """A prefix as a range of the pattern operators: unlike LIKE $1, it uses the index in a generic plan as well."""
    return f"({column} ~>=~ {add(code)} AND {column} ~<~ {add(code + ':')})"


def _in_polygon(alias: str, point: str, ring: Ring, add: Callable[[object], str]) -> str:
    """Inside the ring, behind a box that the index can answer.

    PostgreSQL's geometry takes cross products below 1e-6 for zero; in degrees that blurs a short edge by tens of
    metres, so the exact test is made in millionths of a degree.
    """
    longitudes, latitudes = [lon for lon, _ in ring], [lat for _, lat in ring]
    box = add(asyncpg.Box((max(longitudes), max(latitudes)), (min(longitudes), min(latitudes))))
    scaled = add(asyncpg.Polygon(*((lon * _MICRO, lat * _MICRO) for lon, lat in ring)))
    return f"({point} <@ {box}::box AND point({alias}.lon * {_MICRO}, {alias}.lat * {_MICRO}) <@ {scaled}::polygon)"


def _in_circle(alias: str, point: str, circle: Circle, add: Callable[[object], str]) -> str:
    """Haversine distance, behind a box that the index can answer."""
    lon, lat, km = circle
    box = add(asyncpg.Box(*_corners(lon, lat, km)))
    lon_parameter, lat_parameter, km_parameter = add(lon), add(lat), add(km)
    return (
        f"({point} <@ {box}::box AND 2 * {EARTH_RADIUS_KM} * asin(least(1, sqrt("
        f"sind(({alias}.lat - {lat_parameter}::float8) / 2) ^ 2 + cosd({lat_parameter}::float8) * cosd({alias}.lat)"
        f" * sind(({alias}.lon - {lon_parameter}::float8) / 2) ^ 2))) <= {km_parameter}::float8)"
    )


def _corners(lon: float, lat: float, km: float) -> tuple[Position, Position]:
    """The north-east and south-west corners of a box round a circle; every longitude where it meets a pole or 180°."""
    margin = 1e-6
    angle = km / EARTH_RADIUS_KM
    north, south = lat + math.degrees(angle) + margin, lat - math.degrees(angle) - margin
    sine = math.sin(min(angle, math.pi / 2)) / max(math.cos(math.radians(lat)), 1e-12)
    half_width = math.degrees(math.asin(sine)) + margin if sine < 1 else 360.0
    if north >= 90 or south <= -90 or lon + half_width > 180 or lon - half_width < -180:
        half_width = 360.0
    return (lon + half_width, north), (lon - half_width, south)


def _require_on_globe(lon: float, lat: float) -> None:
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise ValueError(f"({lon}, {lat}) is no position: longitude first, then latitude, in degrees.")
