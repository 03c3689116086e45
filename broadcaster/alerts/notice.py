"""What a gateway is told of an alert as a whole."""

from __future__ import annotations

from datetime import datetime

from broadcaster.alerts.alert import Alert
from broadcaster.alerts.areas import regions
from broadcaster.alerts.hazard import HAZARDS
from broadcaster.ports import Notice


def notice_of(alert: Alert, ends: datetime) -> Notice:
    """The alert in the words of `ports.Notice`; `ends` is when its run is over."""
    info = alert.infos[0] if alert.infos else None
    hazard = HAZARDS.get(alert.hazard)
    return Notice(
        identifier=alert.identifier,
        references=tuple(reference.identifier for reference in alert.references),
        kind=alert.kind.value,
        status=alert.status.value,
        msg_type=alert.msg_type.value,
        event=hazard.code if hazard else "",
        colour=alert.colour.value if alert.colour else "",
        title=info.headline or info.event if info else "",
        sender=info.sender_name or alert.sender if info else alert.sender,
        regions=regions(alert),
        languages=tuple(dict.fromkeys(one.language for one in alert.infos)),
        sent=alert.sent,
        starts=alert.effective or alert.sent,
        ends=ends,
    )
