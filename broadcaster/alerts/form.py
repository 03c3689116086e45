"""The short JSON that people and machines write an alert in (`POST /api/v1/alerts`, `daohu issue FILE.json`).

Only what cannot be derived is asked for. `decode` is strict: an unknown field, a wrong type or a wrong word is refused,
and every such field is named at once with its path and what is allowed. Whether the alert may be *issued* is not asked
here; a draft may lack things.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from broadcaster.alerts import areas, hazard
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
    Point,
    Reference,
    ResponseType,
    Scope,
    Severity,
    Status,
    Urgency,
)
from broadcaster.alerts.form_errors import at, convert, refuse
from broadcaster.alerts.geometry import circle_faults, ring_faults
from broadcaster.phrase import joined, phrase

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Hours = Annotated[float, msgspec.Meta(gt=0, le=720)]


class CircleForm(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A circle: centre in degrees, radius in kilometres."""

    lon: float
    lat: float
    km: float


class AreaForm(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where: region codes of 6, 9, 12 or 15 digits, outlines as [[lon, lat], …], circles; any mixture."""

    description: str = ""
    regions: list[str] = []
    polygons: list[list[Point]] = []
    circles: list[CircleForm] = []


class Translation(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The same alert in another language."""

    language: str
    headline: str
    description: str = ""
    instruction: str = ""
    event: str = ""
    sender_name: str = ""


DUTY_HOLDERS = "仅发责任人"
"""CAP's `restriction` of what is for the people on duty alone."""


class AlertForm(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One alert as authored.

    `regions` is short for one area; `references` are identifiers of alerts issued here, or CAP's
    "sender,identifier,sent"; `expires` and `valid_hours` exclude each other, hours count from `effective`. `scope`
    Restricted is for the people on duty alone: no household and no loudspeaker gets it.
    """

    hazard: str = ""
    colour: Colour | None = None
    kind: Kind = Kind.WARNING
    status: Status = Status.ACTUAL
    msg_type: MsgType = MsgType.ALERT
    scope: Scope = Scope.PUBLIC
    identifier: str = ""
    sender: str = ""
    sent: Moment | None = None
    references: list[str] = []
    note: str = ""
    language: str = "zh-CN"
    event: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    effective: Moment | None = None
    onset: Moment | None = None
    expires: Moment | None = None
    valid_hours: Hours | None = None
    regions: list[str] = []
    areas: list[AreaForm] = []
    urgency: Urgency | None = None
    certainty: Certainty | None = None
    response_types: list[ResponseType] = []
    categories: list[Category] = []
    sender_name: str = ""
    contact: str = ""
    web: str = ""
    parameters: dict[str, str] = {}
    translations: list[Translation] = []


def decode(data: bytes, *, now: datetime, sender: str, identifier: str) -> Alert:
    """The alert that a JSON form describes; `InputError` names every field at fault.

    `sender` and `identifier` are used where the form gives none; times not given are `now`.
    """
    form = convert(data, AlertForm)
    refuse(_faults(form))
    return make(form, now=now, sender=sender, identifier=identifier)


def _faults(form: AlertForm) -> list[str]:
    """What the types cannot say: known hazards, region codes, shapes, one end of the time, distinct languages."""
    faults = []
    if form.hazard and form.hazard not in hazard.HAZARDS:
        allowed = joined("、", hazard.HAZARDS)
        faults.append(
            at(
                "hazard",
                phrase("“%(given)s”不在灾种表之内，允许：%(allowed)s", given=form.hazard[:40], allowed=allowed),
            )
        )
    if form.expires and form.valid_hours:
        faults.append(at(joined("、", ("expires", "valid_hours")), "只能写一个"))
    faults.extend(_region_faults("regions", form.regions))
    for place, area in enumerate(form.areas):
        path = f"areas[{place}]"
        faults.extend(_region_faults(f"{path}.regions", area.regions))
        for index, ring in enumerate(area.polygons):
            faults.extend(at(f"{path}.polygons[{index}]", fault) for fault in ring_faults(tuple(ring)))
        for index, circle in enumerate(area.circles):
            faults.extend(at(f"{path}.circles[{index}]", fault) for fault in circle_faults(_circle(circle)))
    for index, text in enumerate(form.references):
        if _reference(text) is None:
            fault = phrase("“%(given)s”既不是标识，也不是“发送者,标识,发布时间”", given=text[:60])
            faults.append(at(f"references[{index}]", fault))
    languages = [form.language, *(translation.language for translation in form.translations)]
    if len(set(languages)) < len(languages):
        faults.append(at("translations", "每种语言只能有一份"))
    return faults


def _region_faults(path: str, codes: list[str]) -> list[str]:
    return [
        at(f"{path}[{index}]", phrase("“%(code)s”不是行政区划代码，应为 6、9、12 或 15 位数字", code=code[:20]))
        for index, code in enumerate(codes)
        if not areas.is_region(code)
    ]


def make(form: AlertForm, *, now: datetime, sender: str, identifier: str) -> Alert:
    """The alert that a form without faults describes; see `decode`."""
    now = now.replace(microsecond=0)
    first = _info(form, now)
    others = (
        replace(
            first,
            language=one.language,
            event=one.event or first.event,
            headline=one.headline,
            description=one.description,
            instruction=one.instruction,
            sender_name=one.sender_name or first.sender_name,
        )
        for one in form.translations
    )
    references = (_reference(text) for text in form.references)
    return Alert(
        identifier=form.identifier or identifier,
        sender=form.sender or sender,
        sent=_utc(form.sent) or now,
        status=form.status,
        msg_type=form.msg_type,
        scope=form.scope,
        restriction=DUTY_HOLDERS if form.scope is Scope.RESTRICTED else "",
        note=form.note,
        references=tuple(one for one in references if one is not None),
        infos=(first, *others),
        kind=form.kind,
        hazard=form.hazard,
        colour=form.colour,
    )


def _info(form: AlertForm, now: datetime) -> Info:
    known = hazard.HAZARDS.get(form.hazard)
    effective = _utc(form.effective) or now
    expires = _utc(form.expires) or (effective + timedelta(hours=form.valid_hours) if form.valid_hours else None)
    pressing = form.colour in (Colour.RED, Colour.ORANGE)
    code = known.code if known else ""
    return Info(
        event=form.event or (known.chinese if known else ""),
        language=form.language,
        categories=tuple(form.categories) or ((known.category,) if known else (Category.OTHER,)),
        response_types=tuple(form.response_types) or _response_types(form.kind),
        urgency=form.urgency or (Urgency.IMMEDIATE if pressing else Urgency.EXPECTED),
        severity=form.colour.severity if form.colour else Severity.UNKNOWN,
        certainty=form.certainty or Certainty.LIKELY,
        event_codes=(NamedValue(hazard.EVENT_CODE_NAME, code),) if code else (),
        effective=effective,
        onset=_utc(form.onset),
        expires=expires,
        sender_name=form.sender_name,
        headline=form.headline,
        description=form.description,
        instruction=form.instruction,
        web=form.web,
        contact=form.contact,
        parameters=tuple(NamedValue(name, value) for name, value in form.parameters.items()),
        areas=_areas(form),
    )


def _utc(time: datetime | None) -> datetime | None:
    """UTC to the second, which is all that CAP can say."""
    return time.astimezone(UTC).replace(microsecond=0) if time else None


def _response_types(kind: Kind) -> tuple[ResponseType, ...]:
    words = {
        Kind.WARNING: ResponseType.PREPARE,
        Kind.MOBILIZATION: ResponseType.EXECUTE,
        Kind.ALL_CLEAR: ResponseType.ALL_CLEAR,
    }
    return (words[kind],)


def _areas(form: AlertForm) -> tuple[Area, ...]:
    forms = [*([AreaForm(regions=form.regions)] if form.regions else []), *form.areas]
    return tuple(
        Area(
            description=one.description or "、".join(one.regions) or "图上所示区域",
            polygons=tuple(tuple(ring) for ring in one.polygons),
            circles=tuple(map(_circle, one.circles)),
            geocodes=tuple(map(areas.geocode, one.regions)),
        )
        for one in forms
    )


def _circle(form: CircleForm) -> Circle:
    return Circle(form.lon, form.lat, form.km)


def _reference(text: str) -> Reference | None:
    """An identifier alone, or CAP's three with commas between; None for anything else."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 1 and parts[0]:
        return Reference("", parts[0], None)
    if len(parts) != 3 or not all(parts):
        return None
    try:
        sent = datetime.fromisoformat(parts[2])
    except ValueError:
        return None
    return Reference(parts[0], parts[1], _utc(sent)) if sent.tzinfo else None
