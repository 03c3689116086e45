"""Taking a message of another time or place for our own use: as an exercise now, or as the first of its lineage."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from broadcaster.alerts.alert import Alert, MsgType, Status


def as_first_issue(alert: Alert) -> Alert:
    """An Update whose predecessors were never issued here, taken as the Alert that it is for our residents.

    Its references stay, as the record of where it came from (CAP allows them on an Alert). Others are left as they are.
    """
    return replace(alert, msg_type=MsgType.ALERT) if alert.msg_type is MsgType.UPDATE else alert


def as_exercise(alert: Alert, now: datetime, identifier: str) -> Alert:
    """The message as if it were sent at `now`, as an Exercise: every time moved alike, so all durations are kept.

    It gets its own identifier, so the original can still arrive, and stands alone: its references are dropped.
    """
    moment = now.replace(microsecond=0)
    shift = moment - alert.sent
    return replace(
        as_first_issue(alert),
        identifier=identifier,
        sent=moment,
        status=Status.EXERCISE,
        references=(),
        infos=tuple(
            replace(
                info,
                effective=_moved(info.effective, shift) or moment,
                onset=_moved(info.onset, shift),
                expires=_moved(info.expires, shift),
            )
            for info in alert.infos
        ),
    )


def _moved(time: datetime | None, shift: timedelta) -> datetime | None:
    return time + shift if time else None
