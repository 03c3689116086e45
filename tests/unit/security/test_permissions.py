"""Who may do what, where: the whole matrix, and the region rule against a brute-force oracle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.errors import ForbiddenError, OutsideError
from broadcaster.security.permissions import (
    ALLOWED,
    SYSTEM,
    Action,
    Actor,
    Grant,
    Role,
    may,
    require,
    require_somewhere,
    scopes,
    touches,
)

COUNTY, TOWN, VILLAGE, NEIGHBOUR = "330212", "330212101", "330212101001", "330213"
BESIDE = "330212102"

# role → what it may do inside its region, written out independently of the table in the code
MATRIX = {
    "viewer": "alert.see stations.see",
    "author": "alert.see alert.create alert.edit alert.submit alert.recall alert.issue alert.update alert.cancel"
    " alert.resend households.see unit.confirm help.close doors.assign"
    " audience.see contacts.correct audience.import duties.manage stations.see rules.veto",
    "approver": "alert.see alert.approve alert.reject alert.issue alert.end alert.cancel alert.resend"
    " households.see doors.assign audit.read audience.see stations.see rules.set rules.veto",
    "administrator": "alert.see accounts.manage gateways.manage templates.manage policies.manage audit.read"
    " audience.see contacts.correct audience.import duties.manage stations.see stations.manage rules.manage",
    "village_head": "alert.see households.see unit.confirm help.close doors.assign audience.see contacts.correct",
    "grid_member": "alert.see households.see unit.confirm help.close audience.see contacts.correct",
    "instrument": "readings.send",
}


def _actor(*grants: tuple[Role, str]) -> Actor:
    return Actor(1, "somebody", tuple(Grant(role, region) for role, region in grants))


# where the thing lies, seen from a role in TOWN → whether it is wholly inside, and whether it is inside in part
PLACES = {
    "own town": ([TOWN], True, True),
    "a village of it": ([VILLAGE], True, True),
    "a grid of it": ([VILLAGE + "001"], True, True),
    "the county round it": ([COUNTY], False, True),
    "everywhere": ([""], False, True),
    "the town beside": ([BESIDE], False, False),
    "a village of the town beside": ([BESIDE + "001"], False, False),
    "another county": ([NEIGHBOUR], False, False),
    "own town and the one beside": ([TOWN, BESIDE], False, True),
    "a village here and one beside": ([VILLAGE, BESIDE + "001"], False, True),
    "two villages of it": ([VILLAGE, TOWN + "002"], True, True),
    "nowhere": ([], False, False),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("place", PLACES)
def test_a_role_allows_exactly_its_actions_and_only_inside_its_region(role: Role, action: Action, place: str) -> None:
    regions, inside, in_part = PLACES[place]
    granted = action.value in MATRIX[role.value].split()
    actor = _actor((role, TOWN))
    assert may(actor, action, regions) is (granted and inside)
    assert touches(actor, action, regions) is (granted and in_part)
    if granted and inside:
        require(actor, action, regions)
    else:
        with pytest.raises(ForbiddenError):
            require(actor, action, regions)


def test_every_role_and_every_action_is_in_the_matrix() -> None:
    assert set(MATRIX) == {role.value for role in Role} == {role.value for role in ALLOWED}
    assert {name for names in MATRIX.values() for name in names.split()} == {action.value for action in Action}


def test_an_alert_that_reaches_outside_the_scope_is_forbidden_as_a_whole() -> None:
    actor = _actor((Role.AUTHOR, TOWN))
    assert not may(actor, Action.CREATE, [VILLAGE, NEIGHBOUR])
    with pytest.raises(ForbiddenError, match=NEIGHBOUR):
        require(actor, Action.CREATE, [VILLAGE, NEIGHBOUR])


def test_a_refusal_says_the_names_of_regions_as_soon_as_somebody_knows_them() -> None:
    with pytest.raises(OutsideError) as refused:
        require(_actor((Role.AUTHOR, TOWN)), Action.CREATE, [VILLAGE, NEIGHBOUR, BESIDE])
    refused.value.named({NEIGHBOUR: "邻县"})
    assert f"在 邻县、{BESIDE} 进行" in str(refused.value)
    with pytest.raises(OutsideError, match="在 全部地区 进行"):
        require(_actor((Role.ADMINISTRATOR, TOWN)), Action.MANAGE_ACCOUNTS, [""])


def test_nobody_may_act_on_an_alert_without_a_region() -> None:
    assert not may(SYSTEM, Action.ISSUE, [])


def test_grants_add_up_but_roles_do_not_travel_between_regions() -> None:
    actor = _actor((Role.AUTHOR, TOWN), (Role.APPROVER, NEIGHBOUR))
    assert may(actor, Action.ISSUE, [TOWN, NEIGHBOUR])
    assert not may(actor, Action.APPROVE, [TOWN])
    assert not may(actor, Action.CREATE, [NEIGHBOUR])


def test_seeing_needs_only_an_overlap_either_way() -> None:
    actor = _actor((Role.VIEWER, TOWN))
    assert touches(actor, Action.SEE, [COUNTY])
    assert touches(actor, Action.SEE, [VILLAGE])
    assert not touches(actor, Action.SEE, [NEIGHBOUR])
    assert not touches(_actor(), Action.SEE, [COUNTY])


def test_an_account_without_the_right_anywhere_is_told_so() -> None:
    with pytest.raises(ForbiddenError, match=r"没有该操作（households\.see）"):
        require_somewhere(_actor((Role.VIEWER, COUNTY)), Action.SEE_HOUSEHOLDS)
    assert require_somewhere(_actor((Role.AUTHOR, COUNTY)), Action.SEE_HOUSEHOLDS) == (COUNTY,)


_codes = st.text("01", max_size=4)


@given(st.lists(_codes, max_size=6), st.lists(_codes, min_size=1, max_size=4))
def test_scopes_lose_nothing_and_repeat_nothing(granted: list[str], asked: list[str]) -> None:
    actor = _actor(*((Role.AUTHOR, code) for code in granted))
    oracle = all(any(code.startswith(region) for region in granted) for code in asked)
    assert may(actor, Action.CREATE, asked) is oracle
    kept = scopes(actor, Action.CREATE)
    assert not any(a != b and a.startswith(b) for a in kept for b in kept)
