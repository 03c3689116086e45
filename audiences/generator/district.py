"""The plan of an invented district: its regions with outlines, and how many households each grid has.

The whole follows from the seed and the sizes; the households themselves (`residents.py`) are made as a stream from it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise

from audiences.generator.places import DISTRICT_CODE, DISTRICT_NAME, DISTRICT_OUTLINE, TOWNS, Town, settlement_names
from audiences.generator.tiling import Point, Polygon, Share, middle, shared_rings, tile
from audiences.records import Level

FULL_VILLAGES = 500
FULL_GRIDS = 5_000


@dataclass(frozen=True, slots=True)
class PlannedRegion:
    """A region as it will be stored; grids have no stored outline, only the `shape` in which their homes lie."""

    code: str
    name: str
    level: Level
    shape: Polygon
    outline: Polygon | None

    @property
    def parent_code(self) -> str | None:
        return None if self.level is Level.COUNTY else self.code[:-3]

    @property
    def middle(self) -> Point:
        return middle(self.shape)


@dataclass(frozen=True, slots=True)
class PlannedGrid:
    """A grid, what its homes have in common, and how many there are."""

    region: PlannedRegion
    village_name: str
    urban: bool
    households: int
    first_household: int
    low_lying: bool
    landslide: bool
    riverside: bool


@dataclass(frozen=True, slots=True)
class District:
    """Everything but the people. `regions` from the county down; `grids` in code order."""

    seed: int
    households: int
    regions: tuple[PlannedRegion, ...]
    grids: tuple[PlannedGrid, ...]

    def at(self, level: Level) -> list[PlannedRegion]:
        return [region for region in self.regions if region.level is level]


@dataclass(frozen=True, slots=True)
class _Settlement:
    """A village before it has households."""

    region: PlannedRegion
    town: Town
    weight: float


def plan(seed: int, households: int, *, villages: int | None = None, grids: int | None = None) -> District:
    """A district of `households` homes: 500 villages and 5,000 grids from 50,000 homes on, in proportion below.

    ValueError for sizes that cannot be: fewer than one home, fewer grids than villages, a town without a village.
    """
    village_count = villages if villages is not None else max(2, min(FULL_VILLAGES, households // 100))
    grid_count = grids if grids is not None else max(village_count, min(FULL_GRIDS, households // 10))
    if households < 1 or village_count < 1 or not village_count <= grid_count <= 900 * village_count:
        raise ValueError("A district needs a household, a village, and 1 to 900 grids per village.")
    rng = random.Random(f"{seed}/plan")
    towns = _towns(village_count)
    if village_count > 900 * len(towns):
        raise ValueError("A town has at most 900 villages.")
    pieces = tile(DISTRICT_OUTLINE, [Share(town.area, (town.lon, town.lat)) for town in towns], rng)
    settlements = _settlements(towns, pieces, village_count, rng)
    county, town_regions, villages_outlined = _outlined(towns, pieces, settlements)
    planned = _grids(villages_outlined, grid_count, households, rng)
    regions = (county, *town_regions, *(s.region for s in villages_outlined), *(grid.region for grid in planned))
    return District(seed, households, regions, tuple(planned))


def _towns(villages: int) -> list[Town]:
    """All of them for a full district; a mix of streets and towns for a small one."""
    count = max(1, min(len(TOWNS), villages // 4))
    return [TOWNS[index * len(TOWNS) // count] for index in range(count)]


def _settlements(towns: list[Town], pieces: list[Polygon], count: int, rng: random.Random) -> list[_Settlement]:
    settlements = []
    for index, (town, piece) in enumerate(zip(towns, pieces, strict=True)):
        here = count * (index + 1) // len(towns) - count * index // len(towns)
        names = settlement_names(rng, here, urban=town.urban)
        shapes = tile(piece, [Share(rng.uniform(0.6, 1.6)) for _ in range(here)], rng)
        # Statistical codes: communities from 001, villages from 200.
        first = 1 if town.urban or here > 700 else 200
        for number, (name, shape) in enumerate(zip(names, shapes, strict=True), start=first):
            region = PlannedRegion(f"{town.code}{number:03d}", name, Level.VILLAGE, shape, None)
            settlements.append(_Settlement(region, town, rng.uniform(0.6, 1.5) * (2.0 if town.urban else 1.0)))
    return settlements


def _outlined(
    towns: list[Town], pieces: list[Polygon], settlements: list[_Settlement]
) -> tuple[PlannedRegion, list[PlannedRegion], list[_Settlement]]:
    """The county, the towns and the villages with outlines that share every corner."""
    corners = {corner for settlement in settlements for corner in settlement.region.shape}
    shapes = [settlement.region.shape for settlement in settlements]
    rings = shared_rings([DISTRICT_OUTLINE, *pieces, *shapes], corners)
    county = PlannedRegion(DISTRICT_CODE, DISTRICT_NAME, Level.COUNTY, DISTRICT_OUTLINE, rings[0])
    outlined_towns = [
        PlannedRegion(town.code, town.name, Level.TOWN, piece, ring)
        for town, piece, ring in zip(towns, pieces, rings[1:], strict=False)
    ]
    outlined = [
        _Settlement(PlannedRegion(s.region.code, s.region.name, Level.VILLAGE, s.region.shape, ring), s.town, s.weight)
        for s, ring in zip(settlements, rings[1 + len(towns) :], strict=True)
    ]
    return county, outlined_towns, outlined


def _grids(settlements: list[_Settlement], count: int, households: int, rng: random.Random) -> list[PlannedGrid]:
    grid_counts = _apportion(count - len(settlements), [s.weight for s in settlements])
    shapes = [
        (settlement, number, shape)
        for settlement, more in zip(settlements, grid_counts, strict=True)
        for number, shape in enumerate(
            tile(settlement.region.shape, [Share(rng.uniform(0.7, 1.4)) for _ in range(1 + more)], rng), start=1
        )
    ]
    homes = _apportion(households, [settlement.weight * rng.uniform(0.7, 1.3) for settlement, _, _ in shapes])
    planned = []
    first = 0
    for (settlement, number, shape), here in zip(shapes, homes, strict=True):
        region = PlannedRegion(f"{settlement.region.code}{number:03d}", f"第{number}网格", Level.GRID, shape, None)
        urban = settlement.town.urban
        planned.append(
            PlannedGrid(
                region=region,
                village_name=settlement.region.name,
                urban=urban,
                households=here,
                first_household=first,
                low_lying=rng.random() < 0.08,
                landslide=not urban and rng.random() < 0.06,
                riverside=rng.random() < 0.07,
            )
        )
        first += here
    return planned


def _apportion(total: int, weights: list[float]) -> list[int]:
    """`total` things shared out by weight, whole and complete."""
    whole = sum(weights)
    edges, reached = [0], 0.0
    for weight in weights:
        reached += weight
        edges.append(round(total * reached / whole))
    return [after - before for before, after in pairwise(edges)]
