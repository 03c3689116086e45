"""What rules look at: the stations that they name, and the usable readings of a while."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from broadcaster.database import Connection
from broadcaster.triggers.quality import USABLE
from broadcaster.triggers.rule import Rule, split
from broadcaster.triggers.sql import SQL
from broadcaster.triggers.station import NO_LIMITS, LimitsByElement, read_limits


@dataclass(frozen=True, slots=True)
class Site:
    """A station as rules know it; `groups` that it belongs to."""

    id: int
    code: str
    name: str
    region: str
    lon: float | None = None
    lat: float | None = None
    groups: tuple[str, ...] = ()
    limits: LimitsByElement = field(default_factory=dict)

    def limit(self, element: str, name: str) -> float | None:
        """Its own limit of an element: warning or guarantee; None where it has none."""
        value: float | None = getattr(self.limits.get(element, NO_LIMITS), name)
        return value


@dataclass(frozen=True, slots=True)
class Course:
    """Readings of one series: seconds since 1970, rising, and what was measured."""

    at: Sequence[float]
    values: Sequence[float]

    def end(self, moment: float) -> int:
        """How many of them are not after `moment`."""
        return bisect_right(self.at, moment)


Windows: TypeAlias = Mapping[tuple[str, str], Course]
"""By code of the station and element."""


async def sites(connection: Connection, rule: Rule) -> tuple[Site, ...]:
    """Every station that the rule names in any way."""
    rows = await connection.fetch(SQL["resolve"], *split(rule.named))
    return tuple(
        Site(
            row["id"],
            row["code"],
            row["name"],
            row["region_code"],
            row["lon"],
            row["lat"],
            tuple(row["clusters"]),
            read_limits(row["limits"]),
        )
        for row in rows
    )


def chosen(among: Iterable[Site], names: Sequence[str]) -> list[Site]:
    """Those of the sites that `names` (codes and groups) mean."""
    codes, groups = split(names)
    wanted, clusters = frozenset(codes), frozenset(groups)
    return [site for site in among if site.code in wanted or not clusters.isdisjoint(site.groups)]


async def windows(
    connection: Connection,
    rule: Rule,
    among: Sequence[Site],
    start: datetime,
    end: datetime,
    ahead: timedelta = timedelta(),
) -> dict[tuple[str, str], Course]:
    """The usable readings of what the rule reads, after `start`, up to `end`.

    What is here by `end` was measured by then: the course of an instrument whose clock is ahead, by `ahead` at the
    most, is put back by as much.
    """
    stations, elements = [site.id for site in among], list(rule.elements)
    rows = await connection.fetch(SQL["window"], stations, elements, start, end + ahead, USABLE)
    return {(row["code"], row["element"]): _course(row["times"], row["values"], end.timestamp()) for row in rows}


def _course(at: Sequence[float], values: Sequence[float], end: float) -> Course:
    ahead = at[-1] - end
    return Course(at if ahead <= 0 else [one - ahead for one in at], values)
