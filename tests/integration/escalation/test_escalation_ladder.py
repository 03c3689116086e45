"""A silent unit climbs the ladder of its policy to the end; whatever settles or ends it stops the climb at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from audiences.selection import Selection
from broadcaster.alerts.policy import EscalationAction, EscalationStep
from broadcaster.clock import ManualClock
from broadcaster.database import Database
from broadcaster.dispatch import closing
from broadcaster.escalation import links, tick
from broadcaster.escalation.settlement import settle_stored
from broadcaster.escalation.timeline import timeline
from tests.integration.escalation.conftest import COUNTY, LADDER, SILENCE, SMS, TOWN, VILLAGE, VOICE, County, policy

CANCELLED, SUBMITTED = 3, 4


async def test_silence_runs_through_every_step_to_the_end(county: County, clock: ManualClock) -> None:
    head, deputy = await county.village()
    leader, _ = await county.superiors()
    await county.household()
    await county.issue(1, households=True)
    start = clock.now()

    await county.silence()

    unit = await county.unit()
    assert unit["state"] == "exhausted"
    assert (unit["step"], unit["next_at"], unit["holderless"]) == (len(LADDER), None, False)
    log = await county.fetch(
        "SELECT action, at, step, asked FROM escalation_log WHERE unit_id = $1 ORDER BY id", unit["id"]
    )
    expected = [(moment.action.value, moment.seconds) for moment in timeline(policy())]
    assert [(row["action"], (row["at"] - start).total_seconds()) for row in log] == [*expected, ("exhausted", SILENCE)]
    assert [row["asked"] for row in log] == [1, 1, 1, 1, 0, 0, 0]
    assert [row["step"] for row in log] == [1, 2, 3, 4, 5, 6, 6]
    assert [(channel, address) for channel, address, _ in await county.messages(unit["id"])] == [
        ("sms", head.phone),
        ("wechat", "wechat-1"),
        ("voice", head.phone),
        ("sms", deputy.phone),
        ("voice", deputy.phone),
        ("sms", leader.phone),
        ("voice", leader.phone),
    ]
    assert await county.fetch("SELECT kind, state FROM duty_notice") == [{"kind": "call", "state": "open"}]
    assert await county.value("SELECT count(*) FROM door_task WHERE alert_id = 1 AND state = 'open'") == 1


@pytest.mark.parametrize("steps", range(1, len(LADDER) + 1))
async def test_a_confirmation_after_any_step_stops_everything_at_once(county: County, steps: int) -> None:
    head, _ = await county.village()
    await county.superiors()
    await county.issue(1)
    await county.tick()
    for step in LADDER[1:steps]:
        await county.later(step.after)
    before = await county.unit()

    await county.reply(head, "已收到，已转移30人")

    unit = await county.unit()
    assert before["step"] == steps
    assert (unit["state"], unit["step"], unit["next_at"]) == ("acknowledged", steps, None)
    assert (unit["acknowledged_by"], unit["via"], unit["moved"]) == (head.id, "sms", 30)
    assert unit["response_id"] == (await county.response())["id"]
    sent = await county.messages(unit["id"])
    mine = {(channel, address) for channel, address, state in sent if state == SUBMITTED}
    assert {state for _, _, state in sent} <= {SUBMITTED, CANCELLED}, "what had not gone out is withdrawn"
    assert (SMS, head.phone) in mine
    assert await county.fetch("SELECT 1 FROM duty_notice WHERE state = 'open'") == []
    await county.silence()
    assert await county.messages(unit["id"]) == sent
    assert (await county.actions(unit["id"]))[-1] == "acknowledged"


async def test_nothing_happens_before_its_time(county: County) -> None:
    await county.village()
    await county.issue(1)
    await county.tick()

    assert await county.later(119.9) == 0
    assert await county.later(0.1) == 1


async def test_the_deputy_may_confirm_what_the_head_was_asked(county: County) -> None:
    head, deputy = await county.village()
    await county.issue(1)
    await county.tick()

    await county.reply(deputy)

    unit = await county.unit()
    assert (unit["state"], unit["acknowledged_by"]) == ("acknowledged", deputy.id)
    assert {address for _, address, _ in await county.messages(unit["id"])} == {head.phone, "wechat-1"}


async def test_a_superior_confirms_once_asked_and_only_what_was_asked(county: County) -> None:
    await county.village()
    other = f"{TOWN}202"
    other_head, _ = await county.village(other)
    leader, _ = await county.superiors()
    await county.issue(1)
    await county.tick()

    await county.reply(leader)
    early = await county.response()
    await county.reply(other_head)
    await county.silence(420)
    await county.reply(leader)

    assert (early["intent"], early["outcome"]) == ("ambiguous", "several_units")
    assert (await county.unit())["acknowledged_by"] == leader.id
    assert (await county.unit(region=other))["acknowledged_by"] == other_head.id


async def test_two_heads_who_confirm_at_the_same_moment_settle_the_unit_once(
    county: County, clock: ManualClock
) -> None:
    first = await county.village()
    await county.issue(1)
    await county.tick()
    for number, who in enumerate(first):
        await county.tell(who)
        await county.keep(who, name=f"at-once-{number}")

    await asyncio.gather(*(settle_stored(county.database, clock.now(), bundle=1) for _ in range(4)))

    outcomes = await county.fetch("SELECT outcome FROM response ORDER BY outcome")
    assert [row["outcome"] for row in outcomes] == ["duplicate", "settled"]
    assert await county.value("SELECT count(*) FROM escalation_log WHERE action = 'acknowledged'") == 1


async def test_two_confirmations_in_one_bundle_settle_the_unit_once(county: County) -> None:
    head, deputy = await county.village()
    await county.issue(1)
    await county.tick()
    await county.tell(head)
    await county.keep(head)
    await county.keep(deputy)

    await county.settle()

    rows = await county.fetch("SELECT outcome, person_id FROM response ORDER BY id")
    assert [(row["outcome"], row["person_id"]) for row in rows] == [("settled", head.id), ("duplicate", deputy.id)]
    assert (await county.unit())["acknowledged_by"] == head.id


async def test_whoever_goes_off_duty_is_not_asked_and_does_not_count(county: County) -> None:
    await county.region(VILLAGE)
    leaving = await county.duty(await county.person(), VILLAGE, until=timedelta(seconds=60))
    coming = await county.duty(await county.person(), VILLAGE, since=timedelta(seconds=60))
    await county.issue(1)
    await county.tick()

    await county.later(60)
    await county.reply(leaving)
    late = await county.response()
    await county.later(60)

    assert late["outcome"] == "not_competent"
    unit = await county.unit()
    assert unit["state"] == "waiting"
    assert [address for _, address, _ in await county.messages(unit["id"])] == [leaving.phone, coming.phone]
    await county.reply(coming)
    assert (await county.unit())["acknowledged_by"] == coming.id


async def test_whoever_is_not_on_duty_yet_does_not_count(county: County) -> None:
    await county.village()
    future = await county.duty(await county.person(), VILLAGE, since=timedelta(hours=1))
    await county.issue(1)
    await county.tick()

    await county.reply(future)

    assert (await county.unit())["state"] == "waiting"


async def test_a_unit_without_anybody_on_duty_goes_straight_to_the_superior_and_is_flagged(county: County) -> None:
    await county.region(VILLAGE)
    leader, _ = await county.superiors()
    await county.issue(1)

    await county.tick()

    unit = await county.unit()
    assert (unit["holderless"], unit["step"], unit["state"]) == (True, 4, "waiting")
    assert [address for _, address, _ in await county.messages(unit["id"])] == [leader.phone, leader.phone]
    assert await county.fetch("SELECT kind, region FROM duty_notice") == [{"kind": "holderless", "region": VILLAGE}]
    await county.reply(leader)
    assert (await county.unit())["state"] == "acknowledged"


async def test_holders_without_any_address_are_as_good_as_none(county: County) -> None:
    await county.region(VILLAGE)
    await county.duty(await county.person(contacts=()), VILLAGE)
    leader, _ = await county.superiors()
    await county.issue(1)

    await county.tick()

    unit = await county.unit()
    assert unit["holderless"]
    assert {address for _, address, _ in await county.messages(unit["id"])} == {leader.phone}


async def test_the_deputy_is_asked_at_once_where_there_is_no_head(county: County) -> None:
    await county.region(VILLAGE)
    deputy = await county.duty(await county.person(), VILLAGE, rank="deputy")
    await county.issue(1)

    await county.tick()

    unit = await county.unit()
    assert (unit["holderless"], unit["step"]) == (False, 1)
    assert [address for _, address, _ in await county.messages(unit["id"])] == [deputy.phone]


async def test_a_step_that_finds_nobody_does_not_wait(county: County) -> None:
    await county.region(VILLAGE)
    await county.duty(await county.person(), VILLAGE)
    leader, _ = await county.superiors()
    await county.issue(1)
    await county.tick()

    await county.later(120)
    await county.later(120)  # the deputy's turn, but there is none: the superior is asked now

    unit = await county.unit()
    assert unit["step"] == 4
    assert leader.phone in {address for _, address, _ in await county.messages(unit["id"])}


async def test_the_county_is_asked_where_the_town_has_nobody(county: County) -> None:
    await county.village()
    desk = await county.duty(await county.person(), COUNTY, "duty_desk")
    await county.issue(1)

    await county.silence(420)

    unit = await county.unit()
    assert desk.phone in {address for _, address, _ in await county.messages(unit["id"])}
    await county.reply(desk)
    assert (await county.unit())["acknowledged_by"] == desk.id


async def test_with_nobody_anywhere_it_ends_at_the_duty_desk_at_once(county: County) -> None:
    await county.region(VILLAGE)
    await county.issue(1)

    await county.tick()

    kinds = await county.fetch("SELECT kind FROM duty_notice ORDER BY kind")
    assert [row["kind"] for row in kinds] == ["call", "holderless"]
    assert (await county.unit())["step"] == 5


async def test_a_policy_without_the_duty_desk_still_tells_it_in_the_end(county: County) -> None:
    await county.village()
    await county.issue(1, steps=policy(EscalationStep(0, EscalationAction.NOTIFY_PRIMARY, (SMS,))))

    await county.tick()

    assert (await county.unit())["state"] == "exhausted"
    assert await county.fetch("SELECT kind FROM duty_notice") == [{"kind": "exhausted"}]


async def test_an_exhausted_unit_may_still_be_confirmed_while_its_alert_is_open(county: County) -> None:
    head, _ = await county.village()
    await county.superiors()
    await county.issue(1)
    await county.silence()

    await county.reply(head)

    unit = await county.unit()
    assert (unit["state"], unit["step"]) == ("acknowledged", len(LADDER))


async def test_somebody_without_the_steps_channel_is_asked_on_another(county: County) -> None:
    await county.region(VILLAGE)
    await county.duty(await county.person(contacts=("email",)), VILLAGE)
    await county.issue(1)

    await county.tick()

    unit = await county.unit()
    assert [channel for channel, _, _ in await county.messages(unit["id"])] == ["email"]


async def test_a_leader_of_many_silent_villages_gets_a_text_for_each_but_one_call_and_answers_for_each(
    county: County, clock: ManualClock
) -> None:
    for number in range(201, 206):
        await county.region(f"{TOWN}{number}")
    leader, _ = await county.superiors()
    await county.issue(1)

    await county.tick()

    sent = await county.fetch(
        "SELECT b.channel, count(*)::int AS n FROM delivery d"
        " JOIN batch b ON b.alert_id = d.alert_id AND b.first = d.batch WHERE d.address = $1 GROUP BY 1 ORDER BY 1",
        leader.phone,
    )
    assert [(row["channel"], row["n"]) for row in sent] == [("sms", 5), ("voice", 1)]
    await county.reply(leader)
    assert (await county.response())["outcome"] == "several_units"
    assert await county.value("SELECT count(*) FROM unit WHERE state = 'acknowledged'") == 0
    ordinal = await county.value("SELECT min(ordinal) FROM delivery WHERE address = $1", leader.phone)
    await links.answer(county.database, 1, ordinal, "acknowledge", clock.now())
    assert await county.value("SELECT count(*) FROM unit WHERE state = 'acknowledged'") == 1


@pytest.mark.parametrize("ending", ["end", "expiry", "supersession"])
async def test_the_end_of_an_alert_ends_its_escalation(county: County, clock: ManualClock, ending: str) -> None:
    head, _ = await county.village()
    await county.issue(1, lasts=timedelta(minutes=3))
    await county.tick()

    async with county.database.transaction() as connection:
        if ending == "end":
            await closing.end(connection, 1, clock.now())
        elif ending == "supersession":
            await closing.supersede(connection, 1, 2, clock.now())
    if ending == "supersession":
        await county.issue(2, lineage=1)
    clock.advance(180)
    await closing.close_due(county.database, clock.now())
    sent = len(await county.messages((await county.unit())["id"]))

    assert await tick.tick(county.database, county.load_plan, clock.now()) == (1 if ending == "supersession" else 0)
    await tick.cancel_closed(county.database, clock.now())

    unit = await county.unit()
    assert (unit["state"], unit["next_at"]) == ("cancelled", None)
    assert len(await county.messages(unit["id"])) == sent
    assert (await county.actions(unit["id"]))[-1] == "cancelled"
    if ending != "supersession":
        await county.reply(head)
        assert (await county.response())["outcome"] == "late"
        assert (await county.unit())["state"] == "cancelled"


async def test_time_that_is_up_stops_a_step_even_before_the_run_is_closed(county: County) -> None:
    await county.village()
    await county.issue(1, lasts=timedelta(seconds=100))
    await county.tick()

    assert await county.later(120) == 0


async def test_an_update_asks_everybody_again_and_also_where_only_the_first_issue_did(county: County) -> None:
    await county.village()
    other = f"{TOWN}202"
    await county.village(other)
    await county.issue(1)
    await county.tick()

    await county.issue(2, lineage=1, regions=(other,))

    states = await county.fetch("SELECT alert_id, region, state FROM unit ORDER BY alert_id, region")
    assert [tuple(row.values()) for row in states] == [
        (1, VILLAGE, "cancelled"),
        (1, other, "cancelled"),
        (2, VILLAGE, "waiting"),
        (2, other, "waiting"),
    ]


async def test_an_all_clear_tells_those_who_were_asked_and_asks_nobody(county: County) -> None:
    head, deputy = await county.village()
    await county.issue(1)
    await county.tick()
    await county.value("UPDATE delivery SET state = 4, attempts = 1")

    quiet = policy()
    await county.issue(2, lineage=1, steps=type(quiet)((), False, (), ()))

    told = await county.fetch("SELECT address FROM delivery WHERE alert_id = 2 ORDER BY address")
    assert [row["address"] for row in told] == [head.phone, "wechat-1"]
    assert deputy.phone not in {row["address"] for row in told}
    assert await county.fetch("SELECT 1 FROM unit WHERE alert_id = 2") == []


async def test_an_update_is_told_to_everybody_whom_the_alert_before_had_asked(county: County) -> None:
    head, deputy = await county.village()
    leader, _ = await county.superiors()
    await county.issue(1)
    await county.tick()
    for step in LADDER[1:4]:
        await county.later(step.after)
    for who in (head, deputy, leader):
        await county.tell(who)

    await county.issue(2, lineage=1)
    await county.tick()

    unit = await county.unit(2)
    rows = await county.fetch("SELECT address, unit_id FROM delivery WHERE alert_id = 2")
    assert {row["address"] for row in rows} >= {head.phone, deputy.phone, leader.phone}
    assert {row["unit_id"] for row in rows} == {unit["id"]}, "what they are told is about this alert's unit"
    texts = await county.messages(unit["id"])
    assert sum(channel == "sms" and address == head.phone for channel, address, _ in texts) == 1


async def test_units_follow_the_policy_s_roles(county: County) -> None:
    await county.village()
    grid = await county.region(f"{VILLAGE}001")
    await county.duty(await county.person(), grid, "grid_leader")

    await county.issue(1, steps=policy(roles=("village_head", "grid_leader")))
    await county.tick()

    units = await county.fetch("SELECT region, role FROM unit ORDER BY region")
    assert [tuple(row.values()) for row in units] == [(VILLAGE, "village_head"), (grid, "grid_leader")]


async def test_units_exist_for_villages_known_only_by_their_people_and_homes(county: County) -> None:
    by_duty, by_home = f"{TOWN}301", f"{TOWN}302"
    await county.duty(await county.person(), by_duty)
    await county.household(f"{by_home}001")

    await county.issue(1)

    units = await county.fetch("SELECT region FROM unit ORDER BY region")
    assert [row["region"] for row in units] == [by_duty, by_home]


async def test_an_area_by_shape_asks_the_villages_inside(county: County) -> None:
    await county.region(VILLAGE)
    inside = Selection(circles=((121.5, 29.8, 1.0),))
    outside = Selection(circles=((122.5, 29.8, 1.0),))

    await county.issue(1, selection=inside)
    await county.issue(2, selection=outside)

    assert [row["alert_id"] for row in await county.fetch("SELECT alert_id FROM unit")] == [1]


async def test_creating_the_units_twice_changes_nothing(county: County, clock: ManualClock) -> None:
    from broadcaster.escalation.units import open_units

    await county.village()
    plan = await county.issue(1)
    await county.tick()
    before = await county.unit()

    async with county.database.transaction() as connection:
        await open_units(connection, plan, clock.now())

    assert await county.unit() == before


async def test_two_ticks_at_once_take_every_unit_once(county: County, database: Database, clock: ManualClock) -> None:
    for number in range(201, 261):
        await county.village(f"{TOWN}{number}")
    await county.issue(1)

    counts = await asyncio.gather(*(tick.tick(database, county.load_plan, clock.now(), bundle=20) for _ in range(4)))

    assert sum(counts) == 60
    assert await county.value("SELECT count(*) FROM escalation_log") == 60
    assert await county.value("SELECT count(*) FROM delivery") == 120
    assert await county.value("SELECT next FROM run_ordinal WHERE alert_id = 1") == 120


async def test_a_tick_that_dies_leaves_everything_as_it_was(county: County, clock: ManualClock) -> None:
    await county.village()
    await county.issue(1)

    with pytest.raises(ZeroDivisionError):
        async with county.database.transaction():
            await tick.tick(county.database, county.load_plan, clock.now())
            raise ZeroDivisionError

    assert (await county.unit())["step"] == 0
    assert await county.fetch("SELECT 1 FROM delivery") == []
    assert await county.tick() == 1


async def test_steps_missed_while_the_system_was_down_are_not_fired_all_at_once(county: County) -> None:
    await county.village()
    await county.issue(1)
    await county.tick()

    await county.later(3600)

    assert (await county.unit())["step"] == 2


async def test_phones_ring_for_somebody_only_reachable_by_landline(county: County) -> None:
    await county.region(VILLAGE)
    who = await county.person(contacts=())
    await county.value("INSERT INTO contact (person_id, medium, address) VALUES ($1, 'phone', '057488123456')", who.id)
    await county.duty(who, VILLAGE)
    await county.issue(1)

    await county.tick()

    unit = await county.unit()
    assert [(channel, address) for channel, address, _ in await county.messages(unit["id"])] == [
        (VOICE.value, "057488123456")
    ]


async def test_a_tick_and_the_fan_out_take_ordinals_and_doors_in_the_same_order(county: County) -> None:
    await county.village()
    household, _ = await county.household()
    steps = (
        EscalationStep(0, EscalationAction.DOOR_TASKS),
        EscalationStep(0, EscalationAction.NOTIFY_PRIMARY, (SMS,)),
    )
    await county.issue(1, households=True, steps=policy(*steps))
    planning = asyncio.Event()

    async def climb() -> int:
        await planning.wait()
        return await tick.tick(county.database, county.load_plan, county.clock.now())

    ticking = asyncio.create_task(climb())  # outside of the transaction, not to inherit it
    async with county.database.transaction() as connection:  # as a visit does that plans a step and gives a home up
        await connection.execute("UPDATE run_ordinal SET next = next WHERE alert_id = 1")
        planning.set()
        await asyncio.sleep(0.3)
        await connection.execute(
            "INSERT INTO door_task (alert_id, household_id, region, reason, created_at) VALUES (1, $1, $2, 'x', now())",
            household,
            f"{VILLAGE}001",
        )
    assert await ticking == 1
