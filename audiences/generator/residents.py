"""The people of a planned district, as streams: households grid by grid, duty holders, terminals."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

from audiences.generator import people
from audiences.generator.district import District, PlannedGrid
from audiences.generator.tiling import Scatter
from audiences.records import Level, Rank, Role
from audiences.tags import risk

# How many phones a household has, as thresholds of a random number: 4 % none, then one, two, three, four.
_PHONES = ((0.04, 0), (0.26, 1), (0.70, 2), (0.92, 3), (1.0, 4))
# How many people: thresholds for one, two, three, four, five. On average 2.6.
_SIZES = ((0.22, 1), (0.54, 2), (0.78, 3), (0.92, 4), (1.0, 5))
_WECHAT = 0.45
_EMAIL = 0.08
# Tag, share of urban homes, share of rural homes.
_TAGS = (
    ("lives_alone", 0.025, 0.055),
    ("disabled", 0.02, 0.03),
    ("elderly", 0.06, 0.12),
    ("infant", 0.04, 0.02),
    ("pregnant", 0.01, 0.006),
    ("bedridden", 0.004, 0.007),
    ("dilapidated", 0.001, 0.01),
    ("left_behind_child", 0.001, 0.01),
    ("migrant", 0.05, 0.03),
)


class Resident(NamedTuple):
    """A household as it will be stored, with its contacts. `number` counts households through the district from 0."""

    number: int
    external_id: str
    region_code: str
    name: str
    address: str
    lon: float
    lat: float
    tags: tuple[str, ...]
    risk: int
    size: int
    phones: tuple[str, ...]
    wechat: str | None
    email: str | None


class Official(NamedTuple):
    """A duty holder with his one duty."""

    external_id: str
    name: str
    region_code: str
    role: Role
    rank: Rank
    phone: str
    wechat: str


class Loudspeaker(NamedTuple):
    """A terminal: its resource code (EBRID, 23 digits: level, area, type 0314, sequence, subtype, sub-sequence)."""

    external_id: str
    name: str
    region_code: str
    lon: float
    lat: float


def residents(district: District) -> Iterator[Resident]:
    """Every household of the district, in the order of the grids."""
    taken = len(_posts(district))
    for grid in district.grids:
        yield from _grid_residents(district.seed, grid, first_phone=taken)


def officials(district: District) -> Iterator[Official]:
    """Every duty holder: each has one post, a phone and a WeChat address. About half are in the office's WeCom, the
    others follow the official account."""
    rng = random.Random(f"{district.seed}/officials")
    for number, (code, role, rank, place) in enumerate(_posts(district)):
        yield Official(
            f"P{code}-{role}-{place}",
            people.name(rng),
            code,
            role,
            rank,
            people.phone(number),
            people.member(number) if crc32(f"{code}{role}{place}".encode()) & 1 else people.follower(number),
        )


def loudspeakers(district: District) -> Iterator[Loudspeaker]:
    """One to three in each village."""
    rng = random.Random(f"{district.seed}/loudspeakers")
    for village in district.at(Level.VILLAGE):
        scatter = Scatter(village.shape)
        for number in range(1, rng.randint(1, 3) + 1):
            lon, lat = scatter.point(rng)
            yield Loudspeaker(
                f"6{village.code}0314{number:02d}0301", f"{village.name}{number}号大喇叭", village.code, lon, lat
            )


def _posts(district: District) -> list[tuple[str, Role, Rank, int]]:
    """(region, role, rank, place) of every duty."""
    staffing = {
        Level.COUNTY: ((Role.DUTY_DESK, 3), (Role.RESPONDER, 6)),
        Level.TOWN: ((Role.TOWN_LEADER, 2), (Role.RESPONDER, 3)),
        Level.VILLAGE: ((Role.VILLAGE_HEAD, 2),),
        Level.GRID: ((Role.GRID_LEADER, 1), (Role.GRID_MEMBER, 2)),
    }
    return [
        (region.code, role, Rank.PRIMARY if place == 1 else Rank.DEPUTY, place)
        for region in district.regions
        for role, holders in staffing[region.level]
        for place in range(1, holders + 1)
    ]


def _grid_residents(seed: int, grid: PlannedGrid, first_phone: int) -> Iterator[Resident]:
    code = grid.region.code
    rng = random.Random(f"{seed}/{code}")
    pick = rng.random
    scatter = Scatter(grid.region.shape)
    risks: dict[tuple[str, ...], int] = {}
    for place in range(1, grid.households + 1):
        number = grid.first_household + place - 1
        lon, lat = scatter.point(rng)
        tags = _tags(grid, rng)
        if tags not in risks:
            risks[tags] = risk(tags)
        phones = _drawn(_PHONES, pick())
        first = first_phone + 4 * number
        yield Resident(
            number,
            f"{code}-{place:04d}",
            code,
            people.name(rng),
            _address(grid, place),
            lon,
            lat,
            tags,
            risks[tags],
            1 if "lives_alone" in tags else _drawn(_SIZES, pick()),
            tuple(people.phone(first + owner) for owner in range(phones)),
            people.wechat(number) if phones and pick() < _WECHAT else None,
            people.email(number) if phones and pick() < _EMAIL else None,
        )


def _drawn(thresholds: tuple[tuple[float, int], ...], chance: float) -> int:
    return next(value for threshold, value in thresholds if chance < threshold)


def _tags(grid: PlannedGrid, rng: random.Random) -> tuple[str, ...]:
    pick = rng.random
    tags = [tag for tag, urban, rural in _TAGS if pick() < (urban if grid.urban else rural)]
    if grid.low_lying and pick() < 0.9:
        tags.append("low_lying")
    if grid.landslide and pick() < 0.5:
        tags.append("landslide")
    if grid.riverside and pick() < 0.6:
        tags.append("riverside")
    return tuple(sorted(tags))


def _address(grid: PlannedGrid, place: int) -> str:
    if grid.urban:
        building, floor = 1 + place // 60, 1 + place % 60 // 4
        return f"{grid.village_name}{building}幢{1 + place % 2}单元{floor}0{1 + place % 4}室"
    return f"{grid.village_name}{grid.region.name[1:-2]}组{place}号"
