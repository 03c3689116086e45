"""Where a message applies on our map: by its codes, its shapes, the names of its areas.

Codes of other systems (SAME, EMMA, …) mean nothing here unless the source's settings say what; what is known to lie
elsewhere is told apart from what nobody can place, which an officer has to see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import asyncpg

from audiences.selection import Selection, villages
from broadcaster.alerts import areas
from broadcaster.alerts.alert import Alert, Area, NamedValue
from broadcaster.database import Connection, Database
from broadcaster.phrase import ours

PATIENCE = 20_000
"""Milliseconds for finding the homes inside of a message's shapes: one that takes longer is made to take long."""

SHAPES_MOST, POINTS_MOST = 500, 50_000
"""Shapes and corners of them that are looked at: each shape is a condition of a statement."""

NAMES_MOST = 200
_SEPARATORS = re.compile(r"[、,，;；/\s]+")
_PLAIN = re.compile(r"[^a-z0-9]")
_COUNTRIES = frozenset({"iso3166", "iso31661", "iso31661alpha2", "iso31662", "country"})
_ABROAD = ("same", "fips", "ugc", "nuts", "clc", "profilecapcplocation", "fips6", "fips10", "zip", "warncell")
"""Names of codes that no place in China has, as they begin without punctuation."""


class _TooIntricateError(Exception):
    """More shapes, or more of their corners, than anybody draws."""


class Where(StrEnum):
    """Whether a message applies here."""

    HERE = "here"
    ELSEWHERE = "elsewhere"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Place:
    """`codes` are the regions that its codes and names mean here, `covered` all regions that it touches; `shaped`: its
    shapes touch homes here. `unplaced` describes areas that nobody can place; `guessed`: some of it is placed by what
    it is called."""

    where: Where
    codes: tuple[str, ...] = ()
    covered: tuple[str, ...] = ()
    shaped: bool = False
    unplaced: tuple[str, ...] = ()
    guessed: bool = False

    @property
    def certain(self) -> bool:
        """Whether it is known wholly, and by more than a name."""
        return not (self.unplaced or self.guessed)


@dataclass(frozen=True, slots=True)
class _Codes:
    here: frozenset[str]
    elsewhere: bool
    unplaced: tuple[Area, ...]


async def place(database: Database, alert: Alert, codes: Mapping[str, str], district: str, name: str) -> Place:
    """Where `alert` applies in the district of this code and name; `codes` are the source's own."""
    found = _by_codes(alert, codes, district)
    async with database.transaction() as connection:
        await connection.execute(f"SET LOCAL statement_timeout = {PATIENCE}")
        named, unplaced = await _by_names(connection, found.unplaced, district, name)
        try:
            async with connection.transaction():
                hit, elsewhere = await _by_shapes(connection, alert)
        except (asyncpg.QueryCanceledError, _TooIntricateError):
            hit, elsewhere, unplaced = (), False, (*unplaced, ours("图形过于复杂"))
    inside = tuple(areas.outermost(found.here | named))
    covered = tuple(areas.outermost({*inside, *hit}))
    if covered:
        where = Where.HERE
    elif (found.elsewhere or elsewhere) and not unplaced:
        where = Where.ELSEWHERE
    else:
        where = Where.UNKNOWN
    return Place(where, inside, covered, bool(hit), unplaced, guessed=bool(named))


def _by_codes(alert: Alert, codes: Mapping[str, str], district: str) -> _Codes:
    here: set[str] = set()
    elsewhere, unplaced = False, []
    for area in dict.fromkeys(area for info in alert.infos for area in info.areas):
        meant = [_meaning(code, codes, district) for code in area.geocodes]
        here |= {region for region in meant if region}
        elsewhere |= "" in meant
        if not any(one is not None for one in meant) and not area.polygons and not area.circles:
            unplaced.append(area)
    return _Codes(frozenset(here), elsewhere, tuple(unplaced))


def _meaning(code: NamedValue, codes: Mapping[str, str], district: str) -> str | None:
    """The region here that a geocode means, "" for somewhere else, None where that cannot be said."""
    if own := codes.get(f"{code.name} {code.value}"):
        return own
    kind, value = _PLAIN.sub("", code.name.casefold()), code.value.strip().upper()
    if kind in _COUNTRIES or kind.startswith("emma"):
        whole = kind in _COUNTRIES and value in ("CN", "CHN", "156")
        return district if whole else None if value.startswith("CN") else ""
    if kind.startswith(_ABROAD):
        return ""
    return _meant(code, district)


def _meant(code: NamedValue, district: str) -> str | None:
    """The same for the codes of China's own system."""
    region = areas.region_of(code)
    if areas.is_nation(code) or (region is not None and district.startswith(region)):
        return district
    if region is None:
        return None
    return region if region.startswith(district) else ""


async def _by_names(
    connection: Connection, unplaced: Iterable[Area], district: str, name: str
) -> tuple[frozenset[str], tuple[str, ...]]:
    """The regions that descriptions name, and the descriptions that name none: the district wherever its name stands,
    a town or village if the description, or one of those it lists, is its name and no other's."""
    found: set[str] = set()
    left: list[str] = []
    for area in list(unplaced)[:NAMES_MOST]:
        if name and name in area.description:
            found.add(district)
            continue
        words = [word for word in _SEPARATORS.split(area.description) if word][:NAMES_MOST]
        rows = await connection.fetch(
            "SELECT min(code) AS code FROM region WHERE name = ANY($1::text[]) AND level <= 3"
            " GROUP BY name HAVING count(*) = 1",
            words,
        )
        if words and len(rows) == len(set(words)):
            found |= {row["code"] for row in rows}
        else:
            left.append(area.description[:100] or ours("（没有说明）"))
    return frozenset(found), tuple(left)


async def _by_shapes(connection: Connection, alert: Alert) -> tuple[tuple[str, ...], bool]:
    """The villages under the shapes; whether it is certain, when there are none, that they lie elsewhere."""
    rings, circles = areas.polygons(alert), areas.circles(alert)
    if not rings and not circles:
        return (), False
    if len(rings) + len(circles) > SHAPES_MOST or sum(map(len, rings)) > POINTS_MOST:
        raise _TooIntricateError
    shapes = Selection(polygons=rings, circles=tuple((one.lon, one.lat, one.km) for one in circles))
    hit = tuple(village for village, _ in await villages(connection, shapes))
    if hit:
        return hit, False
    located: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM household WHERE active AND lon IS NOT NULL)")
    return (), located
