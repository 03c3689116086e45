"""The duty desk: what it is told to do, when that is over, and what it records by hand."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from broadcaster.alerts.policy import EscalationAction, EscalationStep
from broadcaster.clock import ManualClock
from broadcaster.dispatch import closing
from broadcaster.errors import ConflictError, NotFoundError, RuleError
from broadcaster.escalation import desk, tick
from tests.integration.escalation.conftest import SMS, VILLAGE, County, policy

EXHAUSTED = policy(EscalationStep(0, EscalationAction.NOTIFY_PRIMARY, (SMS,)))
CANCELLED = 3  # of a delivery


async def _confirm(county: County, unit_id: int, alert_id: int = 1, moved: int | None = None) -> None:
    async with county.database.transaction() as connection:
        await desk.confirm_unit(connection, alert_id, unit_id, county.clock.now(), written_by="wang.fang", moved=moved)


async def _close_help(county: County, help_id: int) -> None:
    async with county.database.transaction() as connection:
        await desk.close_help(connection, help_id, county.clock.now(), closed_by="wang.fang")


async def _end(county: County, how: str) -> None:
    """The alert ends as `how` says; a supersession is an Update with units of its own."""
    async with county.database.transaction() as connection:
        if how == "end":
            await closing.end(connection, 1, county.clock.now())
        elif how == "supersession":
            await closing.supersede(connection, 1, 2, county.clock.now())
    if how == "supersession":
        await county.issue(2, lineage=1)
    elif how == "expiry":
        county.clock.advance(timedelta(hours=6).total_seconds())
        await closing.close_due(county.database, county.clock.now())


async def _open_notices(county: County, alert_id: int = 1) -> list[str]:
    rows = await county.fetch(
        "SELECT kind FROM duty_notice WHERE alert_id = $1 AND state = 'open' ORDER BY id", alert_id
    )
    return [row["kind"] for row in rows]


@pytest.mark.parametrize("ending", ["end", "expiry", "supersession"])
@pytest.mark.parametrize("exhausted", [True, False])
async def test_nobody_is_to_be_called_about_a_unit_whose_alert_is_over(
    county: County, clock: ManualClock, ending: str, exhausted: bool
) -> None:
    await county.village()
    await county.superiors()
    await county.issue(1, steps=EXHAUSTED if exhausted else None)
    await county.silence(0 if exhausted else 540)
    assert await _open_notices(county) == (["exhausted"] if exhausted else ["call"])

    await _end(county, ending)
    if ending != "supersession":
        await tick.cancel_closed(county.database, clock.now())

    assert await _open_notices(county) == []
    assert await county.value("SELECT count(*) FROM duty_notice WHERE closed_at IS NULL") == 0
    assert (await county.unit())["state"] == ("exhausted" if exhausted else "cancelled")


@pytest.mark.parametrize("ending", ["end", "expiry", "supersession"])
async def test_a_call_for_help_outlasts_its_alert(county: County, clock: ManualClock, ending: str) -> None:
    head, _ = await county.village()
    await county.issue(1)
    await county.tick()
    await county.reply(head, "请求支援")

    await _end(county, ending)
    await tick.cancel_closed(county.database, clock.now())

    assert await _open_notices(county) == ["help"]


async def test_a_confirmation_by_telephone_settles_the_unit_as_a_reply_does(county: County) -> None:
    await county.village()
    await county.superiors()
    await county.issue(1)
    await county.silence(540)
    unit_id = (await county.unit())["id"]
    assert await _open_notices(county) == ["call"]

    await _confirm(county, unit_id, moved=12)

    unit = await county.unit()
    assert (unit["state"], unit["via"], unit["moved"], unit["next_at"]) == ("acknowledged", "desk", 12, None)
    assert (unit["acknowledged_by"], unit["response_id"]) == (None, None)
    assert {state for _, _, state in await county.messages(unit_id)} == {CANCELLED}
    assert (await county.actions(unit_id))[-1] == "acknowledged"
    notices = await county.fetch("SELECT state, closed_by FROM duty_notice")
    assert notices == [{"state": "done", "closed_by": "wang.fang"}]
    taken = await county.actions(unit_id)
    await county.silence()
    assert await county.actions(unit_id) == taken


async def test_an_exhausted_unit_may_be_confirmed_by_telephone(county: County) -> None:
    await county.village()
    await county.issue(1, steps=EXHAUSTED)
    await county.tick()

    await _confirm(county, (await county.unit())["id"])

    assert (await county.unit())["state"] == "acknowledged"
    assert await _open_notices(county) == []


async def test_a_unit_that_answered_is_not_confirmed_again(county: County) -> None:
    head, _ = await county.village()
    await county.issue(1)
    await county.tick()
    await county.reply(head, "收到，已转移5人")

    with pytest.raises(ConflictError):
        await _confirm(county, (await county.unit())["id"], moved=99)

    unit = await county.unit()
    assert (unit["via"], unit["moved"], unit["acknowledged_by"]) == ("sms", 5, head.id)


async def test_a_unit_of_another_alert_is_not_found(county: County) -> None:
    await county.village()
    await county.issue(1)
    await county.issue(2)
    other = (await county.unit(2))["id"]

    for unit_id in (other, other + 1000):
        with pytest.raises(NotFoundError):
            await _confirm(county, unit_id, alert_id=1)
    assert (await county.unit(2))["state"] == "waiting"


@pytest.mark.parametrize(
    ("ending", "said"),
    [("end", "已经结束"), ("expiry", "已经结束"), ("late", "已经结束"), ("supersession", "已有更新")],
)
@pytest.mark.parametrize("exhausted", [True, False])
async def test_a_unit_of_an_alert_that_is_over_is_not_confirmed(
    county: County, clock: ManualClock, ending: str, said: str, exhausted: bool
) -> None:
    await county.village()
    await county.issue(1, steps=EXHAUSTED if exhausted else None)
    await county.tick()
    unit = await county.unit()
    if ending == "late":  # over, but no worker has looked yet
        clock.advance(timedelta(hours=6).total_seconds())
    await _end(county, ending)

    with pytest.raises(RuleError, match=said):
        await _confirm(county, unit["id"])

    assert (await county.unit())["state"] in ("waiting", "exhausted", "cancelled")


async def test_a_reply_and_a_telephone_call_at_once_confirm_once(county: County) -> None:
    head, _ = await county.village()
    await county.issue(1)
    await county.tick()
    unit_id = (await county.unit())["id"]
    await county.keep(head)

    await asyncio.gather(_confirm(county, unit_id), county.settle(), return_exceptions=True)

    assert (await county.actions(unit_id)).count("acknowledged") == 1
    assert (await county.unit())["state"] == "acknowledged"


async def test_a_home_that_cries_under_two_alerts_is_heard_under_both(county: County) -> None:
    await county.region(VILLAGE)
    _, phone = await county.household()
    await county.issue(1, households=True, code="27")
    await county.reply(phone, "求助")
    await county.issue(2, households=True, code="28")

    await county.reply(phone, "求助 28")
    await county.reply(phone, "求助 28")

    rows = await county.fetch("SELECT alert_id, times FROM help_request WHERE state = 'open' ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [(1, 1), (2, 2)]
    assert await _open_notices(county, 1) == await _open_notices(county, 2) == ["help"]


async def test_a_second_cry_opens_the_desks_notice_again(county: County) -> None:
    await county.region(VILLAGE)
    _, phone = await county.household()
    await county.issue(1, households=True)
    await county.reply(phone, "求助")
    await county.value("UPDATE duty_notice SET state = 'done', closed_at = $1, closed_by = 'x'", county.clock.now())

    await county.reply(phone, "救命")

    rows = await county.fetch("SELECT state, closed_at, closed_by FROM duty_notice")
    assert rows == [{"state": "open", "closed_at": None, "closed_by": None}]


async def test_a_call_for_help_that_was_seen_to_is_closed_once_and_a_new_cry_is_a_new_one(county: County) -> None:
    await county.issue(1)
    await county.reply("13900009999", "救命")
    first = await county.value("SELECT id FROM help_request")

    await _close_help(county, first)
    with pytest.raises(ConflictError):
        await _close_help(county, first)

    closed = await county.fetch("SELECT q.state, n.state AS notice, n.closed_by FROM help_request q, duty_notice n")
    assert closed == [{"state": "done", "notice": "done", "closed_by": "wang.fang"}]
    await county.reply("13900009999", "救命")
    rows = await county.fetch(
        "SELECT q.state, n.state AS notice FROM help_request q"
        " JOIN duty_notice n ON n.help_request_id = q.id ORDER BY q.id"
    )
    assert [tuple(row.values()) for row in rows] == [("done", "done"), ("open", "open")]
