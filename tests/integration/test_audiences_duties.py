"""Who holds a duty at a moment, who stands above, whose word counts, and whose address it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from audiences import duties
from audiences.records import Contact, Duty, Household, Person, Rank, Role
from broadcaster.database import Database

NOW = datetime(2026, 8, 9, tzinfo=UTC)
DAY = timedelta(days=1)
COUNTY, TOWN, VILLAGE, GRID = "330212", "330212001", "330212001001", "330212001001001"


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.connection() as raw:
        yield raw


async def holder(
    name: str,
    region: str,
    role: Role,
    *,
    rank: Rank = Rank.PRIMARY,
    since: datetime = NOW,
    until: datetime | None = None,
) -> int:
    person = await Person.create(external_id=name, name=name, language="zh-CN")
    await Duty.create(person_id=person.id, region_code=region, role=role, rank=rank, valid_from=since, valid_to=until)
    return int(person.id)


@pytest.fixture
async def people(connection: asyncpg.Connection) -> dict[str, int]:
    return {
        "deputy": await holder("副书记", VILLAGE, Role.VILLAGE_HEAD, rank=Rank.DEPUTY),
        "head": await holder("书记", VILLAGE, Role.VILLAGE_HEAD),
        "former": await holder("前书记", VILLAGE, Role.VILLAGE_HEAD, since=NOW - DAY, until=NOW),
        "next": await holder("候任", VILLAGE, Role.VILLAGE_HEAD, since=NOW + DAY),
        "leader": await holder("网格长", GRID, Role.GRID_LEADER),
        "mayor": await holder("镇长", TOWN, Role.TOWN_LEADER),
        "desk": await holder("值班室", COUNTY, Role.DUTY_DESK),
    }


async def test_holders_are_those_of_the_moment_primary_first(
    connection: asyncpg.Connection, people: dict[str, int]
) -> None:
    now = await duties.holders(connection, [VILLAGE, TOWN], Role.VILLAGE_HEAD, NOW)
    assert [who.person_id for who in now] == [people["head"], people["deputy"]]
    assert [who.rank for who in now] == [Rank.PRIMARY, Rank.DEPUTY]
    before = await duties.holders(connection, [VILLAGE], Role.VILLAGE_HEAD, NOW - timedelta(seconds=1))
    assert [who.person_id for who in before] == [people["former"]]
    later = await duties.holders(connection, [VILLAGE], Role.VILLAGE_HEAD, NOW + DAY)
    assert people["next"] in [who.person_id for who in later]


async def test_units_are_the_regions_that_somebody_answers_for(
    connection: asyncpg.Connection, people: dict[str, int]
) -> None:
    assert await duties.regions_with(connection, [COUNTY], Role.VILLAGE_HEAD, NOW) == [VILLAGE]
    assert await duties.regions_with(connection, [TOWN, VILLAGE], Role.GRID_LEADER, NOW) == [GRID]
    assert await duties.regions_with(connection, ["330213"], Role.GRID_LEADER, NOW) == []


def test_the_superior_is_one_level_up_and_the_county_has_none() -> None:
    assert duties.superior(GRID) == (VILLAGE, Role.VILLAGE_HEAD)
    assert duties.superior(VILLAGE) == (TOWN, Role.TOWN_LEADER)
    assert duties.superior(TOWN) == (COUNTY, Role.DUTY_DESK)
    assert duties.superior(COUNTY) is None


async def test_superiors_of_many_regions_come_at_once_each_once(
    connection: asyncpg.Connection, people: dict[str, int]
) -> None:
    found = await duties.superiors(connection, [GRID, "330212001001002", VILLAGE, COUNTY], NOW)
    assert [who.person_id for who in found] == [people["mayor"], people["head"], people["deputy"]]


async def test_any_holder_and_the_next_superior_are_competent_and_nobody_else(
    connection: asyncpg.Connection, people: dict[str, int]
) -> None:
    async def competent_for(region: str, role: Role) -> set[str]:
        return {
            name for name, person in people.items() if await duties.competent(connection, person, region, role, NOW)
        }

    assert await competent_for(VILLAGE, Role.VILLAGE_HEAD) == {"head", "deputy", "mayor"}
    assert await competent_for(GRID, Role.GRID_LEADER) == {"leader", "head", "deputy"}
    assert await competent_for(COUNTY, Role.DUTY_DESK) == {"desk"}


async def test_an_address_leads_to_its_duties_and_households(
    connection: asyncpg.Connection, people: dict[str, int]
) -> None:
    phone = "15400000001"
    homes = [await Household.create(external_id=f"H{n}", region_code=GRID) for n in range(2)]
    for home in homes:
        await Contact.create(household_id=home.id, medium="phone", address=phone, region_code=GRID)
    await Contact.create(person_id=people["head"], medium="phone", address=phone)
    await Contact.create(person_id=people["desk"], medium="phone", address=phone, active=False)
    found = await duties.duties_at_address(connection, "phone", phone, NOW)
    assert [(who.person_id, who.region_code, who.role) for who in found] == [
        (people["head"], VILLAGE, Role.VILLAGE_HEAD)
    ]
    assert await duties.households_at_address(connection, "phone", phone) == [home.id for home in homes]
    assert await duties.households_at_address(connection, "wechat", phone) == []


async def test_a_holders_contacts_come_by_priority_each_address_once(
    connection: asyncpg.Connection, people: dict[str, int]
) -> None:
    home = await Household.create(external_id="H", region_code=GRID)
    head = people["head"]
    second = await Contact.create(person_id=head, medium="phone", address="15400000002", priority=1)
    first = await Contact.create(person_id=head, medium="phone", address="15400000001", priority=0)
    wechat = await Contact.create(person_id=head, medium="wechat", address="wxid_head", priority=0)
    await Contact.create(person_id=head, household_id=home.id, medium="phone", address="15400000001", priority=3)
    await Contact.create(person_id=head, medium="email", address="gone@mail.example", active=False)
    found = await duties.contacts(connection, [head, people["mayor"]])
    assert [contact.contact_id for contact in found] == [first.id, wechat.id, second.id]
    only = await duties.contacts(connection, [head], ["wechat"])
    assert [contact.address for contact in only] == ["wxid_head"]
