"""One unit on the ladder of its policy: what is to be done now, and when to look again. Pure.

A step that finds nobody to ask does not wait: the next one follows at once. A unit whose duty nobody holds, or nobody
who can be reached, goes straight to its superior and is flagged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from audiences.records import Rank
from broadcaster.alerts.policy import EscalationAction, Policy
from broadcaster.alerts.policy import Rung as Planned
from broadcaster.escalation.roster import Holder, Roster
from broadcaster.ports import Medium

CALL, HOLDERLESS, EXHAUSTED = "call", "holderless", "exhausted"
"""The kinds of notice to the duty desk about a unit."""


@dataclass(frozen=True, slots=True)
class DueUnit:
    """A unit that is still silent when its time has come; `step` is how many steps it has taken."""

    id: int
    alert_id: int
    region: str
    role: str
    step: int
    holderless: bool


@dataclass(frozen=True, slots=True)
class Rung:
    """One step taken: its number (1 is the first), and whom it asks on which channels; `again`: it is the repetition of
    one that was taken before."""

    number: int
    action: EscalationAction
    channels: tuple[Medium, ...]
    asked: tuple[Holder, ...]
    again: bool = False


@dataclass(slots=True)
class Climb:
    """What is done for one unit now. `next_at` None: the policy is used up."""

    unit: DueUnit
    step: int
    holderless: bool
    next_at: datetime | None = None
    rungs: list[Rung] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    doors: bool = False


def climb(unit: DueUnit, policy: Policy, roster: Roster, now: datetime) -> Climb:
    """Take the unit's next step, and those that follow at once."""
    steps = policy.rungs
    done = Climb(unit, unit.step, unit.holderless)
    while done.step < len(steps):
        waits = _take(done, steps, roster)
        if done.step < len(steps) and waits and steps[done.step].wait > 0:
            done.next_at = now + timedelta(seconds=steps[done.step].wait)
            return done
    if not any(one.step.action is EscalationAction.DUTY_DESK for one in steps):
        done.notices.append(EXHAUSTED)
    return done


def _take(done: Climb, steps: tuple[Planned, ...], roster: Roster) -> bool:
    """Take one step; False when there was nobody to wait for."""
    step, unit = steps[done.step], done.unit
    match step.step.action:
        case EscalationAction.NOTIFY_PRIMARY:
            people = roster.on_duty(unit.region, unit.role, Rank.PRIMARY) or roster.on_duty(unit.region, unit.role)
            if not people:
                return _go_above(done, steps, roster)
            return _ask(done, step, people)
        case EscalationAction.NOTIFY_DEPUTY:
            return _ask(done, step, roster.on_duty(unit.region, unit.role, Rank.DEPUTY))
        case EscalationAction.NOTIFY_SUPERIOR:
            return _ask(done, step, roster.above(unit.region))
        case EscalationAction.DUTY_DESK:
            done.notices.append(CALL)
        case EscalationAction.DOOR_TASKS:
            done.doors = True
    _ask(done, step, [])
    return True


def _ask(done: Climb, rung: Planned, people: list[Holder]) -> bool:
    done.step += 1
    done.rungs.append(Rung(done.step, rung.step.action, rung.step.channels, tuple(people), rung.again))
    return bool(people)


def _go_above(done: Climb, steps: tuple[Planned, ...], roster: Roster) -> bool:
    """Nobody is there: the superior's step comes at once, or the superior is asked in this one if none is to come.

    Only steps that would ask the absent are passed over; what the desk or the grid is to do stays in its turn.
    """
    if not done.holderless:
        done.holderless = True
        done.notices.append(HOLDERLESS)
    step = steps[done.step]
    for place in range(done.step + 1, len(steps)):
        if steps[place].step.action is EscalationAction.NOTIFY_SUPERIOR:
            _ask(done, step, [])
            done.step = place
            return False
        if steps[place].step.action in {EscalationAction.DUTY_DESK, EscalationAction.DOOR_TASKS}:
            break
    return _ask(done, step, roster.above(done.unit.region))
