"""What the planner counts is what issuing makes: the fan-out and the first ask of escalation are its witnesses."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime

import pytest

from audiences.generator import plan as plan_district
from audiences.generator import store as store_district
from audiences.generator.places import DISTRICT_CODE
from audiences.selection import Selection
from broadcaster.alerts.policy import ChannelStep, EscalationAction, EscalationStep, Policy
from broadcaster.capacity import audience
from broadcaster.capacity.duty import duty_demand
from broadcaster.clock import ManualClock
from broadcaster.database import Database
from broadcaster.dispatch import fanout
from broadcaster.dispatch.plan import Plan
from broadcaster.escalation import tick
from broadcaster.escalation.units import open_units
from broadcaster.ports import Medium

SMS, WECHAT, VOICE, EMAIL = Medium.SMS, Medium.WECHAT, Medium.VOICE, Medium.EMAIL

LADDER = (
    EscalationStep(0, EscalationAction.NOTIFY_PRIMARY, (SMS, WECHAT)),
    EscalationStep(60, EscalationAction.NOTIFY_DEPUTY, (SMS, VOICE)),
    EscalationStep(60, EscalationAction.NOTIFY_SUPERIOR, (SMS, VOICE)),
    EscalationStep(60, EscalationAction.DUTY_DESK),
)
POLICIES = {
    "one step": Policy((ChannelStep((SMS,), 60),), loudspeakers=False, units=LADDER),
    "two at once, then more": Policy(
        (ChannelStep((WECHAT, EMAIL), 60), ChannelStep((SMS,), 60), ChannelStep((VOICE,), 60)), True, LADDER
    ),
    "the same medium twice": Policy((ChannelStep((SMS, VOICE), 60), ChannelStep((WECHAT,), 60)), True, LADDER),
    "nobody but people on duty": Policy((), False, LADDER, ("village_head", "grid_member")),
}


@pytest.fixture
async def county(database: Database) -> Database:
    """An invented county in which some households have lost contacts, and some have gone."""
    async with database.connection() as connection:
        await store_district(connection, plan_district(5, 600))
        chance = random.Random(5)
        ids = [row["id"] for row in await connection.fetch("SELECT id FROM household ORDER BY id")]
        for query, share in (
            ("DELETE FROM contact WHERE household_id = ANY($1::bigint[]) AND medium = 'phone'", 5),
            ("UPDATE contact SET active = false WHERE household_id = ANY($1::bigint[]) AND medium = 'wechat'", 6),
            ("DELETE FROM contact WHERE household_id = ANY($1::bigint[])", 20),
            ("UPDATE household SET active = false WHERE id = ANY($1::bigint[])", 15),
            ("UPDATE household SET risk = 10 WHERE id = ANY($1::bigint[])", 4),
        ):
            await connection.execute(query, chance.sample(ids, len(ids) // share))
    return database


def plan(policy: Policy, clock: ManualClock, alert_id: int = 7, lineage: int = 7, region: str = DISTRICT_CODE) -> Plan:
    ends = clock.now().replace(year=clock.now().year + 1)
    return Plan(alert_id, lineage, True, 0, ends, policy, Selection(regions=(region,)))


async def issue(database: Database, made: Plan, now: datetime) -> None:
    """Run, units, all first steps and the first ask, as a worker would make them."""

    async def load(_alert_id: int) -> Plan:
        return made

    async with database.transaction() as connection:
        await fanout.open_run(connection, made, now)
        await open_units(connection, made, now)
    while await fanout.advance(database, load, now) is not None:
        pass
    while await tick.tick(database, load, now):
        pass


async def written(database: Database, purpose: str) -> Counter[tuple[str, int, int]]:
    """Deliveries by channel, step and tier."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            """
            SELECT b.channel, b.step, b.tier, count(*)::int AS n
            FROM delivery d JOIN batch b ON b.alert_id = d.alert_id AND b.first = d.batch
            WHERE b.purpose = $1 AND b.alert_id = 7 GROUP BY 1, 2, 3
            """,
            purpose,
        )
    return Counter({(row["channel"], row["step"], row["tier"]): row["n"] for row in rows})


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
async def test_what_goes_out_at_once_is_what_the_fan_out_writes(
    county: Database, clock: ManualClock, policy: Policy
) -> None:
    made = plan(policy, clock)
    async with county.connection() as connection:
        demand = audience.demand_of(await audience.count_homes(connection, made), policy)
        terminals = await audience.count_terminals(connection, made)
        duty = await duty_demand(connection, made, clock.now())
    await issue(county, made, clock.now())

    foretold: Counter[tuple[str, int, int]] = Counter()
    for (step, channel), load in demand.loads.items():
        foretold[channel.value, step, 2] += load.at_once_vulnerable
        foretold[channel.value, step, 3] += load.at_once - load.at_once_vulnerable
    foretold["loudspeaker", 0, 1] += terminals
    assert +foretold == await written(county, "public")

    asked = Counter({(channel.value, 0, 0): n for ask in duty.asks[:1] for channel, n in ask.messages.items()})
    assert asked == await written(county, "unit")
    async with county.connection() as connection:
        assert duty.units == await connection.fetchval("SELECT count(*) FROM unit")
        if policy.households:
            assert demand.households == await connection.fetchval("SELECT count(*) FROM target")
            assert demand.unreachable == await connection.fetchval("SELECT count(*) FROM door_task")


async def test_later_steps_are_what_is_written_if_nobody_is_heard_of(county: Database, clock: ManualClock) -> None:
    policy = POLICIES["two at once, then more"]
    made = plan(policy, clock)

    async def load(_alert_id: int) -> Plan:
        return made

    async with county.connection() as connection:
        demand = audience.demand_of(await audience.count_homes(connection, made), policy)
        duty = await duty_demand(connection, made, clock.now())
    await issue(county, made, clock.now())
    for _ in range(12):
        clock.advance(60)
        while await fanout.advance(county, load, clock.now()) is not None:
            pass
        while await tick.tick(county, load, clock.now()):
            pass

    foretold = Counter(
        {(channel.value, step): one.at_once + one.if_silent for (step, channel), one in demand.loads.items()}
    )
    found: Counter[tuple[str, int]] = Counter()
    for (channel, step, tier), n in (await written(county, "public")).items():
        if tier > 1:
            found[channel, step] += n
    assert found == +foretold

    asked: Counter[str] = Counter()
    for ask in duty.asks:
        asked.update({channel.value: n for channel, n in ask.messages.items()})
    unit = await written(county, "unit")
    assert asked == Counter({channel: n for (channel, _, _), n in unit.items()})


async def test_an_update_is_for_those_who_were_told_before_as_well(county: Database, clock: ManualClock) -> None:
    async with county.connection() as connection:
        rows = await connection.fetch("SELECT code FROM region WHERE level = 3 ORDER BY code")
    policy = replace(POLICIES["one step"], units=())
    first = plan(policy, clock, region=rows[0]["code"])
    second = plan(policy, clock, alert_id=8, lineage=7, region=rows[1]["code"])
    async with county.connection() as connection:
        before = sum(one.households for one in await audience.count_homes(connection, second))
    await issue(county, first, clock.now())
    async with county.connection() as connection:
        after = sum(one.households for one in await audience.count_homes(connection, second))
        told = await connection.fetchval("SELECT count(*) FROM target WHERE alert_id = 7")
        waiting = await audience.count_waiting(connection, plan(policy, clock, alert_id=9, lineage=9))
        its_own = await audience.count_waiting(connection, second)
    assert told > 0
    assert after == before + told
    assert waiting[SMS] > 0
    assert its_own == {}, "what an Update replaces is not waited for"


async def test_an_area_without_anybody_has_nothing(county: Database, clock: ManualClock) -> None:
    made = plan(POLICIES["one step"], clock, region="330299")
    async with county.connection() as connection:
        assert await audience.count_homes(connection, made) == []
        assert (await duty_demand(connection, made, clock.now())).units == 0
        assert await audience.count_terminals(connection, made) == 0
        assert await audience.count_waiting(connection, made) == {}
