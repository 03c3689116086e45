"""When two messages are the same: in what they say, or in what they are about."""

from __future__ import annotations

import hashlib
from datetime import UTC

import msgspec

from broadcaster.alerts import areas
from broadcaster.alerts.alert import Alert, MsgType
from broadcaster.alerts.document import to_document
from broadcaster.intake.placing import Place


def said(alert: Alert) -> bytes:
    """The digest of everything that a message says, however its XML is written."""
    return hashlib.sha256(msgspec.json.encode(to_document(alert), order="deterministic")).digest()


def event(alert: Alert, place: Place) -> bytes | None:
    """The digest of what a message is about: the same authority, deed, danger and level, the same area and minute. So a
    warning that comes by several feeds, under names of their own, is one. None for messages without content.

    The authority goes by its name, which all feeds repeat; the area by what it means here, or by what it is called.
    """
    info = alert.info("zh-CN")
    if info is None or alert.msg_type not in (MsgType.ALERT, MsgType.UPDATE, MsgType.CANCEL):
        return None
    shapes = (areas.polygons(alert), areas.circles(alert)) if place.shaped or not place.covered else ()
    where = place.covered or tuple(sorted(area.description for area in info.areas))
    about = (
        _plain(info.sender_name or alert.source or alert.sender),
        alert.msg_type.value,
        alert.status.value,
        alert.hazard if alert.hazard != "generic" else _plain(info.event),
        alert.colour.value if alert.colour else info.severity.value,
        alert.sent.astimezone(UTC).strftime("%Y-%m-%dT%H:%M"),
        where,
        shapes,
    )
    return hashlib.sha256(msgspec.json.encode(about)).digest()


def _plain(text: str) -> str:
    return "".join(text.casefold().split())
