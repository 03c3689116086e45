"""Finding one region, home, person or loudspeaker among hundreds of thousands, by what somebody has in hand.

What is searched, each by an index: the codes of regions, homes (户号) and terminals exactly; telephone numbers exactly,
in their stored form; the names of homes and people from their first character on; the names of regions and terminals,
which are few, anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg

from audiences import phone

MOST = 50
"""Rows of each kind that are shown."""

LONGEST = 64  # characters of what is looked for

_INSIDE = "EXISTS (SELECT FROM unnest($2::text[]) AS s(code) WHERE starts_with({0}, s.code))"

_REGIONS = f"""
SELECT r.code, r.name, coalesce(p.name, '') AS within FROM region r LEFT JOIN region p ON p.code = r.parent_code
WHERE {_INSIDE.format("r.code")} AND (r.code = $1 OR position($1 in r.name) > 0)
ORDER BY length(r.code), r.code LIMIT $3
"""

_TERMINALS = f"""
SELECT t.id, t.external_id, t.name, t.region_code, coalesce(r.name, '') AS within
FROM terminal t LEFT JOIN region r ON r.code = t.region_code
WHERE {_INSIDE.format("t.region_code")} AND (t.external_id = $1 OR position($1 in t.name) > 0)
ORDER BY t.region_code, t.id LIMIT $3
"""

_HOME = """
SELECT h.id, h.external_id, h.name, h.address, h.region_code, coalesce(r.name, '') AS within
FROM household h LEFT JOIN region r ON r.code = h.region_code
"""

_HOUSEHOLD_BY_KEY = f"{_HOME} WHERE h.external_id = $1 AND {_INSIDE.format('h.region_code')} LIMIT $3"

_HOUSEHOLDS_BY_NAME = f"""
{_HOME}
WHERE h.name ~>=~ $1 AND h.name ~<~ ($1 || chr(1114111)) AND {_INSIDE.format("h.region_code")}
ORDER BY h.name USING ~<~, h.id LIMIT $3
"""

_HOUSEHOLDS_BY_MEMBER = f"""
{_HOME}
WHERE {_INSIDE.format("h.region_code")} AND h.id IN (
    SELECT p.household_id FROM person p
    WHERE p.name ~>=~ $1 AND p.name ~<~ ($1 || chr(1114111)) AND p.household_id IS NOT NULL
)
ORDER BY h.region_code, h.id LIMIT $3
"""

_HOUSEHOLDS_BY_ADDRESS = f"""
{_HOME}
WHERE {_INSIDE.format("h.region_code")} AND h.id IN (SELECT c.household_id FROM contact c WHERE c.address = $1)
ORDER BY h.region_code, h.id LIMIT $3
"""

_HOLDER = """
SELECT p.id, p.name, d.region_code, d.role, coalesce(r.name, '') AS within
FROM duty d JOIN person p ON p.id = d.person_id LEFT JOIN region r ON r.code = d.region_code
"""

_HOLDERS_BY_NAME = f"""
{_HOLDER}
WHERE p.name ~>=~ $1 AND p.name ~<~ ($1 || chr(1114111)) AND {_INSIDE.format("d.region_code")}
ORDER BY d.region_code, d.id LIMIT $3
"""

_HOLDERS_BY_ADDRESS = f"""
{_HOLDER}
WHERE {_INSIDE.format("d.region_code")} AND p.id IN (SELECT c.person_id FROM contact c WHERE c.address = $1)
ORDER BY d.region_code, d.id LIMIT $3
"""

_NUMBER = re.compile(r"[+\d][\d\s\-()]{6,24}")


@dataclass(frozen=True, slots=True)
class RegionFound:
    """A region; `within` is the name of the one above."""

    code: str
    name: str
    within: str


@dataclass(frozen=True, slots=True)
class HouseholdFound:
    """A home; `within` is the name of its region."""

    id: int
    external_id: str
    name: str
    address: str
    region_code: str
    within: str


@dataclass(frozen=True, slots=True)
class HolderFound:
    """Somebody with a duty, once for each."""

    id: int
    name: str
    region_code: str
    role: str
    within: str


@dataclass(frozen=True, slots=True)
class TerminalFound:
    """A loudspeaker."""

    id: int
    external_id: str
    name: str
    region_code: str
    within: str


@dataclass(slots=True)
class Found:
    """What fits, at most `MOST` of each kind."""

    regions: list[RegionFound] = field(default_factory=list)
    households: list[HouseholdFound] = field(default_factory=list)
    holders: list[HolderFound] = field(default_factory=list)
    terminals: list[TerminalFound] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        """Whether all of them are empty."""
        return not (self.regions or self.households or self.holders or self.terminals)


async def search(connection: asyncpg.Connection, written: str, seen: Sequence[str], named: Sequence[str]) -> Found:
    """What fits `written` inside the regions `seen`; by the names and numbers of people only inside `named`."""
    text = " ".join(written.split())[:LONGEST]
    found = Found()
    if not text:
        return found
    if seen:
        places = [text, list(seen), MOST]
        found.regions = [RegionFound(**row) for row in await connection.fetch(_REGIONS, *places)]
        found.terminals = [TerminalFound(**row) for row in await connection.fetch(_TERMINALS, *places)]
        found.households = await _homes(connection, _HOUSEHOLD_BY_KEY, places)
    if named:
        await _people(connection, found, text, list(named))
    return found


async def _people(connection: asyncpg.Connection, found: Found, text: str, named: list[str]) -> None:
    number = _number(text)
    statements = (
        ((_HOUSEHOLDS_BY_ADDRESS,), _HOLDERS_BY_ADDRESS)
        if number or "@" in text
        else ((_HOUSEHOLDS_BY_NAME, _HOUSEHOLDS_BY_MEMBER), _HOLDERS_BY_NAME)
    )
    values = [number or text, named, MOST]
    known = {home.id: home for home in found.households}
    for statement in statements[0]:
        for home in await _homes(connection, statement, values):
            known.setdefault(home.id, home)
    found.households = list(known.values())[:MOST]
    found.holders = [HolderFound(**row) for row in await connection.fetch(statements[1], *values)]


async def _homes(connection: asyncpg.Connection, statement: str, values: list[object]) -> list[HouseholdFound]:
    return [HouseholdFound(**row) for row in await connection.fetch(statement, *values)]


def _number(text: str) -> str:
    """The stored form of a telephone number; "" when it is none."""
    if not _NUMBER.fullmatch(text):
        return ""
    try:
        return phone.normalise(text)
    except phone.PhoneError:
        return ""
