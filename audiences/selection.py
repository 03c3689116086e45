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
# Above this many selected households the planner's fixed guess for shapes (0.1 % of the table) is wrong enough to
# make a probe per household slower than reading the contacts through.
MANY_HOUSEHOLDS = 20_000


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
    """How many a selection covers. `vulnerable` are households with a risk below 100."""

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


async def villages(connection: asyncpg.Connection, selection: Selection) -> list[tuple[str, int]]:
    """The villages (12 digits) that hold selected households, and how many, by code.

    Households that are known only down to a town or county count under that shorter code.
    """
    condition, parameters = where(selection)
    rows = await connection.fetch(
        f"SELECT left(h.region_code, 12) AS village, count(*) AS households FROM household h"
        f" WHERE {condition} GROUP BY 1 ORDER BY 1",
        *parameters,
    )
    return [(row["village"], row["households"]) for row in rows]


async def count(connection: asyncpg.Connection, selection: Selection, at: datetime) -> Counts:
    """Everything a duty officer wants to know before issuing; duty holders are those on duty at `at`."""
    async with connection.transaction():
        households, vulnerable = await _households(connection, selection)
        if households > MANY_HOUSEHOLDS:
            await connection.execute("SET LOCAL enable_nestloop = off")
        contacts, people = await _of_households(connection, selection)
        await connection.execute("SET LOCAL enable_nestloop TO DEFAULT")
        return Counts(
            households=households,
            people=people,
            vulnerable=vulnerable,
            terminals=await _terminals(connection, selection),
            duty_holders=await _duty_holders(connection, selection, at),
            contacts=contacts,
        )


async def _households(connection: asyncpg.Connection, selection: Selection) -> tuple[int, int]:
    condition, parameters = where(selection)
    row = await connection.fetchrow(
        f"SELECT count(*) AS households, count(*) FILTER (WHERE h.risk < 100) AS vulnerable"
        f" FROM household h WHERE {condition}",
        *parameters,
    )
    return row["households"], row["vulnerable"]


async def _of_households(connection: asyncpg.Connection, selection: Selection) -> tuple[dict[str, int], int]:
    condition, parameters = where(selection)
    chosen = f"WITH chosen AS MATERIALIZED (SELECT h.id FROM household h WHERE {condition})"
    contacts = await connection.fetch(
        f"{chosen} SELECT c.medium, count(*) AS contacts FROM contact c JOIN chosen ON chosen.id = c.household_id"
        f" WHERE c.active GROUP BY c.medium ORDER BY c.medium",
        *parameters,
    )
    people = await connection.fetchval(
        f"{chosen} SELECT count(*) FROM person p JOIN chosen ON chosen.id = p.household_id", *parameters
    )
    return {row["medium"]: row["contacts"] for row in contacts}, people


async def _terminals(connection: asyncpg.Connection, selection: Selection) -> int:
    parameters = _Parameters(1)
    condition = _place(selection, "t", "region_code", parameters)
    return int(
        await connection.fetchval(f"SELECT count(*) FROM terminal t WHERE t.active AND {condition}", *parameters.values)
    )


async def _duty_holders(connection: asyncpg.Connection, selection: Selection, at: datetime) -> int:
    """People on duty in a region that is selected, whose middle lies in a shape, or where selected homes are."""
    parameters = _Parameters(1)
    middle = _place(selection, "r", "code", parameters)
    condition = f"SELECT r.code FROM region r WHERE {middle}"
    if selection.polygons or selection.circles:
        homes = _place(selection, "h", "region_code", parameters)
        condition += (
            f" UNION SELECT h.region_code FROM household h WHERE h.active AND {homes}"
            f" UNION SELECT left(h.region_code, 12) FROM household h WHERE h.active AND {homes}"
        )
    roles = f" AND d.role = ANY({parameters.add(sorted(selection.roles))}::text[])" if selection.roles else ""
    moment = parameters.add(at)
    return int(
        await connection.fetchval(
            f"SELECT count(DISTINCT d.person_id) FROM duty d WHERE d.region_code IN ({condition}){roles}"
            f" AND d.valid_from <= {moment} AND (d.valid_to IS NULL OR d.valid_to > {moment})",
            *parameters.values,
        )
    )


def _place(selection: Selection, alias: str, code_column: str, parameters: _Parameters) -> str:
    """The condition that a row with a region code, `lon` and `lat` lies in any of the selection's places."""
    point = f"point({alias}.lon, {alias}.lat)"
    places = [_in_region(f"{alias}.{code_column}", code, parameters.add) for code in _outermost(selection.regions)]
    places += [f"{point} <@ {parameters.add(asyncpg.Polygon(*ring))}::polygon" for ring in selection.polygons]
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
