"""Who answers for a region: duty holders at a moment, their superiors, and whose confirmation counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from audiences.records import Level, Rank, Role

# The role that is asked when nobody answers, by the level of the region one step up.
SUPERIORS = {Level.VILLAGE: Role.VILLAGE_HEAD, Level.TOWN: Role.TOWN_LEADER, Level.COUNTY: Role.DUTY_DESK}

# Where each role has its place. A responder may stand by for any region.
LEVELS = {
    Role.VILLAGE_HEAD: Level.VILLAGE,
    Role.GRID_LEADER: Level.GRID,
    Role.GRID_MEMBER: Level.GRID,
    Role.TOWN_LEADER: Level.TOWN,
    Role.DUTY_DESK: Level.COUNTY,
}


def fits(role: Role, region_code: str) -> bool:
    """Whether a region of that level has such a role; ValueError for a code that is no region code."""
    return LEVELS.get(role) in (None, Level.of(region_code))


@dataclass(frozen=True, slots=True)
class Holder:
    """A person on duty. `duty_id` names person × region × role."""

    duty_id: int
    person_id: int
    name: str
    region_code: str
    role: Role
    rank: Rank


@dataclass(frozen=True, slots=True)
class HolderContact:
    """One way to reach a duty holder; `medium` is phone, wechat or email, `priority` 0 first."""

    person_id: int
    contact_id: int
    medium: str
    address: str
    priority: int


_ON_DUTY = "d.valid_from <= $1 AND (d.valid_to IS NULL OR d.valid_to > $1)"

_HOLDER = """
SELECT d.id AS duty_id, d.person_id, p.name, d.region_code, d.role, d.rank
FROM duty d JOIN person p ON p.id = d.person_id
"""

# The same person may be a contact as a duty holder and in the household where he lives.
_CONTACTS = """
SELECT DISTINCT ON (c.person_id, c.medium, c.address) c.person_id, c.id AS contact_id, c.medium, c.address, c.priority
FROM contact c
WHERE c.active AND c.person_id = ANY($1::bigint[]) AND ($2::text[] IS NULL OR c.medium = ANY($2))
ORDER BY c.person_id, c.medium, c.address, c.household_id NULLS FIRST
"""


async def holders(
    connection: asyncpg.Connection, region_codes: Sequence[str], role: Role, at: datetime
) -> list[Holder]:
    """Everybody who holds `role` for one of the regions at `at`: by region, the primary ones first."""
    rows = await connection.fetch(
        f"{_HOLDER} WHERE {_ON_DUTY} AND d.region_code = ANY($2::text[]) AND d.role = $3"
        " ORDER BY d.region_code, d.rank = 'deputy', d.id",
        at,
        list(region_codes),
        role,
    )
    return [_holder(row) for row in rows]


async def regions_with(connection: asyncpg.Connection, within: Sequence[str], role: Role, at: datetime) -> list[str]:
    """The regions inside the codes `within` for which somebody holds `role` at `at`: one unit to confirm for each."""
    rows = await connection.fetch(
        f"SELECT DISTINCT d.region_code FROM duty d JOIN unnest($2::text[]) AS area(code)"
        f" ON d.region_code ~>=~ area.code AND d.region_code ~<~ (area.code || ':')"
        f" WHERE {_ON_DUTY} AND d.role = $3 ORDER BY 1",
        at,
        list(within),
        role,
    )
    return [row["region_code"] for row in rows]


async def contacts(
    connection: asyncpg.Connection, person_ids: Sequence[int], media: Sequence[str] | None = None
) -> list[HolderContact]:
    """The active contacts of people, by person and priority; all media unless some are named."""
    rows = await connection.fetch(_CONTACTS, list(person_ids), None if media is None else list(media))
    found = [HolderContact(*row.values()) for row in rows]
    return sorted(found, key=lambda contact: (contact.person_id, contact.priority, contact.contact_id))


def superior(region_code: str) -> tuple[str, Role] | None:
    """The region one level up and the role that answers for it; None above the county's duty desk.

    Within the county itself the duty desk is its own last instance. ValueError for a code that is no region code.
    """
    level = Level.of(region_code)
    if level is Level.COUNTY:
        return None
    above = Level(level - 1)
    return region_code[: above.code_length], SUPERIORS[above]


async def superiors(connection: asyncpg.Connection, region_codes: Sequence[str], at: datetime) -> list[Holder]:
    """The holders one region level up from each of the codes (a county has none)."""
    above = [pair for pair in (superior(code) for code in set(region_codes)) if pair is not None]
    rows = await connection.fetch(
        f"{_HOLDER} JOIN (SELECT DISTINCT code, role FROM unnest($2::text[], $3::text[]) AS up(code, role)) up"
        f" ON up.code = d.region_code AND up.role = d.role WHERE {_ON_DUTY}"
        " ORDER BY d.region_code, d.rank = 'deputy', d.id",
        at,
        [code for code, _ in above],
        [role for _, role in above],
    )
    return [_holder(row) for row in rows]


async def competent(connection: asyncpg.Connection, person_id: int, region_code: str, role: Role, at: datetime) -> bool:
    """Whether this person's confirmation settles the unit: a holder of that role (primary or deputy), or a superior.

    The superior is one level up only: a town leader's "1" must not settle every grid of the town.
    """
    above = superior(region_code)
    return bool(
        await connection.fetchval(
            f"SELECT EXISTS (SELECT FROM duty d WHERE {_ON_DUTY} AND d.person_id = $2"
            " AND ((d.region_code = $3 AND d.role = $4) OR (d.region_code = $5 AND d.role = $6)))",
            at,
            person_id,
            region_code,
            role,
            above[0] if above else None,
            above[1] if above else None,
        )
    )


async def duties_at_address(connection: asyncpg.Connection, medium: str, address: str, at: datetime) -> list[Holder]:
    """The duties of whoever is reached at an address: where a reply from it may belong."""
    rows = await connection.fetch(
        f"{_HOLDER} WHERE {_ON_DUTY} AND d.person_id IN"
        " (SELECT c.person_id FROM contact c WHERE c.address = $3 AND c.medium = $2 AND c.active)"
        " ORDER BY d.region_code, d.id",
        at,
        medium,
        address,
    )
    return [_holder(row) for row in rows]


async def households_at_address(connection: asyncpg.Connection, medium: str, address: str) -> list[int]:
    """The households that have this address as a contact (a daughter's phone may stand for two homes)."""
    rows = await connection.fetch(
        "SELECT DISTINCT c.household_id FROM contact c"
        " WHERE c.address = $2 AND c.medium = $1 AND c.active AND c.household_id IS NOT NULL ORDER BY 1",
        medium,
        address,
    )
    return [row["household_id"] for row in rows]


def _holder(row: asyncpg.Record) -> Holder:
    return Holder(
        row["duty_id"], row["person_id"], row["name"], row["region_code"], Role(row["role"]), Rank(row["rank"])
    )
