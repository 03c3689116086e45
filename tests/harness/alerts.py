"""Alerts for tests: one that is fit to be issued, and hypothesis strategies for any that CAP can say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from broadcaster.alerts import areas
from broadcaster.alerts.actor import Actor, Role
from broadcaster.alerts.alert import (
    Alert,
    Area,
    Category,
    Certainty,
    Circle,
    Colour,
    Info,
    Kind,
    MsgType,
    NamedValue,
    Reference,
    Resource,
    ResponseType,
    Scope,
    Severity,
    Status,
    Urgency,
)
from broadcaster.alerts.hazard import HAZARDS

NOW = datetime(2026, 8, 9, 19, 0, tzinfo=UTC)

AUTHOR = Actor("zhang", frozenset({Role.AUTHOR}))
APPROVER = Actor("li", frozenset({Role.APPROVER}))
ADMINISTRATOR = Actor("wang", frozenset({Role.ADMINISTRATOR}))


def typhoon(**changes: Any) -> Alert:
    """A red typhoon warning for one town, effective now, for six hours."""
    info = Info(
        event="台风",
        categories=(Category.MET,),
        response_types=(ResponseType.EVACUATE,),
        urgency=Urgency.IMMEDIATE,
        severity=Severity.EXTREME,
        certainty=Certainty.LIKELY,
        effective=NOW,
        expires=NOW + timedelta(hours=6),
        headline="鄞州区发布台风红色预警",
        instruction="请立即转移到安置点",
        areas=(Area("东吴镇", geocodes=(areas.geocode("330212106"),)),),
    )
    alert = Alert(
        identifier="330212_1",
        sender="daohu.330212",
        sent=NOW,
        infos=(info,),
        hazard="typhoon",
        colour=Colour.RED,
    )
    return replace(alert, **changes)


def with_info(alert: Alert, **changes: Any) -> Alert:
    """The alert with its first info changed."""
    return replace(alert, infos=(replace(alert.infos[0], **changes), *alert.infos[1:]))


def update(alert: Alert, identifier: str, msg_type: MsgType = MsgType.UPDATE, **changes: Any) -> Alert:
    """An Update (or Cancel) of an alert."""
    reference = Reference(alert.sender, alert.identifier, alert.sent)
    return replace(alert, identifier=identifier, msg_type=msg_type, references=(reference,), **changes)


_characters = st.characters(min_codepoint=32, max_codepoint=0x2FFFF, exclude_categories=("Cs", "Cn", "Co"))
lines = st.text(_characters, max_size=12).map(str.strip)
names = st.text(st.sampled_from("abcXYZ019._-:/"), min_size=1, max_size=12)
times = st.integers(631_152_000, 4_102_444_800).map(lambda second: datetime.fromtimestamp(second, UTC))


def decimals(least: float, most: float) -> st.SearchStrategy[float]:
    """Numbers as people and instruments write them: to six decimals."""
    return st.integers(round(least * 10**6), round(most * 10**6)).map(lambda micro: micro / 10**6)


degrees = decimals(-89, 89)
addresses = st.text(st.sampled_from("abc019._-/?=&"), max_size=12).map(lambda path: path and f"https://{path}")
named_values = st.builds(NamedValue, lines, lines)
circles = st.builds(Circle, degrees, degrees, decimals(0, 1000))
heights = st.none() | decimals(-1000, 50000)


@st.composite
def rings(draw: st.DrawFn) -> tuple[tuple[float, float], ...]:
    """A closed outline that does not cross itself: a flat top over a ragged bottom."""
    west, south = draw(decimals(-170, 160)), draw(decimals(-80, 70))
    top = round(south + draw(decimals(0.01, 5)), 6)
    bottom, lon = [(west, south)], west
    for width, depth in draw(st.lists(st.tuples(decimals(0.01, 2), decimals(0, 3)), min_size=1, max_size=6)):
        lon = round(lon + width, 6)
        bottom.append((lon, round(south - depth, 6)))
    return (*bottom, (lon, top), (west, top), (west, south))


def _some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=3).map(tuple)


area_values = st.builds(Area, lines, _some(rings()), _some(circles), _some(named_values), heights, heights)
resources = st.builds(Resource, lines, lines, st.none() | st.integers(0, 10**9), addresses, names, names)
infos = st.builds(
    Info,
    event=lines,
    language=st.sampled_from(["zh-CN", "en-US", "en", "ug-Arab-CN"]),
    categories=st.lists(st.sampled_from(Category), min_size=1, max_size=3).map(tuple),
    response_types=_some(st.sampled_from(ResponseType)),
    urgency=st.sampled_from(Urgency),
    severity=st.sampled_from(Severity),
    certainty=st.sampled_from(Certainty),
    audience=lines,
    event_codes=_some(named_values),
    effective=st.just(datetime(1980, 1, 1, tzinfo=UTC)) | st.none(),
    onset=st.none() | times,
    expires=st.none() | times,
    sender_name=lines,
    headline=lines,
    description=lines,
    instruction=lines,
    web=addresses,
    contact=lines,
    parameters=_some(named_values),
    resources=_some(resources),
    areas=_some(area_values),
)
_words = lines.map(lambda text: text.replace('"', "")).filter(bool)
alerts = st.builds(
    Alert,
    identifier=names,
    sender=names,
    sent=times,
    status=st.sampled_from(Status),
    msg_type=st.just(MsgType.ALERT),
    scope=st.sampled_from(Scope),
    source=lines,
    restriction=lines,
    addresses=_some(_words),
    codes=_some(names.filter(lambda name: not name.startswith("daohu:"))),
    note=lines,
    references=_some(st.builds(Reference, names, names, times)),
    incidents=_some(_words),
    infos=_some(infos),
    kind=st.sampled_from(Kind),
    hazard=st.sampled_from(["", *HAZARDS]),
    colour=st.none() | st.sampled_from(Colour),
)
