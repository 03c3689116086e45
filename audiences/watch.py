"""Who is on duty where, day by day, and where nobody is.

A county needs its duty desk, a town its leader, a village its head, a grid its leader or a member. A gap is any time
within the next days in which none of them holds the duty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from audiences.records import Level, Role

WEEK = timedelta(days=7)

NEEDED: dict[Level, tuple[Role, ...]] = {
    Level.COUNTY: (Role.DUTY_DESK,),
    Level.TOWN: (Role.TOWN_LEADER,),
    Level.VILLAGE: (Role.VILLAGE_HEAD,),
    Level.GRID: (Role.GRID_LEADER, Role.GRID_MEMBER),
}
"""Of each level's roles at least one must be held at any time."""

_NEEDED = ", ".join(
    f"({level.value}, '{{{','.join(role.value for role in roles)}}}'::text[])" for level, roles in NEEDED.items()
)

_GAPS = f"""
SELECT r.code, r.name, coalesce(p.name, '') AS within, n.roles, lower(w.holes) AS begins,
       (SELECT upper(hole) FROM unnest(w.holes) AS hole ORDER BY hole LIMIT 1) AS ends, count(*) OVER () AS all_of_them
FROM region r
JOIN (VALUES {_NEEDED}) AS n(level, roles) ON n.level = r.level
LEFT JOIN region p ON p.code = r.parent_code
CROSS JOIN LATERAL (
    SELECT tstzmultirange(tstzrange($1, $2)) - coalesce(range_agg(tstzrange(d.valid_from, d.valid_to)), '{{}}') AS holes
    FROM duty d
    WHERE d.region_code = r.code AND d.role = ANY(n.roles) AND d.valid_from < $2
      AND (d.valid_to IS NULL OR (d.valid_to > $1 AND d.valid_to > d.valid_from))
) w
WHERE NOT isempty(w.holes) AND EXISTS (SELECT FROM unnest($3::text[]) AS s WHERE starts_with(r.code, s))
ORDER BY lower(w.holes) > $1, r.code LIMIT $4 OFFSET $5
"""

_STINTS = """
SELECT d.id, d.person_id, p.name, d.region_code, d.role, d.rank, d.valid_from, d.valid_to, d.shift,
       coalesce(away.name, '') AS instead_of,
       EXISTS (SELECT FROM contact c WHERE c.person_id = p.id AND c.household_id IS NULL AND c.active)
       OR EXISTS (SELECT FROM contact c WHERE c.household_id = p.household_id AND c.person_id = p.id AND c.active)
           AS reachable
FROM duty d
JOIN person p ON p.id = d.person_id
LEFT JOIN duty held ON held.id = d.stands_in_for
LEFT JOIN person away ON away.id = held.person_id
WHERE d.region_code = ANY($1::text[]) AND d.valid_from < $3 AND (d.valid_to IS NULL OR d.valid_to > $2)
ORDER BY d.region_code, d.role, d.rank = 'deputy', d.shift, d.id
"""

# Two ways, each with its index: a person's own contacts, and those under which he is known at home.
_NUMBERS = """
SELECT DISTINCT ON (person_id, priority, address) person_id, address FROM (
    SELECT c.person_id, c.address, c.priority FROM contact c
    WHERE c.household_id IS NULL AND c.active AND c.medium = 'phone' AND c.person_id = ANY($1::bigint[])
    UNION ALL
    SELECT p.id, c.address, c.priority
    FROM person p JOIN contact c ON c.household_id = p.household_id AND c.person_id = p.id
    WHERE c.active AND c.medium = 'phone' AND p.id = ANY($1::bigint[])
) AS known
ORDER BY person_id, priority, address
"""

_REGIONS = """
SELECT code, name, level FROM region
WHERE code = $1 OR (code ~>=~ $1 AND code ~<~ ($1 || ':') AND length(code) = $2) ORDER BY code
"""


@dataclass(frozen=True, slots=True)
class Gap:
    """A region where for a while nobody holds any of `roles`; `within` is the region above."""

    code: str
    name: str
    within: str
    roles: Sequence[str]
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Stint:
    """Somebody's time on duty. `reachable`: any active contact; `instead_of`: whom a substitute stands in for."""

    id: int
    person_id: int
    name: str
    region_code: str
    role: str
    rank: str
    valid_from: datetime
    valid_to: datetime | None
    shift: bool
    instead_of: str
    reachable: bool

    def covers(self, begins: datetime, ends: datetime) -> bool:
        """The whole of that time."""
        return self.valid_from <= begins and (self.valid_to is None or self.valid_to >= ends)

    def touches(self, begins: datetime, ends: datetime) -> bool:
        """Any part of that time."""
        return self.valid_from < ends and (self.valid_to is None or self.valid_to > begins)


@dataclass(frozen=True, slots=True)
class Day:
    """Who is on duty on one day beside those of the whole week; `open`: part of it has nobody."""

    begins: datetime
    stints: tuple[Stint, ...]
    open: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One region and role over a week. `needed`: somebody must always hold it."""

    code: str
    name: str
    role: str
    needed: bool
    whole: tuple[Stint, ...]
    days: tuple[Day, ...]


async def gaps(
    connection: asyncpg.Connection, within: Sequence[str], at: datetime, *, most: int, skip: int = 0
) -> tuple[list[Gap], int]:
    """Where nobody is on duty now or some time in the week from `at`, those of now first; and how many there are."""
    rows = await connection.fetch(_GAPS, at, at + WEEK, list(within), most, skip)
    found = [Gap(**{name: value for name, value in row.items() if name != "all_of_them"}) for row in rows]
    return found, rows[0]["all_of_them"] if rows else 0


async def week(connection: asyncpg.Connection, code: str, begins: datetime) -> list[Line]:
    """The region and those one level below it, each role that is needed or held there, for seven days."""
    regions = await connection.fetch(_REGIONS, code, len(code) + 3 if code else Level.COUNTY.code_length)
    stints = await connection.fetch(_STINTS, [row["code"] for row in regions], begins, begins + WEEK)
    held: dict[tuple[str, str], list[Stint]] = {}
    for row in stints:
        held.setdefault((row["region_code"], row["role"]), []).append(Stint(**row))
    lines = []
    for region in regions:
        there = {role: stints for (place, role), stints in held.items() if place == region["code"]}
        for role in _roles(Level(region["level"]), there):
            needed = role in NEEDED[Level(region["level"])] and not _spared(role, there)
            lines.append(_line(region["code"], region["name"], role, there.get(role, []), begins, needed=needed))
    return lines


async def numbers(connection: asyncpg.Connection, people: Sequence[int]) -> dict[int, list[str]]:
    """The telephone numbers of people, the first to be tried first."""
    found: dict[int, list[str]] = {}
    for row in await connection.fetch(_NUMBERS, list(people)):
        known = found.setdefault(row["person_id"], [])
        if row["address"] not in known:
            known.append(row["address"])
    return found


def _roles(level: Level, held: dict[str, list[Stint]]) -> list[str]:
    """The needed roles that nobody else makes up for, and whatever is held."""
    needed = [role.value for role in NEEDED[level]]
    shown = [role for role in needed if role in held] or needed[:1]
    return shown + sorted(role for role in held if role not in needed)


def _spared(role: str, held: dict[str, list[Stint]]) -> bool:
    """Whether another of the roles that would do is held as well: then the gap list judges both together."""
    return any(other != role and other in held for roles in NEEDED.values() if role in roles for other in roles)


def _line(code: str, name: str, role: str, stints: list[Stint], begins: datetime, *, needed: bool) -> Line:
    whole = tuple(one for one in stints if one.covers(begins, begins + WEEK))
    others = [one for one in stints if one not in whole]
    days = []
    for number in range(7):
        start = begins + timedelta(days=number)
        end = start + timedelta(days=1)
        there = tuple(one for one in others if one.touches(start, end))
        days.append(Day(start, there, needed and not whole and not _filled(there, start, end)))
    return Line(code, name, role, needed, whole, tuple(days))


def _filled(stints: Sequence[Stint], begins: datetime, ends: datetime) -> bool:
    """Whether the stints together cover the whole time."""
    covered = begins
    for one in sorted(stints, key=lambda stint: stint.valid_from):
        if one.valid_from > covered:
            return False
        covered = max(covered, one.valid_to or ends)
    return covered >= ends
