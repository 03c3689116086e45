"""Rules: a text (TOML) that says which readings raise which alert. Data alone: it is checked, and nothing in it is run.

title = "梁弄溪山洪"
hazard = "flash_flood"
stations = ["group:梁弄溪上游"]
[area]
regions = ["330212101"]
[[levels]]
colour = "orange"
do = "hold"
[[levels.when]]
element = "rainfall"
total = 50
within = "1h"
at_least = 2
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from broadcaster.alerts.alert import Colour
from broadcaster.alerts.areas import is_region
from broadcaster.alerts.automatic import Deed, usual_hold
from broadcaster.alerts.form_errors import at, convert, refuse
from broadcaster.alerts.hazard import HAZARDS
from broadcaster.errors import InputError
from broadcaster.phrase import joined, phrase
from broadcaster.triggers.elements import is_element

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
"""What a rule may be called in addresses."""

LONGEST = 20_000
"""Characters of a rule."""

GROUP = "group:"
"""Before the name of a group of stations."""

BEGINNING = """title = ""
hazard = "flood"
stations = ["group:"]
calm = "1h"          # 多久都不满足才算回落 / how long nothing may hold until it is over
cool_down = "30m"    # 回落后多久不因同样的颜色再次触发 / how long the same colour is not raised again
clear = "draft"      # 回落后 / when it is over: notify, draft, hold

[area]
regions = []         # 不写：触发的测站所在的地区 / none: where the stations lie that led to it

[[levels]]
colour = "yellow"
do = "notify"        # notify 提醒, draft 起草, hold 倒计时发出, issue 立即发出

[[levels.when]]
element = "water_level"
above = "warning"    # 一个数，或站上的 warning 警戒、guarantee 保证 / a number, or the station's own
lasting = "10m"
hysteresis = 0.2
"""
"""What a new rule begins with."""

_DURATION = re.compile(r"(\d{1,4})([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_WORDS = {"s": ("秒", "s"), "m": ("分钟", "min"), "h": ("小时", "h"), "d": ("天", "d")}
_LONGEST_WINDOW = timedelta(days=7)
SHORTEST_HOLD = timedelta(minutes=1)
"""In less nobody can veto; drills excepted."""

Duration = Annotated[str, Meta(max_length=6)]
Limit = Literal["warning", "guarantee"]


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One condition over one element. Exactly one of `above`, `below` (a value, or the name of the station's own
    limit), `rise`, `fall` (by so much `within` a time) and `total` (so much in sum `within` a time).

    `lasting`: above or below for so long without a break. `stations` instead of the rule's; `at_least` so many of them.
    `hysteresis`: once it holds, by how much the value must come back until it does no more.
    """

    element: str
    above: float | Limit | None = None
    below: float | Limit | None = None
    rise: float | None = None
    fall: float | None = None
    total: float | None = None
    within: Duration = ""
    lasting: Duration = ""
    stations: list[str] = []
    at_least: Annotated[int, Meta(ge=1, le=1000)] = 1
    hysteresis: Annotated[float, Meta(ge=0)] = 0.0

    @property
    def window(self) -> timedelta:
        """How far back it looks."""
        return duration(self.within or self.lasting or "0s")


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What makes one colour of alert, and what is then done; `hold`: how long it is held for a veto."""

    colour: Colour
    do: Deed
    when: Annotated[list[Condition], Meta(min_length=1, max_length=10)]
    match: Literal["all", "any"] = "all"
    hold: Duration = ""

    @property
    def held(self) -> timedelta:
        """How long an officer has for a veto; a red alert waits less."""
        return duration(self.hold) if self.hold else usual_hold(self.colour)


class RuleArea(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the alert applies: `regions`; or round `stations` (none: those whose readings led to it) the regions they
    stand for, or with `radius_km` a circle round each that has a place."""

    regions: list[str] = []
    stations: list[str] = []
    radius_km: Annotated[float, Meta(gt=0, le=100)] | None = None


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One rule. Times are numbers with s, m, h or d.

    `fresh`: how old the latest reading of a station may be. `calm`: for how long nothing may hold until it is over;
    `cool_down`: how long after that the same colour is not raised again. `clear`: what is then done. `lead`: how long
    the danger takes from these stations to the area (from upstream to downstream). `within`: the regions that the rule
    may alert at all (none: the district). `drill`: its alerts are exercises. Texts that are not given are the
    template's."""

    title: Annotated[str, Meta(min_length=1, max_length=60)]
    hazard: str
    stations: Annotated[list[str], Meta(min_length=1, max_length=200)]
    levels: Annotated[list[Level], Meta(min_length=1, max_length=4)]
    area: RuleArea = RuleArea()
    fresh: Duration = "1h"
    calm: Duration = "1h"
    cool_down: Duration = "30m"
    clear: Deed = Deed.DRAFT
    lead: Duration = ""
    within: list[str] = []
    valid_hours: Annotated[float, Meta(gt=0, le=72)] = 6.0
    drill: bool = False
    headline: Annotated[str, Meta(max_length=200)] = ""
    description: Annotated[str, Meta(max_length=2000)] = ""
    instruction: Annotated[str, Meta(max_length=2000)] = ""

    @property
    def rising(self) -> tuple[Level, ...]:
        """Its levels, the least urgent first."""
        return tuple(sorted(self.levels, key=lambda level: -level.colour.urgency))

    @property
    def lookback(self) -> timedelta:
        """How far back any of its conditions looks, with the reading before: the latest may be as old as `fresh`, and
        the one before the window as much older."""
        windows = (condition.window for level in self.levels for condition in level.when)
        return max(windows) + 2 * duration(self.fresh)

    @property
    def elements(self) -> tuple[str, ...]:
        """What it reads."""
        return tuple(sorted({condition.element for level in self.levels for condition in level.when}))

    @property
    def named(self) -> tuple[str, ...]:
        """Every station and group that it names, for whatever."""
        names = [*self.stations, *self.area.stations]
        names += [name for level in self.levels for condition in level.when for name in condition.stations]
        return tuple(dict.fromkeys(names))


def duration(text: str) -> timedelta:
    """A number with s, m, h or d; ValueError for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def in_words(text: str) -> tuple[str, str]:
    """A time as people read it, in Chinese and in English: beside a value in metres, 10m would be ten of them."""
    chinese, english = _WORDS[text[-1]]
    return f"{text[:-1]} {chinese}", f"{text[:-1]} {english}"


def read(text: str, district: str, issuing: Iterable[str]) -> Rule:
    """The rule that a text says; `InputError` names everything that is wrong with it.

    `issuing` are the hazards whose alerts rules may send out at once.
    """
    if len(text) > LONGEST:
        raise InputError("规则超过 %(most)s 个字符。", remedy="请分成几条规则。", most=LONGEST)
    try:
        data = _json(text)
    except (tomllib.TOMLDecodeError, RecursionError, TypeError, ValueError) as error:
        raise InputError(
            "规则不合 TOML 语法：%(error)s。", remedy="请改正该处后重试。", error=str(error)[:200]
        ) from error
    rule = convert(data, Rule)
    refuse(list(_faults(rule, district, frozenset(issuing))))
    return rule


def stored(body: str) -> Rule:
    """A rule that was saved: it was checked then, read in the same way."""
    return msgspec.json.decode(_json(body), type=Rule)


def _json(text: str) -> bytes:
    """TOML as JSON: what both of them know is all that a rule may hold."""
    return msgspec.json.encode(tomllib.loads(text, parse_float=_finite))


def _finite(written: str) -> float:
    value = float(written)
    if not math.isfinite(value):
        raise ValueError(f"{written} is no finite number")
    return value


def split(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Codes of stations, and names of groups."""
    listed = list(names)
    codes = [name for name in listed if not name.startswith(GROUP)]
    return codes, [name.removeprefix(GROUP) for name in listed if name.startswith(GROUP)]


def _faults(rule: Rule, district: str, issuing: frozenset[str]) -> Iterator[str]:
    """What the types cannot say."""
    if rule.hazard not in HAZARDS:
        yield at(
            "hazard", phrase("没有灾种“%(given)s”，允许：%(known)s", given=rule.hazard, known=joined("、", HAZARDS))
        )
    yield from _time_faults(rule)
    for path, codes in (("within", rule.within), ("area.regions", rule.area.regions)):
        for code in codes:
            if not is_region(code) or not code.startswith(district):
                yield at(path, phrase("“%(code)s”不是本辖区的区划代码", code=code[:20]))
    colours = [level.colour for level in rule.levels]
    if len(set(colours)) < len(colours):
        yield at("levels", "每种颜色只能有一级")
    if rule.clear is Deed.ISSUE and rule.hazard not in issuing:
        yield at("clear", _not_at_once())
    for place, level in enumerate(rule.levels):
        yield from _level_faults(f"levels[{place}]", level, rule, issuing)


def _time_faults(rule: Rule) -> Iterator[str]:
    for name in ("fresh", "calm", "cool_down", "lead"):
        if (name != "lead" or rule.lead) and (fault := _duration_fault(getattr(rule, name))):
            yield at(name, fault)
        elif name == "fresh" and not duration(rule.fresh):
            yield at(name, "应大于 0")
        elif name == "lead" and rule.lead and duration(rule.lead) >= timedelta(hours=rule.valid_hours):
            yield at(name, "应短于 valid_hours")


def _level_faults(path: str, level: Level, rule: Rule, issuing: frozenset[str]) -> Iterator[str]:
    if level.do is Deed.ISSUE and rule.hazard not in issuing:
        yield at(f"{path}.do", _not_at_once())
    if level.hold and (fault := _duration_fault(level.hold)):
        yield at(f"{path}.hold", fault)
    elif level.hold and not rule.drill and duration(level.hold) < SHORTEST_HOLD:
        yield at(f"{path}.hold", "至少 1m，否则来不及否决")
    elif level.do is Deed.HOLD and level.held >= timedelta(hours=rule.valid_hours):
        yield at(f"{path}.hold", "应短于 valid_hours")
    for number, condition in enumerate(level.when):
        yield from _condition_faults(f"{path}.when[{number}]", condition)


def _not_at_once() -> str:
    return phrase("设置 %(key)s 没有允许这个灾种立即发出，请用 hold", key="rules.issue")


def _condition_faults(path: str, one: Condition) -> Iterator[str]:
    if not is_element(one.element):
        yield at(f"{path}.element", phrase("“%(given)s”不是要素名，应如 water_level", given=one.element[:40]))
    tests = [name for name in ("above", "below", "rise", "fall", "total") if getattr(one, name) is not None]
    if len(tests) != 1:
        yield at(
            path, phrase("%(tests)s 写且只写一个", tests=joined("、", ("above", "below", "rise", "fall", "total")))
        )
        return
    over_time = tests[0] in ("rise", "fall", "total")
    if over_time != bool(one.within):
        yield at(f"{path}.within", "rise、fall、total 要写 within，above、below 不写")
    if one.lasting and over_time:
        yield at(f"{path}.lasting", "只用于 above 和 below")
    if over_time and getattr(one, tests[0]) <= 0:
        yield at(f"{path}.{tests[0]}", "应大于 0")
    elif over_time and one.hysteresis >= getattr(one, tests[0]):
        yield at(f"{path}.hysteresis", "应小于要达到的值，否则一旦触发就不会回落")
    for name in ("within", "lasting"):
        if (text := getattr(one, name)) and (fault := _duration_fault(text)):
            yield at(f"{path}.{name}", fault)


def _duration_fault(text: str) -> str:
    """What is wrong with it, "" for nothing."""
    try:
        length = duration(text)
    except ValueError:
        return "应为数字加 s、m、h 或 d，如 30m"
    return "" if length <= _LONGEST_WINDOW else "最长 7d"
