"""The QR codes of regions: whoever scans one follows the official account as somebody of that region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audiences.records import Level
from broadcaster.clock import Clock
from broadcaster.database import Database
from broadcaster.errors import NotFoundError
from broadcaster.ports import GatewaySettings, Invites, Journal
from broadcaster.rosters.followers import SCENE
from broadcaster.rosters.sql import FOLLOWERS

BUNCH = 50
"""Codes that are asked for before they are kept: what was made is not lost when the next one fails."""

_VILLAGES = """
SELECT r.code, r.name, coalesce(t.name, '') AS town
FROM region r LEFT JOIN region t ON t.code = r.parent_code
WHERE r.level = $2 AND r.code ~>=~ $1 AND r.code ~<~ ($1 || ':') ORDER BY r.code
"""


@dataclass(frozen=True, slots=True)
class Invitation:
    """The code of a region: `content` is what the QR code holds; `town`: the region above it."""

    region: str
    name: str
    town: str
    content: str


async def invitations(
    database: Database, clock: Clock, gateway: GatewaySettings, plugin: Invites, journal: Journal, region: str
) -> list[Invitation]:
    """The codes of every village in `region`, itself one or above them; `NotFoundError` where there is none,
    `UnavailableError` as of `Invites.invite`. A code that was made before is not asked for again."""
    async with database.connection() as connection:
        villages = await connection.fetch(_VILLAGES, region, int(Level.VILLAGE))
        codes = [row["code"] for row in villages]
        known = await connection.fetch(FOLLOWERS["invitations"], gateway.name, codes)
    if not codes:
        raise NotFoundError(
            "%(region)s 里没有村（社区）。",
            region=region,
            remedy="请给出县、镇街或村社的区划代码；尚未导入区划的，先导入。",
        )
    contents = {row["region"]: row["content"] for row in known}
    missing = [code for code in codes if code not in contents]
    for start in range(0, len(missing), BUNCH):
        contents |= await _made(database, clock, gateway, plugin, journal, missing[start : start + BUNCH])
    return [Invitation(row["code"], row["name"], row["town"], contents[row["code"]]) for row in villages]


async def _made(
    database: Database,
    clock: Clock,
    gateway: GatewaySettings,
    plugin: Invites,
    journal: Journal,
    regions: Sequence[str],
) -> Mapping[str, str]:
    by_scene = await plugin.invite(gateway, journal, [f"{SCENE}{region}" for region in regions])
    made = {region: by_scene[f"{SCENE}{region}"] for region in regions}
    async with database.connection() as connection:
        await connection.execute(FOLLOWERS["invited"], gateway.name, list(made), list(made.values()), clock.now())
    return made
