"""What replaces an issued alert: the words and the references of its Cancel, its correction, its Update."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from broadcaster.alerts.alert import Alert, Info, Kind, MsgType, Reference, ResponseType
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.state import State
from broadcaster.errors import RuleError
from broadcaster.phrase import ours


@dataclass(frozen=True, slots=True)
class Words:
    """What a Cancel says in one language; "" leaves it to the cancelled alert and to the templates."""

    headline: str = ""
    description: str = ""
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class CallingOff:
    """What the recipients of a Cancel are told. `hours` that it holds; `misfire`: the alert went out by mistake."""

    chinese: Words = field(default_factory=Words)
    english: Words = field(default_factory=Words)
    hours: float = 24.0
    misfire: bool = False


def reference(record: AlertRecord) -> Reference:
    """The record's message as CAP names it."""
    return Reference(record.sender, record.identifier, record.sent_at)


def require_issued(record: AlertRecord) -> None:
    """`RuleError` unless the alert is out: nothing else can be updated or cancelled."""
    if record.state != State.ISSUED:
        raise RuleError(
            "这条预警现在是“%(state)s”，只能更新或取消已发布的。",
            remedy="未发布的预警请直接修改或退回。",
            state=ours(State(record.state).chinese),
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
) -> Alert:
    """The Cancel of the record. It goes to whomever its lineage reached or may have reached and to all of its area; the
    correction of a misfire to those that it reached or may have reached, and to nobody else."""
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
        infos=tuple(_corrected(info, original) if words.misfire else info for info in infos),
    )


def _corrected(info: Info, original: Alert) -> Info:
    """Without an area of its own, and by an event's name that says what it was."""
    colour = f"{original.colour.chinese}色" if original.colour else ""
    event = f"误发的{info.event}{colour}预警" if _chinese(info) else f"mistaken {info.event} warning"
    return replace(info, event=event, areas=())


def _chinese(info: Info) -> bool:
    return info.language.casefold().startswith("zh")


def _called_off(info: Info, words: CallingOff, now: datetime) -> Info:
    said = words.chinese if _chinese(info) else words.english
    made = f"{'解除' if _chinese(info) else 'Cancelled: '}{info.headline}"
    return replace(
        info,
        headline=said.headline or made,
        description=said.description,
        instruction=said.instruction,
        response_types=(ResponseType.ALL_CLEAR,),
        effective=now,
        onset=None,
        expires=now + timedelta(hours=words.hours),
        resources=(),
    )
