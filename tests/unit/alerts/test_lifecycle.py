"""Who may do what to an alert, when, and what must be there first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from broadcaster.alerts import lifecycle
from broadcaster.alerts.actor import Actor, Role
from broadcaster.alerts.alert import Alert, Area, Colour, Kind, MsgType, Scope, Status
from broadcaster.alerts.lifecycle import Action, ApprovalRules, Finding, Standing
from broadcaster.alerts.state import State
from broadcaster.errors import ForbiddenError, RuleError
from tests.harness.alerts import ADMINISTRATOR, APPROVER, AUTHOR, NOW, typhoon, update, with_info


def _codes(findings: Iterable[Finding]) -> set[str]:
    return {finding.code for finding in findings}


def _standing(**changes: Any) -> Standing:
    standing = Standing("330212_1", State.DRAFT, AUTHOR.name, None, False, Colour.RED, None)
    return replace(standing, **changes)


def test_a_complete_alert_has_nothing_in_the_way() -> None:
    assert lifecycle.issuable(typhoon(), NOW) == []


def test_everything_that_is_missing_is_named_at_once() -> None:
    empty = typhoon(hazard="", colour=None)
    empty = with_info(empty, headline=" ", instruction="", effective=None, expires=None, areas=())
    codes = {"hazard", "colour", "headline", "instruction", "effective", "expires", "area"}
    assert _codes(lifecycle.completeness(empty, NOW)) == codes
    with pytest.raises(RuleError) as caught:
        lifecycle.demand(lifecycle.completeness(empty, NOW), Action.SUBMIT)
    for word in ("灾种", "颜色", "标题", "行动", "生效时间", "失效时间", "区域"):
        assert word in caught.value.what


@pytest.mark.parametrize(
    ("alert", "code"),
    [
        (typhoon(infos=()), "info"),
        (typhoon(hazard="volcano"), "hazard"),
        (typhoon(status=Status.DRAFT), "status"),
        (typhoon(status=Status.SYSTEM), "status"),
        (typhoon(msg_type=MsgType.ACK), "type"),
        (typhoon(scope=Scope.PRIVATE), "scope"),
        (with_info(typhoon(), expires=NOW), "expired"),
        (with_info(typhoon(), effective=NOW + timedelta(hours=6)), "times"),
        (with_info(typhoon(), areas=(Area("x", polygons=(((0.0, 0.0),) * 4,)),)), "geometry"),
    ],
)
def test_what_would_mislead_is_found(alert: Alert, code: str) -> None:
    assert code in _codes(lifecycle.completeness(alert, NOW))


def test_an_all_clear_needs_neither_colour_nor_action() -> None:
    clear = with_info(typhoon(kind=Kind.ALL_CLEAR, colour=None), instruction="")
    assert lifecycle.issuable(clear, NOW) == []


def test_a_cancel_needs_no_area_of_its_own() -> None:
    cancel = with_info(update(typhoon(), "330212_2", MsgType.CANCEL, colour=None), areas=(), instruction="")
    assert lifecycle.issuable(cancel, NOW, [_standing(state=State.ISSUED)]) == []


@pytest.mark.parametrize(
    ("referenced", "code"),
    [
        ([], "predecessor"),
        ([_standing(state=State.APPROVED)], "predecessor-state"),
        ([_standing(state=State.ENDED)], "predecessor-state"),
        ([_standing(state=State.ISSUED, superseded_by="330212_9")], "predecessor-superseded"),
        ([_standing(state=State.ISSUED, rehearsal=True)], "predecessor-status"),
        ([_standing(state=State.ISSUED), _standing(state=State.ISSUED, identifier="b")], "predecessor-several"),
    ],
)
@pytest.mark.parametrize("msg_type", [MsgType.UPDATE, MsgType.CANCEL])
def test_an_update_or_cancel_follows_the_latest_issued_alert_of_its_own_kind_of_status(
    msg_type: MsgType, referenced: list[Standing], code: str
) -> None:
    assert _codes(lifecycle.succession(update(typhoon(), "330212_2", msg_type), referenced)) == {code}


def test_an_update_may_name_the_whole_lineage() -> None:
    lineage = [_standing(state=State.ISSUED, superseded_by="b"), _standing(state=State.ISSUED, identifier="b")]
    assert list(lifecycle.succession(update(typhoon(), "c"), lineage)) == []


_ALLOWED = {
    Action.EDIT: {State.DRAFT, State.REJECTED},
    Action.SUBMIT: {State.DRAFT, State.REJECTED},
    Action.RECALL: {State.IN_REVIEW},
    Action.APPROVE: {State.IN_REVIEW},
    Action.REJECT: {State.IN_REVIEW, State.APPROVED},
    Action.ISSUE: {State.APPROVED},
    Action.END: {State.ISSUED},
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", Action)
def test_nothing_happens_out_of_turn(action: Action, state: State) -> None:
    standing = _standing(state=state, approved_by=APPROVER.name)
    if state in _ALLOWED[action]:
        lifecycle.allow(action, ADMINISTRATOR, standing, ApprovalRules())
    else:
        with pytest.raises(RuleError, match=state.chinese):
            lifecycle.allow(action, ADMINISTRATOR, standing, ApprovalRules())


@pytest.mark.parametrize(
    ("action", "state", "actor"),
    [
        (Action.EDIT, State.DRAFT, APPROVER),
        (Action.SUBMIT, State.DRAFT, APPROVER),
        (Action.APPROVE, State.IN_REVIEW, AUTHOR),
        (Action.REJECT, State.IN_REVIEW, AUTHOR),
        (Action.END, State.ISSUED, AUTHOR),
        (Action.ISSUE, State.APPROVED, Actor("nobody", frozenset())),
    ],
)
def test_each_role_keeps_to_its_own(action: Action, state: State, actor: Actor) -> None:
    with pytest.raises(ForbiddenError, match="没有"):
        lifecycle.allow(action, actor, _standing(state=state), ApprovalRules())


def test_nobody_approves_what_they_wrote_unless_the_office_allows_it() -> None:
    both = Actor(AUTHOR.name, frozenset({Role.AUTHOR, Role.APPROVER}))
    standing = _standing(state=State.IN_REVIEW)
    with pytest.raises(ForbiddenError, match="自己"):
        lifecycle.allow(Action.APPROVE, both, standing, ApprovalRules())
    assert lifecycle.allow(Action.APPROVE, both, standing, ApprovalRules(self_approval=True)) is State.APPROVED


def test_a_red_alert_may_go_out_first_and_be_approved_afterwards_where_that_is_set() -> None:
    rules = ApprovalRules(issue_first=True)
    for state in (State.DRAFT, State.IN_REVIEW, State.REJECTED):
        assert lifecycle.allow(Action.ISSUE, AUTHOR, _standing(state=state), rules) is State.ISSUED
    with pytest.raises(RuleError):
        lifecycle.allow(Action.ISSUE, AUTHOR, _standing(colour=Colour.ORANGE), rules)
    with pytest.raises(RuleError):
        lifecycle.allow(Action.ISSUE, AUTHOR, _standing(), ApprovalRules())
    assert lifecycle.allow(Action.APPROVE, APPROVER, _standing(state=State.ISSUED), rules) is State.ISSUED


def test_an_exempt_colour_needs_no_approval() -> None:
    rules = ApprovalRules(exempt=frozenset({Colour.BLUE}))
    assert lifecycle.allow(Action.ISSUE, AUTHOR, _standing(colour=Colour.BLUE), rules) is State.ISSUED
    with pytest.raises(RuleError):
        lifecycle.allow(Action.ISSUE, AUTHOR, _standing(colour=Colour.YELLOW), rules)
