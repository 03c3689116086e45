"""What people answer is kept before it is acknowledged, understood once, and settles what it may settle."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from broadcaster.clock import ManualClock
from broadcaster.conservation import breaches
from broadcaster.dispatch import closing
from broadcaster.errors import ForbiddenError, NotFoundError
from broadcaster.escalation import links
from broadcaster.escalation.settlement import settle_stored
from broadcaster.ports import DeliveryKey, Reply
from broadcaster.responses import inbox
from tests.integration.escalation.conftest import COUNTY, SMS, TOWN, VILLAGE, VOICE, WECHAT, County


async def ordinal_for(county: County, alert_id: int, *, unit: bool) -> int:
    """The first delivery of an alert to a unit, or to a household."""
    kind = "unit_id" if unit else "household_id"
    ordinal: int = await county.value(
        f"SELECT min(ordinal) FROM delivery WHERE alert_id = $1 AND {kind} IS NOT NULL", alert_id
    )
    return ordinal


async def test_the_same_reply_twice_from_a_gateway_is_one(county: County) -> None:
    head, _ = await county.village()
    await county.issue(1)
    await county.tick()

    await county.reply(head, name="same")
    await county.reply(head, name="same")
    await county.reply(head, name="same", gateway="another")

    outcomes = await county.fetch("SELECT gateway, outcome FROM response ORDER BY id")
    assert [tuple(row.values()) for row in outcomes] == [("g", "settled"), ("another", "duplicate")]


async def test_replies_with_ids_and_texts_that_no_database_likes_are_kept(county: County, clock: ManualClock) -> None:
    await county.village()
    items = [Reply("a\0b", "138\0", "1\0 \ud800" + "长" * 5000, clock.now()), Reply("", "", "", clock.now())]

    await inbox.keep(county.database, "g", SMS, items, clock.now(), rehearsal=True)
    await inbox.keep(county.database, "g", SMS, [], clock.now(), rehearsal=True)
    await county.settle()

    assert await county.value("SELECT count(*) FROM response WHERE settled_at IS NOT NULL") == 2


async def test_what_was_kept_but_not_settled_is_found_by_the_sweep(county: County, clock: ManualClock) -> None:
    head, _ = await county.village()
    await county.issue(1)
    await county.tick()
    await county.tell(head)
    await county.keep(head)

    with pytest.raises(ZeroDivisionError):
        async with county.database.transaction():
            await settle_stored(county.database, clock.now())
            raise ZeroDivisionError
    assert (await county.unit())["state"] == "waiting"
    await county.settle()

    assert (await county.unit())["state"] == "acknowledged"


async def test_many_replies_settled_by_several_processes_settle_everything_once(
    county: County, clock: ManualClock
) -> None:
    heads = [(await county.village(f"{TOWN}{number}"))[0] for number in range(201, 231)]
    await county.issue(1)
    await county.tick()
    for head in heads:
        await county.tell(head)
    items = [Reply(f"{number}-{head.id}", head.phone, "收到", clock.now()) for number in range(3) for head in heads]
    await inbox.keep(county.database, "g", SMS, items, clock.now(), rehearsal=True)

    async def work() -> None:
        while await settle_stored(county.database, clock.now(), bundle=7):
            pass

    await asyncio.gather(*(work() for _ in range(4)))

    outcomes = await county.fetch("SELECT outcome, count(*)::int AS n FROM response GROUP BY 1 ORDER BY 1")
    assert [tuple(row.values()) for row in outcomes] == [("duplicate", 60), ("settled", 30)]
    assert await county.value("SELECT count(*) FROM unit WHERE state = 'acknowledged'") == 30
    assert await county.value("SELECT count(*) FROM escalation_log WHERE action = 'acknowledged'") == 30


@pytest.mark.parametrize("text", ["?", "什么", "没收到", "收到？", "11", "27", "明天停课吗"])
async def test_what_is_not_an_acknowledgement_leaves_the_unit_waiting(county: County, text: str) -> None:
    head, _ = await county.village()
    await county.issue(1, code="27")
    await county.tick()

    await county.reply(head, text)

    assert (await county.unit())["state"] == "waiting"
    response = await county.response()
    assert (response["intent"], response["outcome"]) == ("none", "not_understood")


async def test_with_two_alerts_open_a_bare_answer_settles_none_and_the_sender_is_asked_which(
    county: County,
) -> None:
    head, _ = await county.village()
    await county.issue(1, code="27")
    await county.issue(2, code="28")
    await county.tick()

    await county.reply(head, "收到")
    await county.reply(head, "收到")

    response = await county.response()
    assert (response["intent"], response["outcome"]) == ("ambiguous", "several_alerts")
    assert await county.value("SELECT count(*) FROM unit WHERE state = 'waiting'") == 2
    assert await county.value("SELECT count(*) FROM question") == 1

    await county.reply(head, "1 28")
    assert (await county.unit(2))["state"] == "acknowledged"
    assert (await county.unit(1))["state"] == "waiting"
    await county.reply(head, "收到")
    assert (await county.unit(1))["state"] == "acknowledged"


async def test_nobody_is_asked_back_on_a_call(county: County) -> None:
    head, _ = await county.village()
    await county.issue(1, code="27")
    await county.issue(2, code="28")
    await county.tick()

    await county.reply(head, "1", VOICE)

    assert (await county.response())["intent"] == "ambiguous"
    assert await county.fetch("SELECT 1 FROM question") == []


async def test_a_key_pressed_in_a_call_answers_the_alert_of_that_call(county: County) -> None:
    head, _ = await county.village()
    await county.issue(1, code="27")
    await county.issue(2, code="28")
    await county.tick()
    key = DeliveryKey(2, await ordinal_for(county, 2, unit=True), 1)

    await county.reply(head, "1", VOICE, key=key)

    unit = await county.unit(2)
    assert (unit["state"], unit["via"]) == ("acknowledged", "voice")
    assert (await county.unit(1))["state"] == "waiting"


async def test_a_key_that_names_no_message_of_ours_falls_back_to_the_address(county: County) -> None:
    head, _ = await county.village()
    await county.issue(1)
    await county.tick()

    await county.reply(head, "1", VOICE, key=DeliveryKey(1, 999_999, 1))

    assert (await county.unit())["state"] == "acknowledged"


async def test_a_code_that_no_alert_has_settles_nothing(county: County) -> None:
    head, _ = await county.village()
    await county.issue(1, code="27")
    await county.tick()

    await county.reply(head, "1 99")

    assert (await county.response())["outcome"] == "unknown_code"
    assert (await county.unit())["state"] == "waiting"


async def test_a_drills_reply_never_settles_a_real_alert_nor_the_other_way_round(county: County) -> None:
    head, _ = await county.village()
    await county.issue(1, rehearsal=False)
    await county.tick()

    await county.reply(head, rehearsal=True)
    assert (await county.unit())["state"] == "waiting"
    await county.issue(2, rehearsal=True)
    await county.tick()
    await county.reply(head, rehearsal=False)

    assert (await county.unit(1))["state"] == "acknowledged"
    assert (await county.unit(2))["state"] == "waiting"


@pytest.mark.parametrize("notation", ["+86 {}", "86{}", "0086{}", " {} "])
async def test_the_sender_is_known_in_any_notation_of_his_number(county: County, notation: str) -> None:
    head, _ = await county.village()
    await county.issue(1)
    await county.tick()

    await county.tell(head)
    await county.reply(notation.format(head.phone))

    assert (await county.unit())["acknowledged_by"] == head.id


async def test_an_answer_by_wechat_is_matched_by_wechat_only(county: County) -> None:
    head, _ = await county.village()
    await county.issue(1)
    await county.tick()

    await county.reply(head, "1", WECHAT)
    assert (await county.response())["outcome"] == "unknown_sender"
    await county.reply("wechat-1", "1", WECHAT)

    assert (await county.unit())["via"] == "wechat"


async def test_a_stranger_settles_nothing_but_may_cry_for_help(county: County) -> None:
    await county.village()
    await county.issue(1)
    await county.tick()

    await county.reply("13900009999", "收到")
    assert (await county.response())["outcome"] == "unknown_sender"
    await county.reply("13900009999", "救命")
    await county.reply("13900009999", "救命！快来人")

    rows = await county.fetch("SELECT household_id, address, text, times, alert_id, region FROM help_request")
    assert [tuple(row.values()) for row in rows] == [(None, "13900009999", "救命！快来人", 2, None, "")]
    assert await county.fetch("SELECT kind, state FROM duty_notice") == [{"kind": "help", "state": "open"}]


async def test_a_residents_answer_counts_the_household_as_reached(county: County) -> None:
    await county.region(VILLAGE)
    household, phone = await county.household()
    await county.household()
    await county.issue(1, households=True)
    await county.value(
        "INSERT INTO door_task (alert_id, household_id, region, reason, created_at)"
        " VALUES (1, $1, $2, 'no_evidence', now())",
        household,
        VILLAGE,
    )

    await county.reply(phone)
    await county.reply(phone)

    rows = await county.fetch("SELECT household_id, state, reached_by FROM target ORDER BY state DESC")
    assert tuple(rows[0].values()) == (household, 1, "response")
    assert rows[1]["state"] == 0
    assert await county.value("SELECT reached FROM chunk WHERE region = $1", VILLAGE) == 1
    assert await county.value("SELECT state FROM door_task") == "done"
    assert (await county.response())["household_id"] == household
    async with county.database.connection() as connection:
        assert await breaches(connection, 1) == []


async def test_a_residents_bare_answer_with_two_alerts_open_counts_for_none(county: County) -> None:
    await county.region(VILLAGE)
    _, phone = await county.household()
    await county.issue(1, households=True, code="27")
    await county.issue(2, households=True, code="28")

    await county.reply(phone)
    assert (await county.response())["intent"] == "ambiguous"
    assert await county.value("SELECT count(*) FROM target WHERE state = 1") == 0
    await county.reply(phone, "1 28")

    assert await county.value("SELECT alert_id FROM target WHERE state = 1") == 2
    assert await county.fetch("SELECT 1 FROM question") == [], "residents are not asked back by the thousand"


async def test_a_residents_cry_for_help_is_raised_for_the_household(county: County) -> None:
    await county.region(VILLAGE)
    household, phone = await county.household()
    await county.issue(1, households=True)

    await county.reply(phone, "救命，水进来了")
    await county.reply(phone, "求助")

    rows = await county.fetch("SELECT alert_id, household_id, region, address, text, times, state FROM help_request")
    assert [tuple(row.values()) for row in rows] == [(1, household, f"{VILLAGE}001", phone, "求助", 2, "open")]
    assert await county.value("SELECT state FROM target") == 1
    assert len(await county.fetch("SELECT 1 FROM duty_notice")) == 1


async def test_after_a_request_is_closed_a_new_cry_opens_a_new_one(county: County) -> None:
    await county.region(VILLAGE)
    _, phone = await county.household()
    await county.issue(1, households=True)
    await county.reply(phone, "求助")
    await county.value("UPDATE help_request SET state = 'done'")

    await county.reply(phone, "求助")

    assert await county.value("SELECT count(*) FROM help_request") == 2


async def test_a_heads_cry_for_help_is_raised_for_the_unit_and_does_not_confirm_it(county: County) -> None:
    head, _ = await county.village()
    await county.issue(1)
    await county.tick()

    await county.reply(head, "收到，请求支援")

    unit = await county.unit()
    rows = await county.fetch("SELECT unit_id, person_id, region FROM help_request")
    assert [tuple(row.values()) for row in rows] == [(unit["id"], head.id, VILLAGE)]
    assert unit["state"] == "waiting"


async def test_confirming_a_unit_also_reaches_the_home_of_whoever_confirmed(county: County) -> None:
    await county.region(VILLAGE)
    household, _ = await county.household()
    head = await county.duty(await county.person(home=household), VILLAGE)
    await county.issue(1, households=True)
    await county.tick()

    await county.reply(head)

    assert await county.value("SELECT state FROM target WHERE household_id = $1", household) == 1


async def test_an_answer_to_the_alert_before_that_comes_late_does_not_settle_the_update(county: County) -> None:
    head, _ = await county.village()
    household, phone = await county.household()
    await county.issue(1, code="27", households=True)
    await county.tick()
    await county.tell(head)
    await county.tell(phone)
    await county.keep(head, "1 27")
    await county.keep(phone, "收到 27")
    county.clock.advance(20)
    async with county.database.transaction() as connection:
        await closing.supersede(connection, 1, 2, county.clock.now())
        await connection.execute("UPDATE alert SET state = 'superseded' WHERE id = 1")
    await county.issue(2, code="27", lineage=1, households=True)
    await county.tick()
    for who in (head, phone):
        await county.tell(who)

    await county.settle()

    assert (await county.unit(2))["state"] == "waiting"
    assert await county.value("SELECT state FROM target WHERE alert_id = 2 AND household_id = $1", household) == 0
    outcomes = await county.fetch("SELECT outcome FROM response ORDER BY id")
    assert [row["outcome"] for row in outcomes] == ["late", "too_early"]
    await county.reply(head, "1 27")
    assert (await county.unit(2))["state"] == "acknowledged"


async def test_nobody_answers_what_has_not_left_yet(county: County) -> None:
    head, deputy = await county.village()
    await county.issue(1)
    await county.tick()

    await county.reply(head, told=False)
    assert ((await county.response())["outcome"], (await county.unit())["state"]) == ("too_early", "waiting")
    await county.reply(deputy, told=False)
    assert (await county.unit())["acknowledged_by"] == deputy.id, "who was sent nothing may have it from anybody"


async def test_a_link_confirms_its_unit_whatever_else_is_open(county: County, clock: ManualClock) -> None:
    head, _ = await county.village()
    await county.issue(1, code="27")
    await county.issue(2, code="28", rehearsal=False)
    await county.tick()
    ordinal = await ordinal_for(county, 2, unit=True)

    first = await links.answer(county.database, 2, ordinal, "acknowledge", clock.now(), key="k")
    again = await links.answer(county.database, 2, ordinal, "acknowledge", clock.now(), key="k")

    assert first is not None
    assert (first.outcome.value, first.alert_id) == ("settled", 2)
    assert again is None
    unit = await county.unit(2)
    assert (unit["state"], unit["via"], unit["acknowledged_by"]) == ("acknowledged", "link", head.id)
    assert (await county.unit(1))["state"] == "waiting"


async def test_a_link_of_somebody_relieved_meanwhile_does_not_confirm(county: County, clock: ManualClock) -> None:
    await county.region(VILLAGE)
    await county.duty(await county.person(), VILLAGE, until=timedelta(minutes=1))
    await county.issue(1)
    await county.tick()
    clock.advance(60)

    with pytest.raises(ForbiddenError):
        await links.answer(county.database, 1, await ordinal_for(county, 1, unit=True), "acknowledge", clock.now())

    assert (await county.unit())["state"] == "waiting"


async def test_a_residents_link_reaches_and_asks_for_help(county: County, clock: ManualClock) -> None:
    await county.region(VILLAGE)
    household, _ = await county.household()
    await county.issue(1, households=True)
    ordinal = await ordinal_for(county, 1, unit=False)

    await links.answer(county.database, 1, ordinal, "help", clock.now(), note="三楼，没有电")

    assert await county.value("SELECT state FROM target WHERE household_id = $1", household) == 1
    assert await county.value("SELECT text FROM help_request") == "求助 三楼，没有电"


async def test_a_link_to_a_message_that_is_not_there_is_not_found(county: County, clock: ManualClock) -> None:
    await county.issue(1)

    with pytest.raises(NotFoundError):
        await links.answer(county.database, 1, 0, "acknowledge", clock.now())


async def test_a_superiors_link_confirms_the_one_village_it_was_about(county: County, clock: ManualClock) -> None:
    await county.region(VILLAGE)
    other = await county.region(f"{TOWN}202")
    await county.superiors()
    await county.issue(1)
    await county.tick()
    unit = await county.unit(region=other)
    ordinal = await county.value("SELECT min(ordinal) FROM delivery WHERE unit_id = $1", unit["id"])

    await links.answer(county.database, 1, ordinal, "acknowledge", clock.now())

    assert (await county.unit(region=other))["state"] == "acknowledged"
    assert (await county.unit())["state"] == "waiting"


async def test_somebody_who_heads_two_villages_confirms_both_with_one_answer(county: County) -> None:
    head, _ = await county.village()
    other = await county.region(f"{TOWN}202")
    await county.duty(head, other)
    await county.issue(1)
    await county.tick()

    await county.reply(head)

    assert await county.value("SELECT count(*) FROM unit WHERE state = 'acknowledged'") == 2
    assert len((await county.response())["units"]) == 2


async def test_a_confirmation_withdraws_only_what_waits_for_its_own_unit(county: County) -> None:
    head, _ = await county.village()
    other = f"{TOWN}202"
    await county.village(other)
    await county.issue(1)
    await county.tick()

    await county.reply(head)

    states = await county.messages((await county.unit(region=other))["id"])
    assert {state for _, _, state in states} == {0}
    async with county.database.connection() as connection:
        assert await breaches(connection, 1) == []


async def test_replies_while_ticks_and_the_fan_out_run_lose_nothing_and_conserve(
    county: County, clock: ManualClock
) -> None:
    heads = []
    for number in range(201, 221):
        code = f"{TOWN}{number}"
        heads.append((await county.village(code))[0])
        for _ in range(3):
            await county.household(f"{code}001")
    await county.duty(await county.person(), COUNTY, "duty_desk")
    await county.issue(1, households=True)
    await county.tick()
    residents = await county.fetch("SELECT address FROM contact WHERE household_id IS NOT NULL ORDER BY id")

    async def answers() -> None:
        for number, head in enumerate(heads):
            await county.tell(head)
            await county.tell(residents[number]["address"])
            await county.keep(head)
            await county.keep(residents[number]["address"], "收到")
            await county.settle()

    async def climbing() -> None:
        for _ in range(20):
            await county.later(30)

    await asyncio.gather(answers(), answers(), climbing())

    assert await county.value("SELECT count(*) FROM unit WHERE state = 'acknowledged'") == 20
    assert await county.value("SELECT count(*) FROM target WHERE state = 1") == 20
    assert await county.value("SELECT count(*) FROM response WHERE settled_at IS NULL") == 0
    async with county.database.connection() as connection:
        assert await breaches(connection, 1) == []
