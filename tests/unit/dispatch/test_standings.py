"""Which gateways of a channel take traffic, given what is said of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from broadcaster.dispatch.lineup import Leads, Paused, Repute, StandsBy, standings
from broadcaster.dispatch.slots import Gateway
from broadcaster.ports import GatewaySettings, Medium


def gateway(number: int, *, networks: tuple[str, ...] = (), priority: int = 0, **more: Any) -> Gateway:
    more = {"rehearsal": True, "priority": priority, "networks": networks, **more}
    return Gateway(number, GatewaySettings(f"g{number}", Medium.SMS, "straw", rate=10, **more))


UP, DOWN = Repute(up=True), Repute()
FIRST, SECOND, THIRD = gateway(1), gateway(2, priority=10), gateway(3, priority=20)
ROW = [THIRD, FIRST, SECOND]


def test_the_lowest_priority_number_leads_and_the_others_stand_by() -> None:
    found = standings(ROW, {1: UP, 2: UP, 3: UP})
    assert found == {1: Leads(alone=False), 2: StandsBy("g1"), 3: StandsBy("g1")}


def test_the_next_takes_over_from_who_is_down() -> None:
    found = standings(ROW, {1: DOWN, 2: UP, 3: UP})
    assert found[2] == Leads(alone=False)
    assert found[3] == StandsBy("g2")
    assert found[1] == Leads(alone=False), "who is down may be tried"


def test_of_whom_nobody_speaks_is_down() -> None:
    assert standings(ROW, {2: UP})[2] == Leads()


def test_the_wall_between_drills_and_the_real_thing_and_other_channels_are_no_rivals() -> None:
    real = gateway(4, rehearsal=False, priority=10)
    mail = Gateway(5, replace(FIRST.settings, name="mail", channel=Medium.EMAIL, priority=10))
    found = standings([FIRST, real, mail], {1: UP, 4: UP, 5: UP})
    assert found[4] == found[5] == Leads()


def test_who_is_ahead_of_its_share_lets_an_idle_equal_go_first() -> None:
    pair = [gateway(1, weight=3), gateway(2, weight=1)]
    ahead = standings(pair, {1: Repute(up=True, idle=True, taken=30), 2: Repute(up=True, idle=True, taken=11)})
    assert (ahead[1], ahead[2]) == (
        Leads(alone=False, relieved=True),
        Leads(alone=False, relieved=True, yields=True),
    )


@pytest.mark.parametrize("other", [Repute(up=True, idle=False), Repute(up=False, idle=True)])
def test_nobody_waits_for_who_is_busy_or_down(other: Repute) -> None:
    pair = [gateway(1, weight=3), gateway(2, weight=1)]
    found = standings(pair, {1: other, 2: Repute(up=True, taken=1000)})[2]
    assert isinstance(found, Leads)
    assert not found.yields


@pytest.mark.parametrize("weights", [(3, 1), (1, 1), (10, 1), (2, 3)])
def test_over_time_traffic_follows_the_weights(weights: tuple[int, int]) -> None:
    pair = [gateway(1, weight=weights[0]), gateway(2, weight=weights[1])]
    taken: Counter[int] = Counter()
    for _ in range(1000):
        found = standings(pair, {n: Repute(up=True, idle=True, taken=taken[n]) for n in (1, 2)})
        free = [n for n, standing in found.items() if isinstance(standing, Leads) and not standing.yields]
        taken[free[0]] += 7
    assert taken[1] / taken[2] == pytest.approx(weights[0] / weights[1], rel=0.03)


def test_a_paused_gateway_takes_nothing_and_nobody_stands_by_for_it() -> None:
    found = standings(ROW, {1: UP, 2: UP, 3: UP}, paused={1})
    assert found[1] == Paused()
    assert isinstance(found[2], Leads)


MOBILE = gateway(1, networks=("mobile",))
UNICOM = gateway(2, networks=("unicom",))
GENERAL = gateway(3, priority=10)
CARRIERS = [MOBILE, UNICOM, GENERAL]


def test_each_carriers_numbers_go_to_its_own_gateway_and_the_rest_to_one_for_all() -> None:
    found = standings(CARRIERS, {1: UP, 2: UP, 3: UP})
    assert found[1] == Leads(alone=False, networks=frozenset({"mobile"}))
    assert found[2] == Leads(alone=False, networks=frozenset({"unicom"}))
    assert found[3] == Leads(alone=True, networks=frozenset({"telecom", "broadnet", ""}))


def test_who_is_for_all_takes_over_a_carriers_numbers_when_its_gateway_is_down() -> None:
    found = standings(CARRIERS, {1: DOWN, 2: UP, 3: UP})
    assert isinstance(found[3], Leads)
    assert found[3].networks == frozenset({"mobile", "telecom", "broadnet", ""})
    assert isinstance(found[1], Leads), "who is down may be tried"
    assert not found[1].alone
    assert standings(CARRIERS, {3: UP})[3] == Leads(alone=True, networks=None)


def test_of_one_priority_who_is_for_one_carrier_goes_before_who_is_for_all() -> None:
    pair = [MOBILE, gateway(3)]
    found = standings(pair, {1: UP, 3: UP})
    assert isinstance(found[3], Leads)
    assert found[3].networks == frozenset({"unicom", "telecom", "broadnet", ""})


def test_a_gateway_for_all_that_is_preferred_leaves_nothing_to_the_carriers() -> None:
    found = standings([MOBILE, gateway(3, priority=-1)], {1: UP, 3: UP})
    assert found == {1: StandsBy("g3"), 3: Leads(alone=False, networks=None)}


def test_where_nobody_is_for_all_numbers_of_no_gateway_are_everybodys() -> None:
    found = standings([MOBILE, UNICOM], {1: UP, 2: UP})
    assert isinstance(found[1], Leads)
    assert isinstance(found[2], Leads)
    assert found[1].networks == frozenset({"mobile", "telecom", "broadnet", ""})
    assert found[2].networks == frozenset({"unicom", "telecom", "broadnet", ""})


def platform(number: int, *networks: str) -> Gateway:
    settings = replace(gateway(number, networks=networks).settings, channel=Medium.WECHAT)
    return Gateway(number, settings)


OFFICIAL, WECOM, ROBOT = platform(1, "official"), platform(2, "wecom"), platform(3, "group")


def test_a_wechat_address_waits_for_its_own_platform() -> None:
    found = standings([OFFICIAL, WECOM, ROBOT], {1: UP, 2: DOWN, 3: UP})
    assert found[1] == Leads(alone=False, networks=frozenset({"official", ""}))
    assert found[2] == Leads(alone=False, networks=frozenset({"wecom", ""}))
    assert found[3] == Leads(alone=False, networks=frozenset({"group", ""}))


def test_addresses_of_a_platform_that_the_office_does_not_use_are_refused_by_who_is_there() -> None:
    assert standings([OFFICIAL], {1: UP})[1] == Leads(alone=True, networks=None)
