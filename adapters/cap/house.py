"""The house's kind, hazard and colour in a CAP message.

Our own messages carry them in `code` elements (`daohu:kind=warning`, `daohu:hazard=typhoon`, `daohu:colour=red`): the
one place that every message has, with or without an info. Other senders' messages say the same in their own words, and
those are read here: event codes, names of events, colours in headlines, severities.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from broadcaster.alerts.alert import Alert, Colour, Info, Kind, MsgType, ResponseType, Severity
from broadcaster.alerts.hazard import HAZARDS, hazard_of_code, recognise

PREFIX = "daohu:"

_NATIONAL_CODE = re.compile(r"1[1-4][A-Z]\d\d")
_COLOURS = {"红": Colour.RED, "橙": Colour.ORANGE, "黄": Colour.YELLOW, "蓝": Colour.BLUE}
_CHINESE_COLOUR = re.compile(r"([红橙黄蓝])色")


def codes(alert: Alert) -> tuple[str, ...]:
    """The `code` values that carry what CAP has no element for."""
    return (
        f"{PREFIX}kind={alert.kind}",
        f"{PREFIX}hazard={alert.hazard}",
        f"{PREFIX}colour={alert.colour or ''}",
    )


def settle(alert: Alert) -> Alert:
    """The alert with kind, hazard and colour taken from its house codes, or read from what it says."""
    ours = dict(code.removeprefix(PREFIX).partition("=")[::2] for code in alert.codes if code.startswith(PREFIX))
    kind, hazard, colour = ours.get("kind"), ours.get("hazard"), ours.get("colour")
    return replace(
        alert,
        codes=tuple(code for code in alert.codes if not code.startswith(PREFIX)),
        kind=Kind(kind) if kind in list(Kind) else _kind(alert),
        hazard=hazard if hazard is not None and hazard in ("", *HAZARDS) else _hazard(alert.infos),
        colour=(Colour(colour) if colour else None) if colour in ("", *Colour) else _colour(alert.infos),
    )


def _kind(alert: Alert) -> Kind:
    cleared = alert.infos and all(ResponseType.ALL_CLEAR in info.response_types for info in alert.infos)
    return Kind.ALL_CLEAR if alert.msg_type is MsgType.CANCEL or cleared else Kind.WARNING


def _hazard(infos: Iterable[Info]) -> str:
    """National codes first, then the event's name, then the headline; "generic" for an event we have no name for."""
    infos = tuple(infos)
    coded = [value.value for info in infos for value in info.event_codes if _NATIONAL_CODE.fullmatch(value.value)]
    texts = [*(info.event for info in infos), *(info.headline for info in infos)]
    found = [hazard_of_code(code) for code in coded] + [recognise(text[:500]) for text in texts]
    first = next((hazard for hazard in found if hazard), None)
    return first.slug if first else ("generic" if infos else "")


def _colour(infos: Iterable[Info]) -> Colour | None:
    """A Chinese headline's colour first, then the worst severity among the infos."""
    infos = tuple(infos)
    for info in infos:
        if match := _CHINESE_COLOUR.search(info.headline):
            return _COLOURS[match.group(1)]
    worst = min((list(Severity).index(info.severity) for info in infos), default=None)
    return None if worst is None else Colour.of_severity(list(Severity)[worst])
