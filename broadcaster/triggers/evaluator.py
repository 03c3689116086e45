"""What a rule makes of readings: pure. The same state, readings and moment give the same decision, however often.

An event begins when a level holds, rises when a more urgent one does, and is over when for a while none has held of
which it is known that none does: silence is no all-clear. What is doubtful about the readings was sorted out before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from broadcaster.alerts.alert import Colour
from broadcaster.alerts.automatic import Deed
from broadcaster.triggers.looking import Finding, Look, Why, level_of
from broadcaster.triggers.rule import Level, Rule, duration, in_words
from broadcaster.triggers.window import Site, Windows

BLIND = timedelta(hours=12)
"""After this long without knowing anything an event is closed: a later one must be able to begin."""

UNWATCHED = timedelta(minutes=10)
"""Calm counts anew where nobody looked for longer than this: water may have come and gone meanwhile."""


class Step(StrEnum):
    """How an event goes on: `LOST` is closed because nothing is known any more, which is no all-clear."""

    RAISE = "raise"
    RISE = "rise"
    CLEAR = "clear"
    LOST = "lost"


class RuleState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a rule stands. `colour` None: nothing is going on. `alert_id`: the latest alert of this event, or the one
    before, that was written; `known_at`: when it was last known whether anything holds; `eased`: that level of the
    event's colour does not hold for now. `heard`: of which stations something was known since the event began (None:
    of whichever): no all-clear without them."""

    colour: Colour | None = None
    since: datetime | None = None
    quiet_since: datetime | None = None
    known_at: datetime | None = None
    cooled_until: datetime | None = None
    cooled: Colour | None = None
    alert_id: int | None = None
    eased: bool = False
    heard: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done, if anything: `step` and `level` (None when the event is over), for which reasons, because of
    which stations; `state` is the rule's from now on."""

    state: RuleState
    step: Step | None = None
    level: Level | None = None
    why: tuple[Why, ...] = ()
    sites: tuple[Site, ...] = ()

    @property
    def over(self) -> bool:
        """Whether the event ends with it."""
        return self.step in (Step.CLEAR, Step.LOST)


def evaluate(rule: Rule, among: Sequence[Site], windows: Windows, state: RuleState, now: datetime) -> Decision:
    """The decision of this moment. `windows` may hold more than is needed: later readings are not looked at."""
    fresh, heard = duration(rule.fresh).total_seconds(), None if state.heard is None else frozenset(state.heard)
    look = Look(rule, among, windows, now.timestamp(), fresh, state.colour is not None, heard)
    found = [(level, level_of(look, level, active=_reached(state.colour, level.colour))) for level in rule.rising]
    return _remembering(_decided(rule, found, state, now), found)


def _decided(rule: Rule, found: Sequence[tuple[Level, Finding]], state: RuleState, now: datetime) -> Decision:
    holding = [(level, finding) for level, finding in found if finding.met]
    if holding:
        return _holds(*holding[-1], state, now)
    if state.colour is None:
        return Decision(state)
    if any(finding.met is None for _, finding in found):
        return _unknown(state, now)
    return _quiet(rule, found, state, now)


def _remembering(decision: Decision, found: Sequence[tuple[Level, Finding]]) -> Decision:
    """The decision with what was heard at this look, while an event goes on."""
    state = decision.state
    if state.colour is None:
        return decision
    eased = any(level.colour is state.colour and finding.met is False for level, finding in found)
    heard = frozenset[str]().union(*(finding.heard for _, finding in found))
    if decision.step is Step.RAISE:
        state = msgspec.structs.replace(state, heard=tuple(sorted(heard)))
    elif state.heard is not None:
        state = msgspec.structs.replace(state, heard=tuple(sorted(heard.union(state.heard))))
    return replace(decision, state=msgspec.structs.replace(state, eased=eased))


def _holds(level: Level, finding: Finding, state: RuleState, now: datetime) -> Decision:
    calm = msgspec.structs.replace(state, quiet_since=None, known_at=now)
    if _reached(state.colour, level.colour):
        return Decision(calm)
    cooling = state.colour is None and state.cooled_until is not None and now < state.cooled_until
    if cooling and _reached(state.cooled, level.colour):
        return Decision(calm)
    step = Step.RAISE if state.colour is None else Step.RISE
    begun = msgspec.structs.replace(calm, colour=level.colour, since=state.since if step is Step.RISE else now)
    return Decision(begun, step, level, finding.why, finding.sites)


def _unknown(state: RuleState, now: datetime) -> Decision:
    """Nothing holds for certain, but something may: it goes on, unless that lasts too long."""
    if state.known_at is not None and now - state.known_at < BLIND:
        return Decision(msgspec.structs.replace(state, quiet_since=None))
    hours = int(BLIND.total_seconds() // 3600)
    why = Why(
        f"{hours} 小时读数不足，无法判断是否回落，事件关闭；已发出的预警仍然有效，请人工核实后决定是否解除",
        f"Too few readings for {hours} hours to say whether it is over; the event is closed. What went out stands:"
        " cancel it if need be",
    )
    return Decision(RuleState(cooled=state.colour), Step.LOST, None, (why,))


def _quiet(rule: Rule, found: Sequence[tuple[Level, Finding]], state: RuleState, now: datetime) -> Decision:
    watched = state.known_at is not None and now - state.known_at <= UNWATCHED
    since = state.quiet_since if watched and state.quiet_since else now
    if now - since < duration(rule.calm):
        return Decision(msgspec.structs.replace(state, quiet_since=since, known_at=now))
    over = RuleState(cooled_until=now + duration(rule.cool_down), cooled=state.colour)
    calm = in_words(rule.calm)
    why = Why(f"各级条件已有 {calm[0]}都不满足", f"No condition of any level has held for {calm[1]}")
    return Decision(over, Step.CLEAR, None, (why, *found[0][1].why))


def _reached(colour: Colour | None, wanted: Colour) -> bool:
    """Whether what goes on is as urgent as `wanted`, or more."""
    return colour is not None and colour.urgency <= wanted.urgency


def deed_of(rule: Rule, decision: Decision) -> Deed:
    """What the rule may do about it; of an event that was lost sight of the officers are told, and nothing more."""
    if decision.level is not None:
        return decision.level.do
    return Deed.NOTIFY if decision.step is Step.LOST else rule.clear


def with_alert(decision: Decision, alert_id: int | None) -> Decision:
    """The decision with the alert that was written because of it."""
    return replace(decision, state=msgspec.structs.replace(decision.state, alert_id=alert_id))
