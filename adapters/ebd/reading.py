"""From an EBM to an `Alert`."""

from __future__ import annotations

import re

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
    Status,
    Urgency,
)
from broadcaster.alerts.hazard import EVENT_CODE_NAME, Hazard, hazard_of_code, recognise
from broadcaster.errors import InputError
from channels.loudspeaker.ebd import ebd
from channels.loudspeaker.ebd.broadcast import DRILL_TYPES, SEVERITY, TEST_SEVERITY
from channels.loudspeaker.ebd.documents import CANCEL, EBM, PLAY, MsgContent
from channels.loudspeaker.ebd.ebd import EBD
from channels.loudspeaker.ebd.profile import PROFILES
from channels.loudspeaker.ebd.shape import MissingError

_COLOURS = {code: Colour(colour) for colour, code in SEVERITY.items()}
_LANGUAGES = {"zho": "zh-CN", "chi": "zh-CN", "eng": "en"}
_NATIONAL = re.compile(r"1[1-4][A-Z]\d\d")
_AREA = re.compile(r"\d{6,15}")


def read(document: bytes) -> EBD:
    """The document in whichever dialect it is; `InputError` when it is none."""
    problems = []
    for profile in PROFILES.values():
        try:
            return ebd.read(document, profile)
        except InputError as fault:
            problems.append(fault)
    raise next((one for one in problems if isinstance(one, MissingError)), problems[0])


def alert_of(document: EBD) -> Alert:
    """What an EBM says; `InputError` for another document, and for one that cannot be used.

    The words of a cancellation are the platforms' own ("取消播发"): residents are told in the templates'.
    """
    ebm = document.body
    if not isinstance(ebm, EBM):
        raise InputError("EBD 里不是 EBM，而是 %(kind)s。", kind=document.type[:40])
    basic = ebm.basic
    if basic.msg_type not in (PLAY, CANCEL, *DRILL_TYPES.values()):
        raise InputError("不认识的 MsgType：%(given)s。", given=basic.msg_type[:20])
    cancels, sender = basic.msg_type == CANCEL, document.source.ebrid
    refers = ebm.related.ebmid if ebm.related is not None and ebm.related.ebmid else ebm.ebmid if cancels else ""
    hazard = _hazard(ebm)
    return Alert(
        identifier=ebm.ebmid,
        sender=sender,
        sent=basic.send_time,
        status=_status(ebm),
        msg_type=MsgType.CANCEL if cancels else MsgType.UPDATE if refers else MsgType.ALERT,
        source=basic.sender_name,
        references=(Reference(sender, refers, None),) if refers else (),
        infos=() if cancels or ebm.content is None else (_info(ebm, ebm.content, hazard),),
        kind=Kind.ALL_CLEAR if cancels else Kind.WARNING,
        hazard="" if cancels else hazard.slug if hazard is not None else "generic",
        colour=_COLOURS.get(basic.severity),
    )


def _info(ebm: EBM, content: MsgContent, hazard: Hazard | None) -> Info:
    basic, colour = ebm.basic, _COLOURS.get(ebm.basic.severity)
    return Info(
        event=hazard.chinese if hazard is not None else content.msg_title[:100],
        language=_LANGUAGES.get(content.language_code.lower(), content.language_code[:20]),
        categories=(hazard.category if hazard is not None else Category.OTHER,),
        urgency=Urgency.UNKNOWN,
        severity=colour.severity if colour is not None else Severity.UNKNOWN,
        certainty=Certainty.UNKNOWN,
        event_codes=(NamedValue(EVENT_CODE_NAME, basic.event_type),) if _NATIONAL.fullmatch(basic.event_type) else (),
        effective=basic.send_time,
        onset=basic.start_time if basic.start_time > basic.send_time else None,
        expires=basic.end_time,
        sender_name=basic.sender_name,
        headline=content.msg_title,
        description=content.msg_desc,
        areas=tuple(_area(code) for code in re.split(r"[,，;\s]+", content.area_code) if code),
    )


def _area(code: str) -> Area:
    return Area(code[:40], geocodes=(areas.geocode(code),) if _AREA.fullmatch(code) else ())


def _status(ebm: EBM) -> Status:
    """A drill by its MsgType, its Severity or its title, whichever the platform above uses."""
    if ebm.basic.severity == TEST_SEVERITY:
        return Status.TEST
    titled = ebm.content is not None and "演练" in ebm.content.msg_title
    return Status.EXERCISE if titled or ebm.basic.msg_type in DRILL_TYPES.values() else Status.ACTUAL


def _hazard(ebm: EBM) -> Hazard | None:
    found = hazard_of_code(ebm.basic.event_type) if _NATIONAL.fullmatch(ebm.basic.event_type) else None
    return found or (recognise(ebm.content.msg_title[:500]) if ebm.content is not None else None)
