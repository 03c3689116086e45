"""The invented district: the same from the same seed, whole at every size, and impossible to mistake for a real one."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from audiences import phone, tags
from audiences.generator import plan
from audiences.generator.district import District
from audiences.generator.places import DISTRICT_OUTLINE, TOWNS
from audiences.generator.residents import loudspeakers, officials, residents
from audiences.generator.tiling import Point, Polygon, area
from audiences.records import Level, Rank, Role
from channels.wechat import channel as wechat


@pytest.fixture(scope="module")
def district() -> District:
    return plan(7, 3_000, villages=60, grids=400)


def edges(ring: Polygon) -> list[tuple[Point, Point]]:
    return list(zip(ring, (*ring[1:], ring[0]), strict=True))


def inside(point: Point, convex: Polygon) -> bool:
    """Strictly inside a counter-clockwise convex polygon."""
    return all((b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0]) > 0 for a, b in edges(convex))


@pytest.mark.parametrize("level", [Level.TOWN, Level.VILLAGE])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_outlines_tile_the_district_edge_to_edge(seed: int, level: Level) -> None:
    planned = plan(seed, 3_000, villages=500, grids=500)
    uses = Counter(edge for region in planned.at(level) for edge in edges(region.outline or ()))
    assert set(uses.values()) == {1}
    county = planned.at(Level.COUNTY)[0].outline or ()
    assert {(a, b) for a, b in uses if (b, a) not in uses} == set(edges(county))
    areas = [area(region.outline or ()) for region in planned.at(level)]
    assert min(areas) > 0
    assert sum(areas) == pytest.approx(area(county), rel=1e-9)
    assert area(county) == pytest.approx(area(DISTRICT_OUTLINE), rel=1e-5)


def test_homes_and_loudspeakers_lie_inside_their_village(district: District) -> None:
    shapes = {region.code: region.shape for region in district.regions}
    for home in residents(district):
        assert inside((home.lon, home.lat), shapes[home.region_code])
        assert inside((home.lon, home.lat), shapes[home.region_code[:12]])
    for speaker in loudspeakers(district):
        assert inside((speaker.lon, speaker.lat), shapes[speaker.region_code])


def test_the_same_seed_gives_the_same_district_and_another_seed_another(district: District) -> None:
    again = plan(7, 3_000, villages=60, grids=400)
    assert again == district
    assert list(residents(again)) == list(residents(district))
    assert list(officials(again)) == list(officials(district))
    assert list(residents(plan(8, 3_000, villages=60, grids=400))) != list(residents(district))


@pytest.mark.parametrize("households", [1, 2, 30, 200, 5_000, 50_000])
def test_any_size_makes_a_sensible_district(households: int) -> None:
    planned = plan(1, households)
    assert sum(grid.households for grid in planned.grids) == households
    assert len({region.code for region in planned.regions}) == len(planned.regions)
    codes = {region.code for region in planned.regions}
    assert all(region.parent_code in codes for region in planned.regions if region.level is not Level.COUNTY)
    assert {region.parent_code for region in planned.at(Level.GRID)} == {r.code for r in planned.at(Level.VILLAGE)}


def test_a_full_district_has_its_25_real_towns_500_villages_and_5000_grids() -> None:
    planned = plan(1, 50_000)
    assert [(town.code, town.name) for town in planned.at(Level.TOWN)] == [(town.code, town.name) for town in TOWNS]
    assert len(planned.at(Level.VILLAGE)) == 500
    assert len(planned.at(Level.GRID)) == 5_000


def test_the_towns_are_those_of_the_public_list(shared: Path) -> None:
    with (shared / "data/regions/yinzhou_towns.csv").open(encoding="utf-8") as file:
        assert [(row["code"], row["name"]) for row in csv.DictReader(file)] == [
            (town.code, town.name) for town in TOWNS
        ]


def test_phones_are_well_formed_unique_and_of_no_carrier(district: District) -> None:
    numbers = [number for home in residents(district) for number in home.phones]
    numbers += [who.phone for who in officials(district)]
    assert len(numbers) == len(set(numbers))
    assert all(phone.normalise(number) == number and number.startswith("154") for number in numbers)


def test_homes_are_as_different_as_real_ones(district: District) -> None:
    homes = list(residents(district))
    assert {len(home.phones) for home in homes} == {0, 1, 2, 3, 4}
    assert 0.1 < sum(home.risk < 100 for home in homes) / len(homes) < 0.6
    assert all(home.risk == tags.risk(home.tags) for home in homes)
    seen = {tag for home in homes for tag in home.tags}
    assert {"lives_alone", "low_lying", "disabled", "pregnant"} <= seen
    assert all(home.wechat is None for home in homes if not home.phones)


def test_every_region_has_its_duty_holders(district: District) -> None:
    held = Counter((who.region_code, who.role, who.rank) for who in officials(district))
    for village in district.at(Level.VILLAGE):
        assert held[village.code, Role.VILLAGE_HEAD, Rank.PRIMARY] == 1
        assert held[village.code, Role.VILLAGE_HEAD, Rank.DEPUTY] == 1
    for grid in district.at(Level.GRID):
        assert held[grid.code, Role.GRID_LEADER, Rank.PRIMARY] == 1
        assert held[grid.code, Role.GRID_MEMBER, Rank.PRIMARY] == 1
    assert held["330212", Role.DUTY_DESK, Rank.PRIMARY] == 1
    assert len({who.external_id for who in officials(district)}) == held.total()


def test_every_village_has_one_to_three_loudspeakers_with_a_23_digit_code(district: District) -> None:
    speakers = list(loudspeakers(district))
    assert all(len(one.external_id) == 23 and one.external_id.isdigit() for one in speakers)
    counts = Counter(one.region_code for one in speakers)
    assert set(counts) == {village.code for village in district.at(Level.VILLAGE)}
    assert set(counts.values()) <= {1, 2, 3}


@pytest.mark.parametrize(("households", "villages", "grids"), [(0, None, None), (10, 5, 4), (10, 0, 0), (10, 1, 901)])
def test_impossible_sizes_are_refused(households: int, villages: int | None, grids: int | None) -> None:
    with pytest.raises(ValueError, match="A district needs"):
        plan(1, households, villages=villages, grids=grids)


def test_wechat_addresses_are_good_on_the_platform_where_their_people_are() -> None:
    district = plan(7, 3_000, villages=60, grids=400)
    assert {wechat.openid(home.wechat) == home.wechat for home in residents(district) if home.wechat} == {True}
    on_duty = list(officials(district))
    assert {wechat.address(who.wechat) == who.wechat for who in on_duty} == {True}
    heads = [who for who in on_duty if (who.role, who.rank) == (Role.VILLAGE_HEAD, Rank.PRIMARY)]
    assert 15 < sum(who.wechat.startswith("wecom:") for who in heads) < 45
    assert len({who.wechat for who in on_duty}) == len(on_duty)
