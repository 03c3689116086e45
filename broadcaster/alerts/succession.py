"""What replaces an issued alert: the words and the references of its Cancel, its correction, its Update."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from broadcaster.alerts.alert import Alert, Info, Kind, MsgType, Reference, ResponseType
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.state import State
from broadcaster.errors import RuleError


@dataclass(frozen=True, slots=True)
class CallingOff:
    """What the recipients of a Cancel are told; "" makes it of the cancelled alert's. `hours` that it holds."""

    headline: str = ""
    description: str = ""
    headline_english: str = ""
    description_english: str = ""
    hours: float = 24.0


def reference(record: AlertRecord) -> Reference:
    """The record's message as CAP names it."""
    return Reference(record.sender, record.identifier, record.sent_at)


def require_issued(record: AlertRecord) -> None:
    """`RuleError` unless the alert is out: nothing else can be updated or cancelled."""
    if record.state != State.ISSUED:
        raise RuleError(
            f"这条预警现在是“{State(record.state).chinese}”，只能更新或取消已发布的。",
            remedy="未发布的预警请直接修改或退回。",
        )


def updating(alert: Alert, record: AlertRecord) -> Alert:
    """`alert` as the Update of the record: on the same side of the wall between drills and the real thing."""
    before = record.alert
    return replace(alert, msg_type=MsgType.UPDATE, status=before.status, references=(reference(record),))


def called_off(
    record: AlertRecord,
    words: CallingOff,
    *,
    identifier: str,
    sender: str,
    now: datetime,
    everywhere: bool = True,
) -> Alert:
    """The Cancel of the record. It goes to whomever its lineage reached or may have reached; `everywhere`: and to all
    of its area, where some may not have heard of it yet."""
    original = record.alert
    moment = now.replace(microsecond=0)
    infos = (_called_off(info, words, moment) for info in original.infos)
    return replace(
        original,
        identifier=identifier,
        sender=sender,
        sent=moment,
        msg_type=MsgType.CANCEL,
        kind=Kind.ALL_CLEAR,
        references=(reference(record),),
        infos=tuple(info if everywhere else replace(info, areas=()) for info in infos),
    )


def _called_off(info: Info, words: CallingOff, now: datetime) -> Info:
    chinese = info.language.casefold().startswith("zh")
    made = f"{'解除' if chinese else 'Cancelled: '}{info.headline}"
    headline, description = (
        (words.headline, words.description) if chinese else (words.headline_english, words.description_english)
    )
    return replace(
        info,
        headline=headline or made,
        description=description,
        instruction="",
        response_types=(ResponseType.ALL_CLEAR,),
        effective=now,
        onset=None,
        expires=now + timedelta(hours=words.hours),
        resources=(),
    )
