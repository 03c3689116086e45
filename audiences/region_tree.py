"""Regions for somebody who chooses an area: what lies below one, what a name finds, what a set of codes is called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from audiences.records import Level

FOUND_MOST = 50


@dataclass(frozen=True, slots=True)
class Place:
    """A region of the tree; `inside` is the name of the one above it ("" for none), `leaf`: nothing lies below."""

    code: str
    name: str
    level: int
    inside: str
    leaf: bool


_PLACE = """
SELECT r.code, r.name, r.level, coalesce(above.name, '') AS inside,
       NOT EXISTS (SELECT FROM region low WHERE low.code ~>~ r.code AND low.code ~<~ (r.code || ':')) AS leaf
FROM region r LEFT JOIN region above ON above.code = r.parent_code
"""
_WITHIN = "EXISTS (SELECT FROM unnest(${}::text[]) AS s(scope) WHERE starts_with(r.code, s.scope))"


async def tops(connection: asyncpg.Connection, scopes: Sequence[str], district: str) -> list[Place]:
    """The regions with which the tree begins for somebody who may act in `scopes` ("" is everywhere)."""
    codes = sorted({scope if len(scope) >= len(district) else district for scope in scopes})
    rows = await connection.fetch(f"{_PLACE} WHERE r.code = ANY($1::text[]) ORDER BY r.code", codes)
    return [Place(**row) for row in rows]


async def below(connection: asyncpg.Connection, code: str) -> list[Place]:
    """The regions one level below `code`."""
    condition = "r.code ~>~ $1 AND r.code ~<~ ($1 || ':') AND r.level = $2"
    rows = await connection.fetch(f"{_PLACE} WHERE {condition} ORDER BY r.code", code, Level.of(code) + 1)
    return [Place(**row) for row in rows]


async def search(connection: asyncpg.Connection, text: str, scopes: Sequence[str]) -> list[Place]:
    """The regions within `scopes` whose name holds `text` or whose code begins with it, the larger ones first."""
    pattern = "".join(f"\\{character}" if character in "\\%_" else character for character in text)
    rows = await connection.fetch(
        f"{_PLACE} WHERE (r.name ILIKE '%' || $1 || '%' OR starts_with(r.code, $2)) AND {_WITHIN.format(3)}"
        f" ORDER BY r.level, r.code LIMIT {FOUND_MOST}",
        pattern,
        text,
        list(scopes),
    )
    return [Place(**row) for row in rows]


async def named(connection: asyncpg.Connection, codes: Iterable[str]) -> list[Place]:
    """The regions of these codes, in the order of their codes; what is unknown is left out."""
    rows = await connection.fetch(f"{_PLACE} WHERE r.code = ANY($1::text[]) ORDER BY r.code", list(codes))
    return [Place(**row) for row in rows]


async def common_name(connection: asyncpg.Connection, codes: Sequence[str]) -> str:
    """The name of the smallest region that holds all of `codes`; "" where none is known."""
    if not codes:
        return ""
    first, last = min(codes), max(codes)
    shared = next((place for place, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), None)
    prefix = first[: min(len(first), len(last)) if shared is None else shared]
    above = [prefix[: level.code_length] for level in Level if level.code_length <= len(prefix)]
    found = await connection.fetchval(
        "SELECT name FROM region WHERE code = ANY($1::text[]) ORDER BY length(code) DESC LIMIT 1", above
    )
    return str(found or "")


async def outlines(
    connection: asyncpg.Connection, level: Level, scopes: Sequence[str], under: str = ""
) -> list[dict[str, Any]]:
    """Code, name, middle and outline (GeoJSON, as text) of the regions of a level that lie in `scopes` and `under`."""
    rows = await connection.fetch(
        "SELECT r.code, r.name, r.lon, r.lat, r.outline::text AS outline FROM region r"
        f" WHERE r.level = $1 AND starts_with(r.code, $2) AND {_WITHIN.format(3)} ORDER BY r.code",
        int(level),
        under,
        list(scopes),
    )
    return [dict(row) for row in rows]
