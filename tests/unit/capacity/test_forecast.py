"""When everybody has been sent theirs: arithmetic on what an alert asks and what the gateways take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from broadcaster.alerts.policy import ChannelStep, Policy
from broadcaster.capacity.audience import Demand, Homes, demand_of
from broadcaster.capacity.duty import Ask, DutyDemand
from broadcaster.capacity.findings import Finding, Severity, findings
from broadcaster.capacity.forecast import Forecast, Machine, Question, Verdict, forecast
from broadcaster.capacity.gateways import ChannelCapacity, GatewayCapacity, Limit
from broadcaster.ports import GatewaySettings, Medium

SMS, WECHAT, VOICE, EMAIL = Medium.SMS, Medium.WECHAT, Medium.VOICE, Medium.EMAIL
MACHINE = Machine(planned_per_s=1e9, submitted_per_s=1e9, first_submit=1.0, answer=0.0, source="a test")
NOBODY = DutyDemand(0, 0, ())


def homes(households: int, *, vulnerable: bool = False, place: str = "村", **addresses: int) -> Homes:
    """`addresses` of all these households together."""
    return Homes(place, vulnerable, households, {"phone": 0, "wechat": 0, "email": 0, **addresses})


def policy(*steps: tuple[tuple[Medium, ...], float]) -> Policy:
    return Policy(tuple(ChannelStep(channels, wait) for channels, wait in steps), loudspeakers=False, units=())


def capacities(rates: Mapping[Medium, float]) -> dict[Medium, ChannelCapacity]:
    return {
        channel: ChannelCapacity(
            channel=channel,
            per_second=rate,
            limit=Limit.RATE if rate else Limit.NO_GATEWAY,
            gateways=(
                GatewayCapacity(
                    name="g", rate=rate, slots=1, window=1000, by_parts=False, per_second=rate, limit=Limit.RATE
                ),
            )
            if rate
            else (),
        )
        for channel, rate in rates.items()
    }


def ask(
    demand: Demand,
    steps: Policy,
    rates: Mapping[Medium, float],
    *,
    expires_in: float | None = 3600,
    duty: DutyDemand = NOBODY,
    terminals: int = 0,
    waiting: Mapping[Medium, int] | None = None,
    parts: Mapping[str, int] | None = None,
    machine: Machine = MACHINE,
) -> Forecast:
    return forecast(
        Question(
            rehearsal=True,
            expires_in=expires_in,
            steps=steps.households,
            demand=demand,
            duty=duty,
            terminals=terminals,
            text=None,
            parts=parts or {},
            waiting=waiting or {},
            capacities=capacities(rates),
            machine=machine,
        )
    )


def one_step(count: int, rate: float, wait: float, *, expires_in: float | None = 3600) -> Forecast:
    steps = policy(((SMS,), wait))
    return ask(demand_of([homes(count, phone=count)], steps), steps, {SMS: rate}, expires_in=expires_in)


def codes(found: Forecast, gateways: Sequence[GatewaySettings] = ()) -> list[str]:
    return [one.code for one in told(found, gateways)]


def told(found: Forecast, gateways: Sequence[GatewaySettings] = ()) -> tuple[Finding, ...]:
    g = GatewaySettings("g", SMS, "rehearsal", rate=10, rehearsal=True)
    return findings(found, gateways or [g], lambda text: text)


def test_a_channel_takes_its_messages_divided_by_its_rate() -> None:
    [step] = one_step(1000, 10, 600).steps
    assert step.channels[0].finishes == 101
    assert step.channels[0].verdict is Verdict.IN_TIME


@pytest.mark.parametrize(
    ("wait", "expires_in", "verdict", "code"),
    [
        (101, 3600, Verdict.IN_TIME, []),
        (100, 3600, Verdict.AFTER_WAIT, ["after_wait"]),
        (33, 3600, Verdict.OVERLAPPING, ["overlapping"]),
        (600, 100, Verdict.AFTER_EXPIRY, ["after_expiry"]),
        (600, None, Verdict.IN_TIME, []),
    ],
)
def test_what_takes_too_long_is_told_by_what_it_misses(
    wait: float, expires_in: float | None, verdict: Verdict, code: list[str]
) -> None:
    found = one_step(1000, 10, wait, expires_in=expires_in)
    assert found.steps[0].channels[0].verdict is verdict
    assert codes(found) == code


def test_the_rate_that_would_do_does() -> None:
    [late] = told(one_step(1000, 10, 51))
    assert "每秒 20 条" in late.remedy
    assert codes(one_step(1000, 20, 51)) == []
    assert codes(one_step(1000, 19, 51)) == ["after_wait"]


def test_vulnerable_households_come_first_and_after_the_people_on_duty() -> None:
    steps = policy(((SMS,), 600))
    demand = demand_of([homes(100, phone=100), homes(20, vulnerable=True, phone=40)], steps)
    duty = DutyDemand(5, 0, (Ask(0.0, 1, "notify_primary", 120, 5, {SMS: 10}),))
    found = ask(demand, steps, {SMS: 10}, duty=duty)
    channel = found.steps[0].channels[0]
    assert (channel.messages, channel.vulnerable) == (140, 40)
    assert (channel.vulnerable_by, channel.finishes) == (6, 16)
    assert found.asks[0].channels[0].finishes == 2


def test_a_household_begins_with_the_first_step_that_it_has_an_address_for() -> None:
    steps = policy(((WECHAT,), 60), ((SMS,), 60), ((EMAIL,), 60))
    demand = demand_of([homes(10, wechat=10, phone=20), homes(5, phone=5, email=5), homes(3)], steps)
    loads = {place: (load.at_once, load.if_silent) for (place, _), load in demand.loads.items()}
    assert loads == {0: (10, 0), 1: (5, 20), 2: (0, 5)}
    assert demand.step_households == [10, 15, 5]
    assert (demand.households, demand.unreachable) == (18, 3)


def test_a_later_step_begins_after_the_wait_or_when_the_one_before_is_out() -> None:
    steps = policy(((WECHAT,), 60), ((SMS,), 60))
    demand = demand_of([homes(100, wechat=100, phone=100)], steps)

    def begins(rate: float) -> float:
        return ask(demand, steps, {WECHAT: rate, SMS: 10}).steps[1].begins

    assert begins(100) == 60
    assert begins(1) == 101
    assert begins(0.1) == 180, "three waits are the most"
    assert begins(0) == 180


def test_a_step_waits_for_what_its_channel_still_sends() -> None:
    steps = policy(((SMS,), 20), ((SMS,), 60))
    demand = demand_of([homes(1000, phone=1000)], steps)
    first, second = ask(demand, steps, {SMS: 10}).steps
    assert second.begins == 60
    assert second.channels[0].finishes == (first.channels[0].finishes or 0) + 100


def test_what_other_alerts_have_waiting_goes_first() -> None:
    steps = policy(((SMS,), 600))
    demand = demand_of([homes(100, phone=100)], steps)
    found = ask(demand, steps, {SMS: 10}, waiting={SMS: 50})
    assert found.steps[0].channels[0].finishes == 16
    assert codes(found) == ["waiting"]


def test_nothing_is_out_before_it_is_planned() -> None:
    steps = policy(((SMS,), 600))
    demand = demand_of([homes(1000, phone=1000)], steps)
    slow = Machine(planned_per_s=10, submitted_per_s=1e9, first_submit=1.0, answer=0.0, source="a test")
    assert ask(demand, steps, {SMS: 1e6}, machine=slow).steps[0].channels[0].finishes == 101


def test_a_channel_without_a_gateway_is_an_error_and_never_done() -> None:
    steps = policy(((SMS,), 60))
    found = ask(demand_of([homes(10, vulnerable=True, phone=10)], steps), steps, {SMS: 0})
    channel = found.steps[0].channels[0]
    assert (channel.finishes, channel.verdict) == (None, Verdict.NEVER)
    [finding] = told(found, [GatewaySettings("real", SMS, "rehearsal", rate=10)])
    assert (finding.code, finding.severity) == ("no_gateway", Severity.ERROR)
    assert "rehearsal = true" in finding.remedy


def test_a_channel_that_nobody_is_sent_anything_by_may_lack_a_gateway() -> None:
    steps = policy(((SMS, EMAIL), 60))
    found = ask(demand_of([homes(10, phone=10)], steps), steps, {SMS: 10, EMAIL: 0})
    [finding] = told(found)
    assert (finding.code, finding.severity) == ("no_gateway", Severity.NOTICE)


def test_parts_are_counted_place_by_place() -> None:
    steps = policy(((SMS,), 60))
    demand = demand_of([homes(10, place="甲村", phone=10), homes(5, place="很长的村", phone=5)], steps)
    found = ask(demand, steps, {SMS: 10}, parts={"甲村": 2, "很长的村": 3})
    assert found.steps[0].channels[0].parts == 35


def test_a_step_of_the_ladder_that_is_not_out_when_the_next_begins_is_told() -> None:
    steps = policy(((SMS,), 60))
    duty = DutyDemand(500, 0, (Ask(120.0, 2, "notify_primary", 60, 500, {VOICE: 500}),))
    found = ask(demand_of([], steps), steps, {SMS: 10, VOICE: 5}, duty=duty)
    assert found.asks[0].channels[0].finishes == 221
    assert codes(found) == ["ask_after_wait"]


def test_loudspeakers_are_a_row_of_their_own() -> None:
    steps = policy(((SMS,), 60))
    found = ask(demand_of([], steps), steps, {SMS: 10, Medium.LOUDSPEAKER: 100}, terminals=900)
    assert found.loudspeakers is not None
    assert found.loudspeakers.finishes == 10
    assert ask(demand_of([], steps), steps, {SMS: 10}).loudspeakers is None
