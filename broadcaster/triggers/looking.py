"""Whether what a rule asks for holds: at one station, at enough of them, for one level. Pure, of one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum

import msgspec

from broadcaster.triggers.elements import ELEMENTS, chinese, unit
from broadcaster.triggers.rule import Condition, Level, Rule, duration, in_words
from broadcaster.triggers.window import Course, Site, Windows, chosen

GRAIN = 1e-7
"""Finer than any instrument says: 3.3 - 3.0 falls short of 0.3 by less."""

CLOUDBURST = 250 / 3600
"""Millimetres a second: no rain of an hour was ever heavier by much. A counter that leaps faster was read wrongly."""


class Why(msgspec.Struct, frozen=True):
    """One reason, in the two languages of the console."""

    chinese: str
    english: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether something holds; `met` None: it is not known. `heard`: of what it is known."""

    met: bool | None
    why: tuple[Why, ...] = ()
    sites: tuple[Site, ...] = ()
    heard: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Look:
    """One look of a rule at its stations; `heard` as the state's."""

    rule: Rule
    among: Sequence[Site]
    windows: Windows
    moment: float
    fresh: float
    going: bool
    heard: frozenset[str] | None

    def course(self, site: Site, element: str) -> tuple[Course, int] | None:
        """What a station says of an element, and how much of it has come; None when that is not fresh."""
        course = self.windows.get((site.code, element))
        end = course.end(self.moment) if course is not None else 0
        if course is None or not end or self.moment - course.at[end - 1] > self.fresh:
            return None
        return course, end

    def missing(self, one: Condition, found: Sequence[tuple[Site, Finding]]) -> int:
        """How many stations may meet a condition without anybody's knowing. Of those that were mute when the event
        began nothing is awaited; of one that has gone from the register since then, something is."""
        unknown = [_key(site.code, one) for site, finding in found if finding.met is None]
        if self.heard is None:
            return len(unknown)
        there = {_key(site.code, one) for site in self.among}
        gone = {key for key in self.heard if key.endswith(_key("", one))} - there
        return len(self.heard.intersection(unknown)) + len(gone)


def level_of(look: Look, level: Level, *, active: bool) -> Finding:
    """Whether a level holds; `active`: it did before, so that its hysteresis counts."""
    found = [_condition(look, one, active=active) for one in level.when]
    marks = [one.met for one in found]
    if level.match == "all":
        met = False if False in marks else None if None in marks else True
    else:
        met = True if True in marks else None if None in marks else False
    telling = [one for one in found if one.met] if met else found
    sites = {site.code: site for one in telling for site in one.sites}
    heard = frozenset[str]().union(*(one.heard for one in found))
    return Finding(met, tuple(why for one in telling for why in one.why), tuple(sites.values()), heard)


def _condition(look: Look, one: Condition, *, active: bool) -> Finding:
    """Whether it holds at enough stations. A station of which nothing fresh is known may be one of them."""
    asked = chosen(look.among, one.stations or look.rule.stations)
    found = [(site, _at(look, one, site, active=active)) for site in asked]
    heard = frozenset(_key(site.code, one) for site, finding in found if finding.met is not None)
    met = [(site, finding) for site, finding in found if finding.met]
    if len(met) >= one.at_least:
        why = tuple(reason for _, finding in met[:5] for reason in finding.why)
        if one.at_least > 1:
            why = (_count(len(met), len(asked), one.at_least), *why)
        return Finding(True, why, tuple(site for site, _ in met), heard)
    if len(met) + look.missing(one, found) >= one.at_least or not asked:
        return Finding(None, heard=heard)
    return Finding(False, tuple(reason for _, finding in found[:3] for reason in finding.why), heard=heard)


def _key(code: str, one: Condition) -> str:
    """What is known of a station by a condition: of a limit of its own only where it has one."""
    wanted = one.above if one.above is not None else one.below
    return f"{code} {one.element} {wanted if isinstance(wanted, str) else ''}"


def _count(met: int, asked: int, wanted: int) -> Why:
    return Why(
        f"{asked} 个站中有 {met} 个满足（至少 {wanted} 个）", f"{met} of {asked} stations meet it (at least {wanted})"
    )


def _at(look: Look, one: Condition, site: Site, *, active: bool) -> Finding:
    """Whether it holds at one station."""
    said = look.course(site, one.element)
    if said is None:
        return Finding(None)
    course, end = said
    slack = one.hysteresis if active else 0.0
    span = in_words(one.within or "0s")
    if one.total is not None:
        value, limit = _sum(one, course, end, look.moment), one.total - slack
        met = value >= limit - GRAIN
        if not met and look.going and _patchy(look, one, course, end):
            return Finding(None)
        return _told(one, site, value, limit, met, f" {span[0]}内累计", f"in total within {span[1]}")
    if one.rise is not None or one.fall is not None:
        value, limit = _change(one, course, end), (one.rise or one.fall or 0.0) - slack
        words = ("上涨", "rise") if one.rise is not None else ("下降", "fall")
        met = value >= limit - GRAIN
        return _told(one, site, value, limit, met, f" {span[0]}内{words[0]}", f"{words[1]} in {span[1]}")
    return _beyond(one, site, course, end, slack, look.fresh)


def _beyond(one: Condition, site: Site, course: Course, end: int, slack: float, fresh: float) -> Finding:
    """Above or below a limit, for as long as is asked."""
    up = one.above is not None
    wanted = one.above if up else one.below
    limit = site.limit(one.element, wanted) if isinstance(wanted, str) else wanted
    if limit is None:
        return Finding(None)
    bar = limit - slack if up else limit + slack

    def beyond(value: float) -> bool:
        return value >= bar - GRAIN if up else value <= bar + GRAIN

    value = course.values[end - 1]
    if not beyond(value):
        return _told(one, site, value, bar, False, "现为", "now")
    if one.lasting:
        first = _held_since(course, end, beyond, fresh)
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
        return fsum(course.values[start:end])
    start = max(start - 1, 0)
    return fsum(_growth(course.at[start:end], course.values[start:end]))


def _growth(at: Sequence[float], values: Sequence[float]) -> Iterator[float]:
    """By how much a counter goes up at each reading. It begins anew at zero; where that would take more rain than ever
    falls, it was corrected, and where it leaps back the same way, it was read wrongly in between."""
    left: float | None = None
    for (before_at, before), (after_at, after) in pairwise(zip(at, values, strict=True)):
        most = CLOUDBURST * (after_at - before_at)
        if after < before:
            left = max(before, left or before)
            yield after if after <= most else 0.0
        elif left is not None and after >= left and after - before > most:
            yield after - left
            left = None
        else:
            yield after - before


def _patchy(look: Look, one: Condition, course: Course, end: int) -> bool:
    """Whether a station was mute for a part of the window: what fell then is not in the sum. A counter knows."""
    known = ELEMENTS.get(one.element)
    if known is not None and known.counter:
        return False
    begin = look.moment - duration(one.within).total_seconds()
    start = course.end(begin)
    seen = [course.at[start - 1] if start else begin, *course.at[start:end]]
    return any(after - before > 2 * look.fresh for before, after in pairwise(seen))


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
