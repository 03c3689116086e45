"""The tree of regions with what lives in each, and the homes of a region page by page.

Counts are read from indexes alone: a county of 600,000 homes and 1,500,000 contacts in about half a second, a town in
a few hundredths. Pages go by key (region code, id), so that the last costs what the first does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from audiences.records import Level

PAGE = 50  # rows

_WITHIN = "{column} ~>=~ $1 AND {column} ~<~ ($1 || ':')"

_HOMES = f"""
SELECT left(h.region_code, $2) AS code, count(*) AS households, coalesce(sum(h.size), 0)::bigint AS people,
       count(*) FILTER (WHERE h.risk < 100) AS vulnerable
FROM household h WHERE h.active AND {_WITHIN.format(column="h.region_code")} GROUP BY 1
"""

# Homes that are registered but not there are few: their contacts are taken off instead of joining all others.
_CONTACTS = f"""
SELECT code, medium, sum(contacts)::bigint AS contacts FROM (
    SELECT left(c.region_code, $2) AS code, c.medium, count(*) AS contacts FROM contact c
    WHERE c.active AND c.household_id IS NOT NULL AND {_WITHIN.format(column="c.region_code")} GROUP BY 1, 2
    UNION ALL
    SELECT left(h.region_code, $2), c.medium, -count(*) FROM household h
    JOIN contact c ON c.household_id = h.id AND c.active
    WHERE NOT h.active AND {_WITHIN.format(column="h.region_code")} GROUP BY 1, 2
) AS counted GROUP BY 1, 2
"""

_TERMINALS = f"""
SELECT left(t.region_code, $2) AS code, count(*) AS terminals FROM terminal t
WHERE t.active AND {_WITHIN.format(column="t.region_code")} GROUP BY 1
"""

_HOLDERS = f"""
SELECT left(d.region_code, $2) AS code, count(DISTINCT d.person_id) AS holders FROM duty d
WHERE {_WITHIN.format(column="d.region_code")}
  AND d.valid_from <= $3 AND (d.valid_to IS NULL OR d.valid_to > $3) GROUP BY 1
"""

_BELOW = """
SELECT code, name FROM region WHERE code ~>=~ $1 AND code ~<~ ($1 || ':') AND length(code) = $2 ORDER BY code
"""

_ABOVE = "SELECT code, name FROM region WHERE code = ANY($1::text[]) ORDER BY length(code)"

_HOUSEHOLDS = """
SELECT h.id, h.external_id, h.region_code, h.name, h.address, h.size, h.tags, h.risk, h.active,
       (SELECT count(*) FROM contact c WHERE c.household_id = h.id AND c.active) AS contacts
FROM household h
WHERE h.region_code ~>=~ $1 AND h.region_code ~<~ ($1 || ':') AND h.region_code ~>=~ $2
  AND (h.region_code ~>~ $2 OR (h.region_code = $2 AND h.id > $3))
ORDER BY h.region_code USING ~<~, h.id LIMIT $4
"""

_TERMINAL_PAGE = """
SELECT t.id, t.external_id, t.region_code, t.name, t.kind, t.active, coalesce(r.name, '') AS region_name
FROM terminal t LEFT JOIN region r ON r.code = t.region_code
WHERE t.region_code ~>=~ $1 AND t.region_code ~<~ ($1 || ':') AND t.region_code ~>=~ $2
  AND (t.region_code ~>~ $2 OR (t.region_code = $2 AND t.id > $3))
ORDER BY t.region_code USING ~<~, t.id LIMIT $4
"""


@dataclass(slots=True)
class Place:
    """A region and what is in it. `own`: the part of it that lies in none of the regions below."""

    code: str
    name: str
    households: int = 0
    people: int = 0
    vulnerable: int = 0
    terminals: int = 0
    holders: int = 0
    contacts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    own: bool = False


@dataclass(frozen=True, slots=True)
class HouseholdLine:
    """A home in a list."""

    id: int
    external_id: str
    region_code: str
    name: str
    address: str
    size: int
    tags: Sequence[str]
    risk: int
    active: bool
    contacts: int


@dataclass(frozen=True, slots=True)
class TerminalLine:
    """A loudspeaker in a list."""

    id: int
    external_id: str
    region_code: str
    name: str
    kind: str
    active: bool
    region_name: str


@dataclass(frozen=True, slots=True)
class After:
    """The row behind which a page begins."""

    region_code: str = ""
    id: int = 0


async def path(connection: asyncpg.Connection, code: str) -> list[tuple[str, str]]:
    """The codes and names from the county down to `code`; empty when there is no such region."""
    codes = [code[: level.code_length] for level in Level if level.code_length <= len(code)]
    found = [(row["code"], row["name"]) for row in await connection.fetch(_ABOVE, codes)]
    return found if found and found[-1][0] == code else []


async def names(connection: asyncpg.Connection, codes: Sequence[str]) -> dict[str, str]:
    """The names of regions by code, of those that are known."""
    return {row["code"]: row["name"] for row in await connection.fetch(_ABOVE, list(codes))}


async def regions_below(connection: asyncpg.Connection, code: str) -> list[tuple[str, str]]:
    """The codes and names of the regions one level below; none below a grid."""
    width = len(code) + 3 if code else Level.COUNTY.code_length
    return [(row["code"], row["name"]) for row in await connection.fetch(_BELOW, code, width)]


async def below(connection: asyncpg.Connection, code: str, at: datetime) -> list[Place]:
    """The regions one level below `code` ("": the counties), each with what is in it; last what is in none of them.

    A grid has nothing below it: then the one place is the grid itself.
    """
    width = min(len(code) + 3, Level.GRID.code_length) if code else Level.COUNTY.code_length
    places = {row["code"]: Place(row["code"], row["name"]) for row in await connection.fetch(_BELOW, code, width)}

    def place(found: str) -> Place:
        if found not in places:
            places[found] = Place(found, "", own=True)
        return places[found]

    for row in await connection.fetch(_HOMES, code, width):
        one = place(row["code"])
        one.households, one.people, one.vulnerable = row["households"], row["people"], row["vulnerable"]
    for row in await connection.fetch(_CONTACTS, code, width):
        place(row["code"]).contacts[row["medium"]] += row["contacts"]
    for row in await connection.fetch(_TERMINALS, code, width):
        place(row["code"]).terminals = row["terminals"]
    for row in await connection.fetch(_HOLDERS, code, width, at):
        place(row["code"]).holders = row["holders"]
    return sorted(places.values(), key=lambda one: (one.own, one.code))


def total(places: Sequence[Place]) -> Place:
    """All of them together; somebody on duty in two of the regions counts twice."""
    added = Place("", "")
    for one in places:
        added.households += one.households
        added.people += one.people
        added.vulnerable += one.vulnerable
        added.terminals += one.terminals
        added.holders += one.holders
        for medium, contacts in one.contacts.items():
            added.contacts[medium] += contacts
    return added


async def households(
    connection: asyncpg.Connection, code: str, after: After = After(), limit: int = PAGE
) -> list[HouseholdLine]:
    """The homes of a region behind `after`, by region code."""
    rows = await connection.fetch(_HOUSEHOLDS, code, after.region_code, after.id, limit)
    return [HouseholdLine(**row) for row in rows]


async def terminals(
    connection: asyncpg.Connection, code: str, after: After = After(), limit: int = PAGE
) -> list[TerminalLine]:
    """The loudspeakers of a region behind `after`, by region code."""
    rows = await connection.fetch(_TERMINAL_PAGE, code, after.region_code, after.id, limit)
    return [TerminalLine(**row) for row in rows]
