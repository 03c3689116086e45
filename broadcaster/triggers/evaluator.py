"""What a rule makes of readings: pure. The same state, readings and moment give the same decision, however often.

An event begins when a level holds, rises when a more urgent one does, and is over when for a while none has held of
which it is known that none does: silence is no all-clear. What is doubtful about the readings was sorted out before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

import msgspec

from broadcaster.alerts.alert import Colour
from broadcaster.alerts.automatic import Deed
from broadcaster.triggers.elements import ELEMENTS, chinese, unit
from broadcaster.triggers.rule import Condition, Level, Rule, duration, in_words
from broadcaster.triggers.window import Course, Site, Windows, chosen

BLIND = timedelta(hours=12)
"""After this long without knowing anything an event is closed: a later one must be able to begin."""


class Step(StrEnum):
    """How an event goes on: `LOST` is closed because nothing is known any more, which is no all-clear."""

    RAISE = "raise"
    RISE = "rise"
    CLEAR = "clear"
    LOST = "lost"


class Why(msgspec.Struct, frozen=True):
    """One reason, in the two languages of the console."""

    chinese: str
    english: str


class RuleState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a rule stands. `colour` None: nothing is going on. `alert_id`: the latest alert of the event that was
    written; `known_at`: when it was last known whether anything holds."""

    colour: Colour | None = None
    since: datetime | None = None
    quiet_since: datetime | None = None
    known_at: datetime | None = None
    cooled_until: datetime | None = None
    cooled: Colour | None = None
    alert_id: int | None = None


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


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether something holds; `met` None: it is not known."""

    met: bool | None
    why: tuple[Why, ...] = ()
    sites: tuple[Site, ...] = ()


def evaluate(rule: Rule, among: Sequence[Site], windows: Windows, state: RuleState, now: datetime) -> Decision:
    """The decision of this moment. `windows` may hold more than is needed: later readings are not looked at."""
    found = [
        (level, _level(rule, level, among, windows, now, active=_reached(state.colour, level.colour)))
        for level in rule.rising
    ]
    holding = [(level, finding) for level, finding in found if finding.met]
    if holding:
        return _holds(*holding[-1], state, now)
    if state.colour is None:
        return Decision(state)
    if any(finding.met is None for _, finding in found):
        return _unknown(state, now)
    return _quiet(rule, found, state, now)


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
        f"{hours} 小时没有可用的读数，事件关闭；已发出的预警仍然有效，请人工核实后决定是否解除",
        f"No usable readings for {hours} hours; the event is closed. What went out stands: cancel it if need be",
    )
    return Decision(RuleState(cooled=state.colour), Step.LOST, None, (why,))


def _quiet(rule: Rule, found: Sequence[tuple[Level, Finding]], state: RuleState, now: datetime) -> Decision:
    since = state.quiet_since or now
    if now - since < duration(rule.calm):
        return Decision(msgspec.structs.replace(state, quiet_since=since, known_at=now))
    over = RuleState(cooled_until=now + duration(rule.cool_down), cooled=state.colour)
    calm = in_words(rule.calm)
    why = Why(f"各级条件已有 {calm[0]}都不满足", f"No condition of any level has held for {calm[1]}")
    return Decision(over, Step.CLEAR, None, (why, *found[0][1].why))


def _reached(colour: Colour | None, wanted: Colour) -> bool:
    """Whether what goes on is as urgent as `wanted`, or more."""
    return colour is not None and colour.urgency <= wanted.urgency


def _level(
    rule: Rule, level: Level, among: Sequence[Site], windows: Windows, now: datetime, *, active: bool
) -> Finding:
    found = [_condition(rule, one, among, windows, now, active=active) for one in level.when]
    marks = [one.met for one in found]
    if level.match == "all":
        met = False if False in marks else None if None in marks else True
    else:
        met = True if True in marks else None if None in marks else False
    telling = [one for one in found if one.met] if met else found
    sites = {site.code: site for one in telling for site in one.sites}
    return Finding(met, tuple(why for one in telling for why in one.why), tuple(sites.values()))


def _condition(
    rule: Rule, one: Condition, among: Sequence[Site], windows: Windows, now: datetime, *, active: bool
) -> Finding:
    """Whether it holds at enough stations. A station of which nothing fresh is known may be one of them."""
    asked = chosen(among, one.stations or rule.stations)
    fresh = duration(rule.fresh)
    found = [(site, _at(one, site, windows.get((site.code, one.element)), now, fresh, active=active)) for site in asked]
    met = [(site, finding) for site, finding in found if finding.met]
    unknown = sum(finding.met is None for _, finding in found)
    if len(met) >= one.at_least:
        why = tuple(reason for _, finding in met[:5] for reason in finding.why)
        if one.at_least > 1:
            why = (_count(len(met), len(asked), one.at_least), *why)
        return Finding(True, why, tuple(site for site, _ in met))
    if len(met) + unknown >= one.at_least or not asked:
        return Finding(None)
    return Finding(False, tuple(reason for _, finding in found[:3] for reason in finding.why))


def _count(met: int, asked: int, wanted: int) -> Why:
    return Why(
        f"{asked} 个站中有 {met} 个满足（至少 {wanted} 个）", f"{met} of {asked} stations meet it (at least {wanted})"
    )


def _at(one: Condition, site: Site, course: Course | None, now: datetime, fresh: timedelta, *, active: bool) -> Finding:
    """Whether it holds at one station."""
    moment = now.timestamp()
    end = course.end(moment) if course is not None else 0
    if course is None or not end or moment - course.at[end - 1] > fresh.total_seconds():
        return Finding(None)
    slack = one.hysteresis if active else 0.0
    span = in_words(one.within or "0s")
    if one.total is not None:
        value, limit = _sum(one, course, end, moment), one.total - slack
        return _told(one, site, value, limit, value >= limit, f" {span[0]}内累计", f"in total within {span[1]}")
    if one.rise is not None or one.fall is not None:
        value, limit = _change(one, course, end), (one.rise or one.fall or 0.0) - slack
        words = ("上涨", "rise") if one.rise is not None else ("下降", "fall")
        return _told(one, site, value, limit, value >= limit, f" {span[0]}内{words[0]}", f"{words[1]} in {span[1]}")
    return _beyond(one, site, course, end, slack, fresh)


def _beyond(one: Condition, site: Site, course: Course, end: int, slack: float, fresh: timedelta) -> Finding:
    """Above or below a limit, for as long as is asked."""
    up = one.above is not None
    wanted = one.above if up else one.below
    limit = site.limit(one.element, wanted) if isinstance(wanted, str) else wanted
    if limit is None:
        return Finding(None)
    bar = limit - slack if up else limit + slack

    def beyond(value: float) -> bool:
        return value >= bar if up else value <= bar

    value = course.values[end - 1]
    if not beyond(value):
        return _told(one, site, value, bar, False, "现为", "now")
    if one.lasting:
        first = _held_since(course, end, beyond, fresh.total_seconds())
        held = course.at[end - 1] - course.at[first]
        if held < duration(one.lasting).total_seconds():
            return _told(
                one, site, value, bar, False, f"只持续了 {held / 60:.0f} 分钟，现为", f"only {held / 60:.0f} min,"
            )
        span = in_words(one.lasting)
        return _told(one, site, value, bar, True, f"持续 {span[0]}，现为", f"for {span[1]}, now")
    return _told(one, site, value, bar, True, "现为", "now")


def _held_since(course: Course, end: int, beyond: Callable[[float], bool], gap: float) -> int:
    """The first of the latest readings without a break that are all beyond."""
    first = end - 1
    while first and beyond(course.values[first - 1]) and course.at[first] - course.at[first - 1] <= gap:
        first -= 1
    return first


def _sum(one: Condition, course: Course, end: int, moment: float) -> float:
    """What came together in the window that ends now; of a counter what it went up by, over every new beginning."""
    start = course.end(moment - duration(one.within).total_seconds())
    known = ELEMENTS.get(one.element)
    if known is None or not known.counter:
        return sum(course.values[start:end])
    return sum(
        after - before if after >= before else after
        for before, after in pairwise(course.values[max(start - 1, 0) : end])
    )


def _change(one: Condition, course: Course, end: int) -> float:
    """By how much the latest value is above the lowest (below the highest) of the window that ends with it."""
    start = course.end(course.at[end - 1] - duration(one.within).total_seconds() - 0.001)
    values = course.values[start:end]
    return values[-1] - min(values) if one.rise is not None else max(values) - values[-1]


def _told(one: Condition, site: Site, value: float, limit: float, met: bool, how: str, english: str) -> Finding:
    measure = unit(one.element)
    sign = ("≥" if met else "<") if one.below is None else ("≤" if met else ">")
    reason = Why(
        f"{site.name} {chinese(one.element)}{how} {value:.6g} {measure}（{sign} {limit:.6g}）",
        f"{site.name}: {one.element.replace('_', ' ')} {english} {value:.6g} {measure} ({sign} {limit:.6g})",
    )
    return Finding(met, (reason,), (site,) if met else ())


def deed_of(rule: Rule, decision: Decision) -> Deed:
    """What the rule may do about it; of an event that was lost sight of the officers are told, and nothing more."""
    if decision.level is not None:
        return decision.level.do
    return Deed.NOTIFY if decision.step is Step.LOST else rule.clear


def with_alert(decision: Decision, alert_id: int | None) -> Decision:
    """The decision with the alert that was written because of it."""
    return replace(decision, state=msgspec.structs.replace(decision.state, alert_id=alert_id))
