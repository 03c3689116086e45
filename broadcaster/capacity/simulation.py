"""What a policy would do if nobody answered, for an area of a given size: every step in time, and whether it is out by
the next. Reckoned from the policy, the size and the gateways alone; nobody's roster is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from broadcaster.alerts.policy import EscalationAction, Policy
from broadcaster.capacity.audience import Homes, demand_of
from broadcaster.capacity.duty import Ask, DutyDemand
from broadcaster.capacity.forecast import ChannelForecast, Forecast, Machine, Question, forecast, until_next
from broadcaster.capacity.gateways import Abilities, channel_capacity
from broadcaster.dispatch.plan import CONTACT_MEDIUM
from broadcaster.escalation.timeline import timeline
from broadcaster.ports import GatewaySettings, Medium

HOUSEHOLDS, LOUDSPEAKERS, GIVE_UP, EXHAUSTED = "households", "loudspeakers", "give_up", "exhausted"
"""What happens besides the steps of the escalation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large an area is. Every household and every person on duty has one address on each channel: the most that the
    gateways may have to carry."""

    households: int
    units: int
    terminals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`seconds` after the issue `action` happens (an `EscalationAction` or one of this module's); what is sent for it
    on each of `channels`. `again`: the same people were asked before."""

    seconds: float
    action: str
    count: int
    channels: tuple[ChannelForecast, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What happens, in the order of time, and the forecast that it follows from."""

    events: tuple[Event, ...]
    forecast: Forecast


def simulate(
    policy: Policy,
    size: Size,
    gateways: Sequence[GatewaySettings],
    abilities: Abilities,
    *,
    rehearsal: bool,
    machine: Machine,
) -> Simulation:
    """Issue an alert with this policy to an area of this size, in the mind."""
    addresses = dict.fromkeys(CONTACT_MEDIUM.values(), size.households)
    duty = DutyDemand(size.units, 0, tuple(_asks(policy, size.units)))
    used = {channel for step in policy.households for channel in step.channels}
    used |= {channel for step in policy.units for channel in step.channels} | {Medium.LOUDSPEAKER}
    made = forecast(
        Question(
            rehearsal=rehearsal,
            expires_in=None,
            steps=policy.households,
            demand=demand_of([Homes("", False, size.households, addresses)], policy),
            duty=duty,
            terminals=size.terminals if policy.loudspeakers else 0,
            text=None,
            parts={},
            waiting={},
            capacities={
                channel: channel_capacity(
                    channel,
                    gateways,
                    rehearsal=rehearsal,
                    answer=machine.answer,
                    machine=machine.submitted_per_s,
                    abilities=abilities,
                )
                for channel in Medium
                if channel in used
            },
            machine=machine,
        )
    )
    events = [*_to_households(made, size), *_to_units(policy, made, size)]
    return Simulation(events=tuple(sorted(events, key=lambda event: event.seconds)), forecast=made)


def _asks(policy: Policy, units: int) -> Iterator[Ask]:
    rungs = policy.rungs
    for number, moment in enumerate(timeline(policy), start=1):
        if moment.channels:
            wait = rungs[number].wait if number < len(rungs) else None
            sent = dict.fromkeys(moment.channels, units)
            yield Ask(moment.seconds, number, moment.action.value, wait, units, sent)


def _to_households(made: Forecast, size: Size) -> Iterator[Event]:
    if made.loudspeakers is not None:
        yield Event(seconds=0.0, action=LOUDSPEAKERS, count=size.terminals, channels=(made.loudspeakers,))
    for step in made.steps:
        again = step.number > 1
        yield Event(seconds=step.begins, action=HOUSEHOLDS, count=step.households, channels=step.channels, again=again)
    if made.steps:
        last = made.steps[-1]
        over = last.begins + until_next(last.channels, last.begins, last.wait or 0.0)
        yield Event(seconds=over, action=GIVE_UP, count=size.households)


def _to_units(policy: Policy, made: Forecast, size: Size) -> Iterator[Event]:
    sent = {ask.number: ask.channels for ask in made.asks}
    moments = timeline(policy)
    for number, moment in enumerate(moments, start=1):
        yield Event(
            seconds=moment.seconds,
            action=moment.action.value,
            count=size.units,
            channels=sent.get(number, ()),
            again=moment.again,
        )
    if moments and not any(moment.action is EscalationAction.DUTY_DESK for moment in moments):
        yield Event(seconds=moments[-1].seconds, action=EXHAUSTED, count=size.units)
