"""From a bulletin to an alert: what the title says in words becomes hazard, colour and deed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from broadcaster.alerts import areas
from broadcaster.alerts.alert import (
    Alert,
    Area,
    Category,
    Certainty,
    Colour,
    Info,
    Kind,
    MsgType,
    NamedValue,
    Reference,
    Severity,
    Urgency,
)
from broadcaster.alerts.hazard import EVENT_CODE_NAME, hazard_of_code, recognise
from broadcaster.phrase import joined, phrase
from broadcaster.sources import Judged, Verdict

_COLOURS = {"红": Colour.RED, "橙": Colour.ORANGE, "黄": Colour.YELLOW, "蓝": Colour.BLUE}
_COLOUR = re.compile(r"([红橙黄蓝])色")
_OFFICE = re.compile(r"^(.{2,40}?(?:气象台|气象局|气象服务中心|水利局|水文局|自然资源局|应急管理局|指挥部))")
_NATIONAL = re.compile(r"1[1-4][A-Z]\d\d")
_CANCELLED = "解除"


@dataclass(frozen=True, slots=True)
class Bulletin:
    """One entry as its service gives it. `region` is a code of GB/T 2260, "" where it names none; `event` one of GB/T
    35561, "" likewise; `supersedes` the identifiers that it replaces; `deed` None: as the title says."""

    service: str
    identifier: str
    sent: datetime
    title: str
    text: str = ""
    sender: str = ""
    region: str = ""
    place: str = ""
    event: str = ""
    colour: Colour | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    deed: MsgType | None = None
    supersedes: tuple[str, ...] = ()


def judged(bulletin: Bulletin) -> Judged:
    """The bulletin as an alert, with warnings about what it leaves open; refused when it names no warning."""
    faults = [word for word, given in (("标识", bulletin.identifier), ("标题", bulletin.title)) if not given.strip()]
    if faults:
        return Judged(Verdict.REFUSED, (phrase("缺少%(what)s", what=joined("、", faults)),), None)
    reasons = list(_open(bulletin))
    return Judged(Verdict.WITH_WARNINGS if reasons else Verdict.ACCEPTED, tuple(reasons), alert_of(bulletin))


def alert_of(bulletin: Bulletin) -> Alert:
    """The alert that a bulletin says."""
    national = bulletin.event if _NATIONAL.fullmatch(bulletin.event) else ""
    hazard = (hazard_of_code(national) if national else None) or recognise(bulletin.title[:500])
    colour = bulletin.colour or colour_of(bulletin.title)
    deed = bulletin.deed or (MsgType.CANCEL if _CANCELLED in bulletin.title else MsgType.ALERT)
    info = Info(
        event=hazard.chinese if hazard else bulletin.title[:100],
        language="zh-CN",
        categories=(hazard.category if hazard else Category.MET,),
        urgency=Urgency.UNKNOWN,
        severity=colour.severity if colour else Severity.UNKNOWN,
        certainty=Certainty.UNKNOWN,
        event_codes=(NamedValue(EVENT_CODE_NAME, national),) if national else (),
        effective=bulletin.sent,
        onset=bulletin.onset,
        expires=bulletin.expires,
        sender_name=bulletin.sender or office_of(bulletin.title),
        headline=bulletin.title,
        description=bulletin.text,
        areas=(Area(bulletin.place, geocodes=(areas.geocode(bulletin.region),) if bulletin.region else ()),),
    )
    return Alert(
        identifier=bulletin.identifier,
        sender=bulletin.service,
        sent=bulletin.sent,
        msg_type=deed,
        source=info.sender_name,
        references=tuple(Reference(bulletin.service, one, None) for one in bulletin.supersedes),
        infos=(info,),
        kind=Kind.ALL_CLEAR if deed is MsgType.CANCEL else Kind.WARNING,
        hazard=hazard.slug if hazard else "generic",
        colour=colour,
    )


def colour_of(title: str) -> Colour | None:
    """The colour that a title names."""
    found = _COLOUR.search(title)
    return _COLOURS[found.group(1)] if found else None


def office_of(title: str) -> str:
    """The office that a title begins with; "" where it begins with none."""
    found = _OFFICE.match(title)
    return found.group(1) if found else ""


def _open(bulletin: Bulletin) -> Iterable[str]:
    if bulletin.colour is None and colour_of(bulletin.title) is None:
        yield "没有写明颜色等级"
    if not bulletin.region:
        yield "没有行政区划代码，只能按地名判断区域"
    if bulletin.expires is None:
        yield "没有写明何时失效"
    if not bulletin.text:
        yield "只有标题，没有正文"
