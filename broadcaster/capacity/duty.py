"""What people on duty are sent if they stay silent: the policy's ladder, climbed by the rules of escalation itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from audiences.records import Rank
from broadcaster.alerts.policy import Policy
from broadcaster.database import Connection
from broadcaster.dispatch.plan import Plan
from broadcaster.escalation.ladder import Climb, DueUnit, climb
from broadcaster.escalation.messages import messages
from broadcaster.escalation.roster import Roster, roster
from broadcaster.escalation.units import SQL, unit_places
from broadcaster.ports import Medium

TOLD_BEFORE = "told_before"
"""What is done for those whom the alert before had asked: they hear of this one at once."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One step of the ladder: `begins` seconds after issue, `units` units ask by these messages. The next step follows
    after `wait` seconds of silence; None: there is none."""

    begins: float
    number: int
    action: str
    wait: float | None
    units: int
    messages: Mapping[Medium, int]


@dataclass(frozen=True, slots=True)
class DutyDemand:
    """`holderless` units have nobody who could be asked first."""

    units: int
    holderless: int
    asks: tuple[Ask, ...]


async def duty_demand(connection: Connection, plan: Plan, now: datetime) -> DutyDemand:
    """What issuing the plan at `now` would send to people on duty, if nobody confirms."""
    places = await unit_places(connection, plan, now)
    people = await roster(connection, places, now)
    before = await _told_before(connection, plan, people, places, now)
    units = [
        DueUnit(number, plan.alert_id, region, role, 0, holderless=False)
        for number, (region, role) in enumerate(places, start=1)
    ]
    holderless = sum(not people.on_duty(one.region, one.role) for one in units)
    return DutyDemand(len(units), holderless, (*before, *ladder_demand(units, plan.policy, people, now)))


def ladder_demand(units: Sequence[DueUnit], policy: Policy, people: Roster, now: datetime) -> list[Ask]:
    """Every step that silent units take, in the order of time; nobody leaves or takes up a duty meanwhile."""
    due: defaultdict[datetime, list[DueUnit]] = defaultdict(list)
    if policy.units and units:
        due[now + timedelta(seconds=policy.units[0].after)] = list(units)
    found: list[Ask] = []
    while due:
        moment = min(due)
        climbs = [climb(unit, policy, people, moment) for unit in due.pop(moment)]
        found += _asks(climbs, policy, (moment - now).total_seconds())
        for one in climbs:
            if one.next_at is not None:
                unit = one.unit
                due[one.next_at].append(
                    DueUnit(unit.id, unit.alert_id, unit.region, unit.role, one.step, one.holderless)
                )
    return found


def _asks(climbs: Sequence[Climb], policy: Policy, begins: float) -> list[Ask]:
    written = messages(climbs)
    counts: defaultdict[int, Counter[Medium]] = defaultdict(Counter)
    units: Counter[int] = Counter()
    for one in climbs:
        for rung in one.rungs:
            units[rung.number] += bool(rung.asked)
            counts[rung.number].update(item.channel for item in written.get(one.unit.id, {}).get(rung.number, ()))
    steps = policy.rungs
    return [
        Ask(
            begins=begins,
            number=number,
            action=steps[number - 1].step.action.value,
            wait=steps[number].wait if number < len(steps) else None,
            units=units[number],
            messages=dict(counts[number]),
        )
        for number in sorted(counts)
        if counts[number]
    ]


async def _told_before(
    connection: Connection, plan: Plan, people: Roster, places: Sequence[tuple[str, str]], now: datetime
) -> list[Ask]:
    """Those whom earlier alerts of the lineage asked, but for the primary holders, whom the first step asks."""
    if plan.lineage == plan.alert_id:
        return []
    primary = {
        contact.id
        for region, role in places
        for holder in people.on_duty(region, role, Rank.PRIMARY)
        for contact in holder.contacts
    }
    rows = await connection.fetch(SQL["told_before"], plan.lineage, plan.alert_id, now)
    counts = Counter(Medium(row["channel"]) for row in rows if row["contact_id"] not in primary)
    return [Ask(0.0, 0, TOLD_BEFORE, None, len({row["unit_id"] for row in rows}), dict(counts))] if counts else []
