"""Alerts that nobody issues: what templates are tried and shown with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from broadcaster.alerts.alert import Alert, Colour, Info, Kind, Status
from broadcaster.alerts.hazard import HAZARDS


class Occasion(StrEnum):
    """What an alert is sent for; the last two have folders of their own."""

    WARNING = "warning"
    MOBILIZATION = "mobilization"
    ALL_CLEAR = "all_clear"


KINDS = {
    Occasion.WARNING: Kind.WARNING,
    Occasion.MOBILIZATION: Kind.MOBILIZATION,
    Occasion.ALL_CLEAR: Kind.ALL_CLEAR,
}

REPLY_CODE = "27"


@dataclass(frozen=True, slots=True)
class Sample:
    """Which alert. `worded`: an officer has written description and instruction, so that the templates' own sentences
    about them are not used; `drill`: it bears the marks of an exercise."""

    hazard: str
    colour: Colour = Colour.RED
    occasion: Occasion = Occasion.WARNING
    worded: bool = False
    drill: bool = False


def alert_of(sample: Sample, now: datetime, sender: str) -> Alert:
    """The alert of a sample, sent at `now` by `sender` and good for twelve hours."""
    chinese = Info(
        event="",
        sender_name=sender,
        expires=now + timedelta(hours=12),
        description="预计未来6小时影响最大，请做好防范。" if sample.worded else "",
        instruction="请立即转移到村文化礼堂，带好药品和证件。" if sample.worded else "",
    )
    english = Info(
        event="",
        language="en",
        expires=chinese.expires,
        description="The worst is expected within 6 hours." if sample.worded else "",
        instruction="Move to the village hall now and take your medicine." if sample.worded else "",
    )
    return Alert(
        identifier="sample",
        sender="sample",
        sent=now,
        status=Status.EXERCISE if sample.drill else Status.ACTUAL,
        kind=KINDS[sample.occasion],
        hazard=sample.hazard if sample.hazard in HAZARDS else "generic",
        colour=sample.colour,
        infos=(chinese, english),
    )
