"""What a gateway is reckoned to take is what its slots will be allowed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broadcaster.capacity.gateways import Limit, channel_capacity, gateway_capacity
from broadcaster.ports import GatewaySettings, Medium


def gateway(
    rate: float, slots: int = 1, *, name: str = "g", channel: Medium = Medium.SMS, rehearsal: bool = True
) -> GatewaySettings:
    return GatewaySettings(name, channel, "rehearsal", rate=rate, slots=slots, rehearsal=rehearsal)


def test_an_answer_that_takes_its_time_costs_its_share_of_the_rate() -> None:
    assert gateway_capacity(gateway(100), 1000, 0.0).per_second == 100
    assert gateway_capacity(gateway(100, 3), 1000, 0.25).per_second == pytest.approx(80)


@pytest.mark.parametrize(("rate", "used"), [(2.5, 2), (1, 1), (0.1, 0.1), (1.9, 1)])
def test_a_rate_counts_whole_messages(rate: float, used: float) -> None:
    assert gateway_capacity(gateway(rate), 1000, 0.0).per_second == pytest.approx(used)


def test_connections_with_nothing_to_send_are_not_counted() -> None:
    capacity = gateway_capacity(gateway(3, 10), 1000, 0.0)
    assert (capacity.slots, capacity.per_second) == (3, 3)


def test_a_small_window_with_slow_answers_is_the_limit() -> None:
    capacity = gateway_capacity(gateway(500, 2), 16, 0.5)
    assert (capacity.per_second, capacity.limit) == (64, Limit.WINDOW)
    assert gateway_capacity(gateway(500, 2), 1000, 0.5).limit is Limit.RATE


def test_a_channel_takes_what_its_gateways_take_together_but_not_those_beyond_the_wall() -> None:
    gateways = [
        gateway(100, name="a"),
        gateway(50, name="b"),
        gateway(900, name="real", rehearsal=False),
        gateway(900, name="mail", channel=Medium.EMAIL),
    ]

    def of(*, rehearsal: bool, machine: float = 1e6) -> tuple[float, Limit, list[str]]:
        found = channel_capacity(
            Medium.SMS, gateways, rehearsal=rehearsal, answer=0.0, machine=machine, window_of=lambda _: 1000
        )
        return found.per_second, found.limit, [one.name for one in found.gateways]

    assert of(rehearsal=True) == (150, Limit.RATE, ["a", "b"])
    assert of(rehearsal=False) == (900, Limit.RATE, ["real"])
    assert of(rehearsal=True, machine=120) == (120, Limit.MACHINE, ["a", "b"])


def test_a_gateway_that_stands_by_adds_nothing() -> None:
    gateways = [replace(gateway(100, name="standby"), priority=10), gateway(50, name="first")]
    found = channel_capacity(Medium.SMS, gateways, rehearsal=True, answer=0.0, machine=1e6, window_of=lambda _: 1000)
    assert (found.per_second, [one.name for one in found.gateways]) == (50, ["first"])


def test_a_channel_without_a_gateway_takes_nothing() -> None:
    found = channel_capacity(Medium.VOICE, [], rehearsal=True, answer=0.0, machine=1e6, window_of=lambda _: 1)
    assert (found.per_second, found.limit) == (0, Limit.NO_GATEWAY)
