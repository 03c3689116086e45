"""What a message that applies here becomes. The one place where that is decided, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from broadcaster.alerts.alert import Alert, Colour, Status
from broadcaster.alerts.automatic import Deed, usual_hold
from broadcaster.alerts.hazard import HAZARDS
from broadcaster.phrase import joined, ours, phrase
from broadcaster.sources import Signature, SourceSettings

DEEDS = {
    Deed.NOTIFY: "提请值班员",
    Deed.DRAFT: "自动起草",
    Deed.HOLD: "倒计时自动发出",
    Deed.ISSUE: "立即自动发出",
}
"""What becomes of it, in words."""

COLOURS = {Colour.RED: "红色", Colour.ORANGE: "橙色", Colour.YELLOW: "黄色", Colour.BLUE: "蓝色"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be decided about. `hazard` and `colour` of the message, or of what it updates or cancels where it
    names none. `whole`: every area that it names was placed, by code or shape. `successor`: it updates or cancels an
    alert of ours; `follows`: how that one went out by itself, None where an officer has had a hand in it."""

    source: SourceSettings
    alert: Alert
    signature: Signature
    hazard: str
    colour: Colour | None
    whole: bool = True
    successor: bool = False
    follows: Deed | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """`hold`: how long an officer has for a veto; `why` in a sentence, "" where nothing was to be weighed."""

    deed: Deed
    why: str = ""
    hold: timedelta = timedelta()


Decide: TypeAlias = Callable[[Asked], Decided]


def decide(asked: Asked) -> Decided:
    """As the source's settings say. What would go out by itself is a draft where its signature is not good, its area is
    not known wholly, it is a drill, or an officer has had a hand in what it is about."""
    rule = next((one for one in asked.source.deeds if _fits(asked, one.hazards, one.colours)), None)
    wanted = rule.do if rule is not None else asked.source.trust
    if asked.follows is not None and not wanted.goes_out:
        wanted = asked.follows
    if not wanted.goes_out:
        why = (
            "" if rule is None else phrase("按来源的设置（%(what)s）：%(deed)s", what=_what(asked), deed=_said(wanted))
        )
        return Decided(wanted, why)
    if reasons := list(_against(asked)):
        why = phrase("本应%(deed)s，改为起草：%(reasons)s", deed=_said(wanted), reasons=joined("；", reasons))
        return Decided(Deed.DRAFT, why)
    hold = usual_hold(asked.colour) if rule is None or rule.hold is None else timedelta(seconds=rule.hold)
    why = phrase("按来源的设置（%(what)s）：%(deed)s", what=_what(asked), deed=_said(wanted))
    return Decided(wanted, why, hold if wanted is Deed.HOLD else timedelta())


def _fits(asked: Asked, hazards: frozenset[str], colours: frozenset[Colour]) -> bool:
    return (not hazards or asked.hazard in hazards) and (not colours or asked.colour in colours)


def _against(asked: Asked) -> list[str]:
    found = []
    if asked.alert.status is not Status.ACTUAL:
        found.append("是演练或测试")
    if asked.signature is not Signature.GOOD:
        found.append("没有有效的签名")
    if not asked.whole:
        found.append("区域没有全部识别，或只能按名称判断")
    if asked.successor and asked.follows is None:
        found.append("它针对的预警经过值班员之手")
    return found


def _what(asked: Asked) -> str:
    hazard = HAZARDS.get(asked.hazard)
    colour = COLOURS[asked.colour] if asked.colour is not None else "没有颜色"
    return joined("、", (ours(hazard.chinese if hazard is not None else "其他灾种"), ours(colour)))


def _said(deed: Deed) -> str:
    return ours(DEEDS[deed])
