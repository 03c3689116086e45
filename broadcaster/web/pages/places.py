"""Regions in addresses and in lists to choose from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from broadcaster.database import Connection
from broadcaster.errors import InputError
from broadcaster.progress import RegionProgress
from broadcaster.report.sql import SQL

_CODE = re.compile(r"\d{0,15}")


@dataclass(frozen=True, slots=True)
class Place:
    """A town, or a village in it."""

    code: str
    name: str
    unreached: int

    @property
    def within(self) -> bool:
        """Whether it is a village."""
        return len(self.code) > 9


def region_of(text: str) -> str:
    """The code prefix that was asked for; `InputError` for anything else."""
    code = text.strip()
    if not _CODE.fullmatch(code) or not code.isascii():
        raise InputError("地区代码不对。", remedy="请从列表中选择。")
    return code


async def towns_and_villages(connection: Connection, villages: Iterable[RegionProgress]) -> list[Place]:
    """The towns with households that are not reached, each with its villages behind it."""
    open_ = [one for one in villages if one.households.reached < one.households.total]
    towns: dict[str, int] = {}
    for one in open_:
        towns[one.region[:9]] = towns.get(one.region[:9], 0) + one.households.unreached
    names = {row["code"]: row["name"] for row in await connection.fetch(SQL["names"], list(towns))}
    found = [Place(code, names.get(code, code), count) for code, count in towns.items()]
    found += [Place(one.region, one.name or one.region, one.households.unreached) for one in open_]
    return sorted(found, key=lambda place: place.code)
