"""What a gateway is reckoned to take is what its slots will be allowed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broadcaster.capacity.gateways import Limit, channel_capacity, gateway_capacity
from broadcaster.ports import NETWORKS, Capabilities, GatewaySettings, Medium


def gateway(
    rate: float, slots: int = 1, *, name: str = "g", channel: Medium = Medium.SMS, rehearsal: bool = True
) -> GatewaySettings:
    return GatewaySettings(name, channel, "rehearsal", rate=rate, slots=slots, rehearsal=rehearsal)


def able(_: object = None, *, window: int = 1000, by_parts: bool = False) -> Capabilities:
    return Capabilities(receipts=True, replies=True, window=window, batch_max=100, by_parts=by_parts)


def test_an_answer_that_takes_its_time_costs_its_share_of_the_rate() -> None:
    assert gateway_capacity(gateway(100), able(window=1000), 0.0).per_second == 100
    assert gateway_capacity(gateway(100, 3), able(window=1000), 0.25).per_second == pytest.approx(80)


@pytest.mark.parametrize(("rate", "used"), [(2.5, 2), (1, 1), (0.1, 0.1), (1.9, 1)])
def test_a_rate_counts_whole_messages(rate: float, used: float) -> None:
    assert gateway_capacity(gateway(rate), able(window=1000), 0.0).per_second == pytest.approx(used)


def test_connections_with_nothing_to_send_are_not_counted() -> None:
    capacity = gateway_capacity(gateway(3, 10), able(window=1000), 0.0)
    assert (capacity.slots, capacity.per_second) == (3, 3)


def test_a_small_window_with_slow_answers_is_the_limit() -> None:
    capacity = gateway_capacity(gateway(500, 2), able(window=16), 0.5)
    assert (capacity.per_second, capacity.limit) == (64, Limit.WINDOW)
    assert gateway_capacity(gateway(500, 2), able(window=1000), 0.5).limit is Limit.RATE


def test_calls_are_as_many_as_lines_and_their_length_allow_whatever_the_rate() -> None:
    calls = Capabilities(receipts=True, replies=True, window=30, batch_max=100, holds=60.0)
    capacity = gateway_capacity(gateway(50, 2, channel=Medium.VOICE), calls, 0.0)
    assert (capacity.per_second, capacity.limit) == (1.0, Limit.WINDOW)


def test_a_channel_takes_what_its_gateways_take_together_but_not_those_beyond_the_wall() -> None:
    gateways = [
        gateway(100, name="a"),
        gateway(50, name="b"),
        gateway(900, name="real", rehearsal=False),
        gateway(900, name="mail", channel=Medium.EMAIL),
    ]

    def of(*, rehearsal: bool, machine: float = 1e6) -> tuple[float, Limit, list[str]]:
        found = channel_capacity(Medium.SMS, gateways, rehearsal=rehearsal, answer=0.0, machine=machine, abilities=able)
        return found.per_second, found.limit, [one.name for one in found.gateways]

    assert of(rehearsal=True) == (150, Limit.RATE, ["a", "b"])
    assert of(rehearsal=False) == (900, Limit.RATE, ["real"])
    assert of(rehearsal=True, machine=120) == (120, Limit.MACHINE, ["a", "b"])


def test_a_gateway_that_stands_by_adds_nothing() -> None:
    gateways = [replace(gateway(100, name="standby"), priority=10), gateway(50, name="first")]
    found = channel_capacity(Medium.SMS, gateways, rehearsal=True, answer=0.0, machine=1e6, abilities=able)
    assert (found.per_second, [one.name for one in found.gateways]) == (50, ["first"])


def test_a_channel_without_a_gateway_takes_nothing() -> None:
    found = channel_capacity(Medium.VOICE, [], rehearsal=True, answer=0.0, machine=1e6, abilities=able)
    assert (found.per_second, found.limit) == (0, Limit.NO_GATEWAY)


def test_with_an_account_at_each_carrier_the_slowest_for_its_share_is_the_pace() -> None:
    row = [replace(gateway(560, name="m"), networks=("mobile",)), replace(gateway(220, name="r"), priority=1)]
    found = channel_capacity(Medium.SMS, row, rehearsal=True, answer=0.0, machine=1e6, abilities=able)
    assert {one.name for one in found.gateways} == {"m", "r"}
    assert found.per_second == pytest.approx(500)  # 220 messages/s for the 44 % that are not China Mobile's


def test_a_gateway_for_numbers_that_hardly_exist_does_not_hold_up_the_channel() -> None:
    row = [replace(gateway(1000, name=name), networks=(name,)) for name in NETWORKS]
    row.append(gateway(1, name="rest"))
    found = channel_capacity(Medium.SMS, row, rehearsal=True, answer=0.0, machine=1e6, abilities=able)
    assert found.per_second == pytest.approx(1000 / 0.56)


def test_where_the_carrier_counts_parts_a_long_text_is_slower_in_rate_and_in_window() -> None:
    assert gateway_capacity(gateway(100), able(by_parts=True), 0.0, 4.0).per_second == 25
    assert gateway_capacity(gateway(100), able(), 0.0, 4.0).per_second == 100
    assert gateway_capacity(gateway(500, 2), able(window=16, by_parts=True), 0.5, 4.0).per_second == pytest.approx(16)
