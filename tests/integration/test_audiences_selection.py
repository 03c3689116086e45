"""Selection in SQL against the plainest possible reckoning in Python."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import NamedTuple

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiences import generator, selection
from audiences.generator.places import DISTRICT_OUTLINE
from audiences.records import Level, Role
from audiences.selection import Ring, Selection
from broadcaster.database import Database

NOW = datetime(2026, 8, 9, tzinfo=UTC)
DISTRICT = generator.plan(5, 1_500, villages=40, grids=150)
CODES = [region.code for region in DISTRICT.regions]
# Nearer to an edge than this (degrees; 0.1 mm) rounding decides, and a point proves nothing.
ON_EDGE = 1e-9


class Home(NamedTuple):
    id: int
    region_code: str
    lon: float | None
    lat: float | None
    tags: list[str]
    risk: int
    size: int
    active: bool


class World:
    """Everything that is stored, in Python. No dataclass: hypothesis would print it all."""

    homes: list[Home]
    contacts: list[tuple[int, str]]
    terminals: list[asyncpg.Record]
    duties: list[asyncpg.Record]
    regions: list[asyncpg.Record]

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def read(self) -> None:
        fetch = self.connection.fetch
        homes = await fetch("SELECT id, region_code, lon, lat, tags, risk, size, active FROM household")
        contacts = await fetch("SELECT household_id, medium FROM contact WHERE active AND person_id IS NULL")
        self.homes = [Home(*row) for row in homes]
        self.contacts = [(row["household_id"], row["medium"]) for row in contacts]
        self.terminals = await fetch("SELECT * FROM terminal")
        self.duties = await fetch("SELECT * FROM duty WHERE valid_to IS NULL")
        self.regions = await fetch("SELECT code, lon, lat FROM region")


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with database.connection() as connection:
        await generator.store(connection, DISTRICT)
        await connection.execute("UPDATE household SET active = false WHERE id % 17 = 0")
        await connection.execute("UPDATE household SET lon = NULL, lat = NULL WHERE id % 23 = 0")
        await connection.execute("UPDATE contact SET active = false WHERE id % 11 = 0")
        await connection.execute("UPDATE terminal SET active = false WHERE id % 5 = 0")
        await connection.execute("UPDATE duty SET valid_to = $1 WHERE id % 7 = 0", NOW)
        stored = World(connection)
        await stored.read()
        yield stored


def side(point: tuple[float, float], ring: Ring) -> int | None:
    """1 inside, 0 outside, by winding number; None too near to the edge to say."""
    x, y = point
    winding = 0
    for (ax, ay), (bx, by) in zip(ring, (*ring[1:], ring[0]), strict=True):
        length = math.hypot(bx - ax, by - ay)
        cross = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        if length and abs(cross) / length < ON_EDGE:
            along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length
            if -ON_EDGE < along < length + ON_EDGE:
                return None
        if ay <= y < by and cross > 0:
            winding += 1
        elif by <= y < ay and cross < 0:
            winding -= 1
    return int(winding != 0)


def kilometres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """By the angle between two vectors, so that it shares no formula with the SQL."""

    def vector(lon: float, lat: float) -> tuple[float, float, float]:
        lon, lat = math.radians(lon), math.radians(lat)
        return math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)

    (x1, y1, z1), (x2, y2, z2) = vector(*a), vector(*b)
    cross = math.hypot(y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2)
    return selection.EARTH_RADIUS_KM * math.atan2(cross, x1 * x2 + y1 * y2 + z1 * z2)


def lies_in(chosen: Selection, code: str, lon: float | None, lat: float | None) -> bool | None:
    """Whether a place is selected; None when it is too near to an edge to say."""
    if any(code.startswith(prefix) for prefix in chosen.regions):
        return True
    if lon is None or lat is None:
        return False
    answers = [side((lon, lat), ring) for ring in chosen.polygons]
    for centre_lon, centre_lat, km in chosen.circles:
        off = kilometres((lon, lat), (centre_lon, centre_lat)) - km
        answers.append(None if abs(off) < 1e-6 else int(off < 0))
    return True if 1 in answers else None if None in answers else False


positions = st.tuples(st.floats(121.48, 121.97), st.floats(29.58, 29.94))
rings = st.lists(positions, min_size=3, max_size=9, unique=True).map(tuple)
circles = st.tuples(st.floats(121.4, 122.0), st.floats(29.5, 30.0), st.floats(0, 40))
selections = st.builds(
    Selection,
    regions=st.lists(st.sampled_from(CODES), max_size=4).map(tuple),
    polygons=st.lists(rings, max_size=2).map(tuple),
    circles=st.lists(circles, max_size=2).map(tuple),
    tags=st.sets(st.sampled_from(["low_lying", "lives_alone", "elderly", "no_such_tag"]), max_size=2).map(frozenset),
    roles=st.sets(st.sampled_from(list(Role)), max_size=2).map(frozenset),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=selections)
async def test_sql_selects_and_counts_what_a_plain_loop_does(world: World, chosen: Selection) -> None:
    condition, parameters = selection.where(chosen)
    rows = await world.connection.fetch(f"SELECT h.id FROM household h WHERE {condition}", *parameters)
    selected = {row["id"] for row in rows}
    sure: set[int] = set()
    unsure: set[int] = set()
    for home in world.homes:
        if home.active and (not chosen.tags or chosen.tags & set(home.tags)):
            inside = lies_in(chosen, home.region_code, home.lon, home.lat)
            (unsure if inside is None else sure if inside else set()).add(home.id)
    assert sure <= selected <= sure | unsure

    counted = await selection.count(world.connection, chosen, NOW)
    homes = [home for home in world.homes if home.id in selected]
    assert counted.households == len(homes)
    assert counted.people == sum(home.size for home in homes)
    assert counted.vulnerable == sum(home.risk < 100 for home in homes)
    assert counted.contacts == Counter(medium for home_id, medium in world.contacts if home_id in selected)

    villages = await selection.villages(world.connection, chosen)
    assert dict(villages) == Counter(home.region_code[:12] for home in homes)
    weights = Counter[str]()
    for home in homes:
        weights[home.region_code[:12]] += 100 - home.risk
    assert [weights[village] for village, _ in villages] == sorted(weights.values(), reverse=True)

    speakers = [lies_in(chosen, row["region_code"], row["lon"], row["lat"]) for row in world.terminals if row["active"]]
    assert speakers.count(True) <= counted.terminals <= speakers.count(True) + speakers.count(None)
    check_duty_holders(world, chosen, {home.region_code for home in homes}, counted.duty_holders)


def check_duty_holders(world: World, chosen: Selection, grids: set[str], counted: int) -> None:
    held = grids | {code[:12] for code in grids}
    where = {row["code"]: lies_in(chosen, row["code"], row["lon"], row["lat"]) for row in world.regions}
    sure: set[int] = set()
    possible: set[int] = set()
    for duty in world.duties:
        if chosen.roles and duty["role"] not in chosen.roles:
            continue
        inside = duty["region_code"] in held or where[duty["region_code"]]
        (possible if inside is None else sure if inside else set()).add(duty["person_id"])
    assert len(sure) <= counted <= len(sure | possible)


async def test_the_whole_district_is_everybody_by_code_by_outline_and_by_circle(world: World) -> None:
    everybody = sum(home.active for home in world.homes)
    by_code = await selection.count(world.connection, Selection(regions=("330212",)), NOW)
    assert by_code.households == everybody
    placed = sum(home.active and home.lon is not None for home in world.homes)
    by_outline = await selection.count(world.connection, Selection(polygons=(DISTRICT_OUTLINE,)), NOW)
    by_circle = await selection.count(world.connection, Selection(circles=((121.7, 29.76, 60.0),)), NOW)
    assert by_outline.households == by_circle.households == placed


async def test_nobody_is_selected_by_an_empty_selection(world: World) -> None:
    counted = await selection.count(world.connection, Selection(), NOW)
    assert (counted.households, counted.terminals, counted.duty_holders, counted.contacts) == (0, 0, 0, {})
    assert await selection.villages(world.connection, Selection()) == []


@pytest.mark.parametrize("centre", [(179.99, 10.0), (-179.99, 10.0), (50.0, 89.9), (50.0, -89.9), (0.0, 0.0)])
async def test_a_circle_reaches_over_the_date_line_and_the_pole(
    database: Database, centre: tuple[float, float]
) -> None:
    spots = [(179.95, 10.0), (-179.95, 10.0), (-130.0, 89.95), (50.0, 89.5), (-130.0, -89.95), (0.1, 0.1), (3.0, 3.0)]
    async with database.connection() as connection:
        await connection.executemany(
            "INSERT INTO household (external_id, region_code, lon, lat) VALUES ($1, '330212', $2, $3)",
            [(str(number), lon, lat) for number, (lon, lat) in enumerate(spots)],
        )
        condition, parameters = selection.where(Selection(circles=((*centre, 40.0),)))
        rows = await connection.fetch(f"SELECT h.lon, h.lat FROM household h WHERE {condition}", *parameters)
    assert {tuple(row) for row in rows} == {spot for spot in spots if kilometres(spot, centre) <= 40}


async def test_the_edge_of_a_small_polygon_is_sharp(database: Database) -> None:
    """A street block of about 100 m; the database's own test would take in whatever lies 20 m outside as well."""
    block = ((121.6, 29.8), (121.601, 29.8), (121.601, 29.801), (121.6, 29.801))
    spots = [(121.60099, 29.8005), (121.601, 29.8005), (121.60101, 29.8005), (121.6005, 29.80101), (121.59999, 29.8005)]
    async with database.connection() as connection:
        await connection.executemany(
            "INSERT INTO household (external_id, region_code, lon, lat) VALUES ($1, '330212', $2, $3)",
            [(str(number), lon, lat) for number, (lon, lat) in enumerate(spots)],
        )
        condition, parameters = selection.where(Selection(polygons=(block,)))
        rows = await connection.fetch(f"SELECT h.lon, h.lat FROM household h WHERE {condition}", *parameters)
    assert {tuple(row) for row in rows} == set(spots[:2])


async def test_a_prefix_and_a_shape_are_answered_by_their_indexes_even_in_a_generic_plan(world: World) -> None:
    await world.connection.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
    triangle = ((121.6, 29.7), (121.62, 29.7), (121.61, 29.72))
    for chosen, index in (
        (Selection(regions=("330212001",)), "household_region"),
        (Selection(polygons=(triangle,)), "household_place"),
        (Selection(circles=((121.6, 29.7, 1.0),)), "household_place"),
    ):
        condition, parameters = selection.where(chosen)
        plan = await world.connection.fetch(f"EXPLAIN SELECT h.id FROM household h WHERE {condition}", *parameters)
        assert index in "\n".join(row[0] for row in plan)
    await world.connection.execute("RESET plan_cache_mode; RESET enable_seqscan")


async def test_a_grid_belongs_to_its_village_and_town(world: World) -> None:
    for level in Level:
        code = DISTRICT.at(level)[0].code
        counted = await selection.count(world.connection, Selection(regions=(code,)), NOW)
        assert counted.households == sum(home.active and home.region_code.startswith(code) for home in world.homes)
