"""Whom an alert will address, step by step of its policy: counted by the rules of the fan-out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from audiences import selection as audience
from broadcaster.alerts.policy import Policy
from broadcaster.database import Connection
from broadcaster.dispatch.delivery import VULNERABLE_RISK
from broadcaster.dispatch.plan import CONTACT_MEDIUM, Plan
from broadcaster.ports import Medium
from broadcaster.sql import statements

SQL = statements("broadcaster.capacity", "audience.sql")


class Homes(NamedTuple):
    """Households of one village that have the same kinds of address, and how many addresses of each they have."""

    place: str
    vulnerable: bool
    households: int
    addresses: Mapping[str, int]


@dataclass(slots=True)
class Load:
    """Messages of one step on one channel. `at_once` go to households for which it is the first step that has an
    address; `if_silent` only to those of which no evidence came before."""

    at_once: int = 0
    at_once_vulnerable: int = 0
    if_silent: int = 0
    if_silent_vulnerable: int = 0
    places: Counter[str] = field(default_factory=Counter)
    """All of them by the name of the place that stands in the message."""

    def add(self, homes: Homes, messages: int, *, first: bool) -> None:
        vulnerable = messages if homes.vulnerable else 0
        self.places[homes.place] += messages
        if first:
            self.at_once += messages
            self.at_once_vulnerable += vulnerable
        else:
            self.if_silent += messages
            self.if_silent_vulnerable += vulnerable


@dataclass(slots=True)
class Demand:
    """What an alert asks of the channels for households: `loads` by step (from 0) and channel.

    `step_households` are those that a step may address. `unreachable` households have no address on any channel of the
    policy: they become door tasks at once.
    """

    households: int = 0
    vulnerable: int = 0
    unreachable: int = 0
    step_households: list[int] = field(default_factory=list)
    loads: dict[tuple[int, Medium], Load] = field(default_factory=dict)


async def count_homes(connection: Connection, plan: Plan) -> list[Homes]:
    """The audience of a plan; some 2 s for 600,000 households at the worst."""
    condition, values = audience.where(plan.selection, first_parameter=2)
    if plan.lineage != plan.alert_id:
        condition, values = audience.where(plan.selection, first_parameter=4)
        condition, values = f"({condition}) OR {SQL['told_before']}", [plan.lineage, plan.alert_id, *values]
    if not plan.policy.households:
        return []
    rows = await connection.fetch(SQL["homes"].format(where=condition), VULNERABLE_RISK, *values)
    return [
        Homes(row["place"], row["vulnerable"], row["households"], {medium: row[medium] for medium in _MEDIA})
        for row in rows
    ]


_MEDIA = tuple(dict.fromkeys(CONTACT_MEDIUM.values()))


def demand_of(homes: Sequence[Homes], policy: Policy) -> Demand:
    """What the policy makes of the audience: everybody's first step, and every later one if nobody is heard of."""
    steps = [tuple((channel, CONTACT_MEDIUM[channel]) for channel in step.channels) for step in policy.households]
    demand = Demand(step_households=[0] * len(steps))
    demand.loads = {(place, channel): Load() for place, step in enumerate(steps) for channel, _ in step}
    for one in homes:
        demand.households += one.households
        demand.vulnerable += one.households if one.vulnerable else 0
        reached = [place for place, step in enumerate(steps) if any(one.addresses[medium] for _, medium in step)]
        if not reached:
            demand.unreachable += one.households
        for place in reached:
            demand.step_households[place] += one.households
            for channel, medium in steps[place]:
                demand.loads[place, channel].add(one, one.addresses[medium], first=place == reached[0])
    return demand


async def count_terminals(connection: Connection, plan: Plan) -> int:
    """Loudspeakers that will play it; a colour that uses none still plays on those of the alert that it replaces."""
    condition, values = "FALSE", list[Any]()
    if plan.policy.loudspeakers:
        condition, values = audience.where_terminal(plan.selection, first_parameter=3)
    found: int = await connection.fetchval(
        SQL["terminals"].format(where=condition), plan.lineage, plan.alert_id, *values
    )
    return found


async def count_waiting(connection: Connection, plan: Plan) -> dict[Medium, int]:
    """Messages of other alerts that are ahead on each channel, or share it."""
    rows = await connection.fetch(SQL["waiting"], plan.lineage, plan.rehearsal, plan.urgency)
    return {Medium(row["channel"]): row["messages"] for row in rows}
