"""The form on the console as it was typed, right or wrong: text by field name, read into the form that makes an alert.

Nothing is lost here: what cannot be read stays as it was typed and gives a fault under its field's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from typing import TypeVar

from broadcaster.alerts import areas, shapes
from broadcaster.alerts.alert import Alert, Circle, Colour, Kind, Ring, Scope, Status
from broadcaster.alerts.form import AlertForm, AreaForm, CircleForm, Translation
from broadcaster.alerts.hazard import HAZARDS
from broadcaster.alerts.succession import CallingOff, Words
from broadcaster.phrase import joined, phrase

Typed = Mapping[str, str]
Word = TypeVar("Word", bound=StrEnum)

TEXTS = ("headline", "description", "instruction")
"""What a template fills in and an officer rewrites."""

ENGLISH = tuple(f"{name}_en" for name in TEXTS)
REGION = "region-"
"""A ticked region is a field of this prefix and its code."""

SUGGESTED = "suggested_"
"""Before a text's name: what the template last filled in, so that only what nobody has touched is filled in anew."""

LONGEST = {"headline": 200, "description": 2000, "instruction": 2000, "shapes": 20_000, "valid_hours": 10}
NAMES = ("hazard", "colour", "kind", "status", "scope", "shapes", "valid_hours", *TEXTS, *ENGLISH)
_REGION = re.compile(rf"{REGION}(\d{{6}}(?:\d{{3}}){{0,3}})")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_HOURS_MAX = 720.0
_FINDINGS = {
    "hazard": "hazard",
    "colour": "colour",
    "area": "area",
    "geometry": "shapes",
    "effective": "valid_hours",
    "expires": "valid_hours",
    "expired": "valid_hours",
    "times": "valid_hours",
}

EMPTY: dict[str, str] = {"kind": Kind.WARNING.value, "scope": Scope.PUBLIC.value, "valid_hours": "12"}


@dataclass(slots=True)
class Reading:
    """What could be read, and what is wrong, by field name."""

    form: AlertForm
    regions: tuple[str, ...] = ()
    rings: tuple[Ring, ...] = ()
    circles: tuple[Circle, ...] = ()
    hours: float | None = None
    faults: dict[str, str] = field(default_factory=dict)


def kept(given: Typed) -> dict[str, str]:
    """What of a request is the draft's: known fields, without line ends and control characters of other systems."""
    found = {}
    for name, text in given.items():
        if name in NAMES or _REGION.fullmatch(name):
            found[name] = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return found


def regions_of(typed: Typed) -> tuple[str, ...]:
    """The ticked regions, sorted, without those that lie within another."""
    return tuple(areas.outermost(match.group(1) for name in typed if (match := _REGION.fullmatch(name))))


def read(typed: Typed, place: str = "") -> Reading:
    """The form that was typed; `place` is what its area is called."""
    reading = Reading(AlertForm(), regions=regions_of(typed))
    faults = reading.faults
    hazard, colour = typed.get("hazard", ""), typed.get("colour", "")
    if hazard and hazard not in HAZARDS:
        faults["hazard"] = "没有这个灾种，请从列表中选择"
    for name, most in LONGEST.items():
        for key in (name, f"{name}_en"):
            if len(typed.get(key, "")) > most:
                faults[key] = phrase("最多 %(most)s 个字，现在有 %(now)s 个", most=most, now=len(typed[key]))
    rings, circles, wrong = shapes.read(typed.get("shapes", ""))
    if wrong:
        faults["shapes"] = joined("；", wrong)
    else:
        reading.rings, reading.circles = tuple(rings), tuple(circles)
    reading.hours = _hours(typed.get("valid_hours", ""))
    if reading.hours is None:
        faults["valid_hours"] = phrase("请填 0 到 %(most)s 之间的小时数", most=f"{_HOURS_MAX:g}")
    reading.form = AlertForm(
        hazard=hazard if hazard in HAZARDS else "",
        colour=_word(Colour, colour, faults, "colour"),
        kind=_word(Kind, typed.get("kind", ""), faults, "kind") or Kind.WARNING,
        status=_word(Status, typed.get("status", ""), faults, "status") or Status.EXERCISE,
        scope=_word(Scope, typed.get("scope", ""), faults, "scope") or Scope.PUBLIC,
        valid_hours=reading.hours,
        areas=_areas(reading, place),
        translations=_translations(typed),
        headline=typed.get("headline", "").strip(),
        description=typed.get("description", "").strip(),
        instruction=typed.get("instruction", "").strip(),
    )
    return reading


def calling_off(typed: Typed, hours: float | None, *, misfire: bool) -> CallingOff:
    """What was typed, as the words of a Cancel."""
    chinese, english = (Words(*(typed.get(name, "").strip() for name in names)) for names in (TEXTS, ENGLISH))
    return CallingOff(chinese, english, hours or 24.0, misfire)


def typed_of(alert: Alert) -> dict[str, str]:
    """The form that would make this alert, for editing it or for its Update."""
    typed = {
        **EMPTY,
        "hazard": alert.hazard,
        "colour": alert.colour.value if alert.colour else "",
        "kind": alert.kind.value,
        "status": alert.status.value,
        "scope": alert.scope.value,
        "shapes": shapes.write(areas.polygons(alert), areas.circles(alert)),
        **{f"{REGION}{region}": "on" for region in areas.regions(alert)},
    }
    for suffix, language in (("", "zh-CN"), ("_en", "en")):
        info = alert.info(language)
        if info is not None and (not suffix or info.language.casefold().startswith("en")):
            texts = {"headline": info.headline, "description": info.description, "instruction": info.instruction}
            typed |= {name + suffix: text for name, text in texts.items()}
    if alert.effective and alert.expires and alert.expires > alert.effective:
        typed["valid_hours"] = f"{(alert.expires - alert.effective).total_seconds() / 3600:g}"
    return typed


def field_of(code: str, path: str) -> str:
    """The form's field that one of the lifecycle's findings is about; "" for the alert as a whole."""
    if code in ("headline", "instruction"):
        return code if path.startswith("infos[0]") else f"{code}_en"
    return _FINDINGS.get(code, "")


def _areas(reading: Reading, place: str) -> list[AreaForm]:
    if not (reading.regions or reading.rings or reading.circles):
        return []
    return [
        AreaForm(
            description=place,
            regions=list(reading.regions),
            polygons=[list(ring) for ring in reading.rings],
            circles=[CircleForm(lon=one.lon, lat=one.lat, km=one.km) for one in reading.circles],
        )
    ]


def _translations(typed: Typed) -> list[Translation]:
    texts = {name: typed.get(f"{name}_en", "").strip() for name in TEXTS}
    return [Translation(language="en", **texts)] if any(texts.values()) else []


def _hours(text: str) -> float | None:
    try:
        hours = float(text.strip())
    except ValueError:
        return None
    return hours if isfinite(hours) and 0 < hours <= _HOURS_MAX else None


def _word(kind: type[Word], text: str, faults: dict[str, str], name: str) -> Word | None:
    try:
        return kind(text) if text else None
    except ValueError:
        faults[name] = "不在允许的取值之内"
        return None
