"""One unit on the ladder: who is asked, what waits, what does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.alerts.policy import EscalationAction, EscalationStep, Policy
from broadcaster.escalation.ladder import DueUnit, climb
from broadcaster.escalation.roster import Contact, Holder, Roster
from broadcaster.escalation.timeline import timeline
from broadcaster.ports import Medium

NOW = datetime(2026, 8, 9, 19, 0, tzinfo=UTC)
SMS, WECHAT, VOICE, EMAIL = Medium.SMS, Medium.WECHAT, Medium.VOICE, Medium.EMAIL
VILLAGE, TOWN = "330212001201", "330212001"
UNIT = DueUnit(1, 1, VILLAGE, "village_head", 0, holderless=False)

actions = st.sampled_from(list(EscalationAction))
steps = st.builds(
    EscalationStep, st.integers(0, 600).map(float), actions, st.just((SMS,)), st.integers(1, 3), st.just(90.0)
)
policies = st.lists(steps, min_size=1, max_size=8).map(lambda some: Policy((), False, tuple(some)))


def holder(number: int, rank: str = "primary") -> Holder:
    return Holder(number, number, rank, "zh-CN", (Contact(number, "phone", f"138{number:08d}"),))


def roster(*, primary: bool, deputy: bool, above: bool) -> Roster:
    own = [holder(1)] * primary + [holder(2, "deputy")] * deputy
    return Roster({(VILLAGE, "village_head"): own, (TOWN, "town_leader"): [holder(3)] * above})


rosters = st.builds(roster, primary=st.booleans(), deputy=st.booleans(), above=st.booleans())


@given(policies, rosters)
def test_every_silent_unit_reaches_the_end_and_the_duty_desk_hears_of_it(policy: Policy, people: Roster) -> None:
    unit, now, notices = UNIT, NOW, []
    for _ in range(len(policy.rungs) + 1):
        done = climb(unit, policy, people, now)
        assert done.step > unit.step
        notices += done.notices
        if done.next_at is None:
            break
        assert done.next_at > now
        unit, now = DueUnit(1, 1, VILLAGE, "village_head", done.step, done.holderless), done.next_at
    assert done.next_at is None
    assert done.step == len(policy.rungs)
    assert {"call", "exhausted"} & set(notices)


@given(policies)
def test_with_people_on_every_rung_it_happens_when_the_timeline_says(policy: Policy) -> None:
    people = roster(primary=True, deputy=True, above=True)
    unit, now, log = UNIT, NOW + timedelta(seconds=policy.units[0].after), []
    while True:
        done = climb(unit, policy, people, now)
        log += [(rung.action, (now - NOW).total_seconds()) for rung in done.rungs]
        if done.next_at is None:
            break
        unit, now = DueUnit(1, 1, VILLAGE, "village_head", done.step, done.holderless), done.next_at

    told = timeline(policy)
    assert [action for action, _ in log] == [moment.action for moment in told]
    assert all(abs(at - moment.seconds) < 0.01 for (_, at), moment in zip(log, told, strict=True))


@pytest.mark.parametrize("between", [EscalationAction.DUTY_DESK, EscalationAction.DOOR_TASKS])
@pytest.mark.parametrize("above", [True, False])
def test_on_the_way_to_the_superior_nothing_of_the_desk_or_grid_is_passed_over(
    between: EscalationAction, above: bool
) -> None:
    steps = (EscalationAction.NOTIFY_PRIMARY, EscalationAction.NOTIFY_DEPUTY, between, EscalationAction.NOTIFY_SUPERIOR)
    policy = Policy((), False, tuple(EscalationStep(0, action, (SMS,)) for action in steps))

    done = climb(UNIT, policy, roster(primary=False, deputy=False, above=above), NOW)

    assert "call" in done.notices if between is EscalationAction.DUTY_DESK else done.doors
    assert [one.person_id for one in done.rungs[0].asked] == ([3] if above else [])


def test_nobody_there_and_no_superior_step_asks_the_superior_on_the_spot() -> None:
    policy = Policy((), False, (EscalationStep(0, EscalationAction.NOTIFY_PRIMARY, (SMS,)),))

    done = climb(UNIT, policy, roster(primary=False, deputy=False, above=True), NOW)

    assert [one.person_id for one in done.rungs[0].asked] == [3]
    assert done.holderless


def test_a_unit_that_was_flagged_is_flagged_once() -> None:
    policy = Policy((), False, (EscalationStep(0, EscalationAction.NOTIFY_PRIMARY, (SMS,)),))
    flagged = DueUnit(1, 1, VILLAGE, "village_head", 0, holderless=True)

    assert climb(flagged, policy, roster(primary=False, deputy=False, above=False), NOW).notices == ["exhausted"]


def test_somebody_is_asked_on_the_steps_channels_else_on_the_first_that_works() -> None:
    person = Holder(1, 1, "primary", "zh-CN", (Contact(1, "wechat", "o1"), Contact(2, "email", "a@b.cn")))

    assert person.ways((WECHAT, SMS)) == [(WECHAT, person.contacts[0])]
    assert person.ways((SMS,)) == [(WECHAT, person.contacts[0])]
    assert person.ways((EMAIL, WECHAT)) == [(EMAIL, person.contacts[1]), (WECHAT, person.contacts[0])]


def test_no_text_message_goes_to_a_landline() -> None:
    person = Holder(1, 1, "primary", "zh-CN", (Contact(1, "phone", "057488123456"), Contact(2, "phone", "13800138000")))

    assert [contact.id for _, contact in person.ways((SMS,))] == [2]
    assert [contact.id for _, contact in person.ways((VOICE,))] == [1, 2]


def test_the_nearest_region_above_that_has_anybody_answers() -> None:
    desk = holder(9)
    people = Roster({("330212", "duty_desk"): [desk]})

    assert people.above(VILLAGE) == [desk]
    assert people.above("330212") == []
