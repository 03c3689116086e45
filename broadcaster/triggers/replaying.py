"""What a rule would have done with the readings that there are: the same evaluator, over the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from broadcaster.alerts.alert import Colour
from broadcaster.alerts.automatic import Deed
from broadcaster.database import Connection
from broadcaster.triggers import window
from broadcaster.triggers.evaluator import RuleState, Step, deed_of, evaluate
from broadcaster.triggers.looking import Why
from broadcaster.triggers.rule import Rule
from broadcaster.triggers.window import Site, Windows

LOOK = timedelta(minutes=5)
"""How often a rule is looked at between readings: time passes for it as well."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One step that the rule would have taken."""

    at: datetime
    step: Step
    colour: Colour
    deed: Deed
    why: tuple[Why, ...]


def replay(rule: Rule, among: Sequence[Site], windows: Windows, start: datetime, end: datetime) -> list[Happened]:
    """The steps between `start` and `end`, from a state in which nothing goes on."""
    state, steps = RuleState(), []
    for moment in _moments(windows, start, end):
        decision = evaluate(rule, among, windows, state, moment)
        if decision.step is not None:
            colour = decision.level.colour if decision.level else state.colour or Colour.BLUE
            deed = deed_of(rule, decision)
            steps.append(Happened(moment, decision.step, colour, deed, decision.why))
        state = decision.state
    return steps


async def recorded(
    connection: Connection, rule: Rule, start: datetime, end: datetime
) -> tuple[tuple[Site, ...], Windows]:
    """The stations of a rule as they are now, and their readings of that time with what lies before it."""
    among = await window.sites(connection, rule)
    return among, await window.windows(connection, rule, among, start - rule.lookback, end)


def _moments(windows: Windows, start: datetime, end: datetime) -> list[datetime]:
    """When a reading came, and every five minutes."""
    first, last = start.timestamp(), end.timestamp()
    moments = {at for course in windows.values() for at in course.at if first <= at <= last}
    step, at = LOOK.total_seconds(), first
    while at <= last:
        moments.add(at)
        at += step
    return [datetime.fromtimestamp(at, UTC) for at in sorted(moments)]
