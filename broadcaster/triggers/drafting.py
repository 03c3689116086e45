"""From a decision to an alert: the same words and the same succession as an officer's, of the rule's own area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from audiences import region_tree
from broadcaster.alerts import authoring
from broadcaster.alerts import form as alert_form
from broadcaster.alerts.alert import Alert, Colour, MsgType, Status
from broadcaster.alerts.form import AlertForm, AreaForm, CircleForm
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.state import State
from broadcaster.alerts.succession import CallingOff, called_off, updating
from broadcaster.database import Connection
from broadcaster.issuing import Office
from broadcaster.triggers.looking import Why
from broadcaster.triggers.rule import Rule, duration
from broadcaster.triggers.window import Site, chosen
from templates.filling import propose

MOST_REASONS = 8
"""Of a decision that go into the alert's note."""

_LONGEST_LINE = 50  # alerts that followed one another
_NAMED_MOST = 8  # regions that an area's description names


async def alert_of(
    connection: Connection,
    office: Office,
    rule: Rule,
    colour: Colour,
    why: Sequence[Why],
    sites: Sequence[Site],
    among: Sequence[Site],
    now: datetime,
) -> Alert:
    """The warning that a level of a rule asks for. `sites` are the stations that led to it, `among` all that the rule
    names."""
    form = AlertForm(
        hazard=rule.hazard,
        colour=colour,
        status=Status.EXERCISE if rule.drill else Status.ACTUAL,
        note="；".join([f"规则：{rule.title}", *(one.chinese for one in why[:MOST_REASONS])]),
        onset=now + duration(rule.lead) if rule.lead else None,
        valid_hours=rule.valid_hours,
        areas=[await _area(connection, rule, sites, among)],
    )
    identifier, sender = authoring.new_identifier(office.district, now), f"daohu.{office.district}"
    alert = alert_form.make(form, now=now, sender=sender, identifier=identifier)
    proposal = propose(alert, office.issuer, office.library)
    return replace(
        alert,
        infos=tuple(
            replace(
                info,
                headline=rule.headline or proposal.headline,
                description=rule.description or proposal.description,
                instruction=rule.instruction or proposal.instruction,
            )
            for info in alert.infos
        ),
    )


async def succeeding(alert: Alert, previous: int | None) -> Alert:
    """The alert as the Update of the event's last one, if that is still out."""
    record = await _out(previous)
    return alert if record is None else updating(alert, record)


async def all_clear(office: Office, previous: int | None, now: datetime) -> Alert | None:
    """The Cancel of the event's last alert; None when that is not out (any more)."""
    record = await _out(previous)
    if record is None:
        return None
    identifier, sender = authoring.new_identifier(office.district, now), f"daohu.{office.district}"
    return called_off(record, CallingOff(), identifier=identifier, sender=sender, now=now)


async def rebase(record: AlertRecord, now: datetime) -> None:
    """Have a held Update follow what is out now: what it was written as the Update of may have been replaced, or may
    have run out meanwhile. Where nothing is out any more, it is a first alert."""
    if record.msg_type != MsgType.UPDATE:
        return
    out, alert = await _out(record.predecessor_id), record.alert
    if out is not None and out.id == record.predecessor_id:
        return
    alert = updating(alert, out) if out else replace(alert, msg_type=MsgType.ALERT, references=())
    await authoring.succeed(record.id, alert, now)


async def calls_off_nothing(record: AlertRecord) -> bool:
    """Whether it is the Cancel of what is not out any more."""
    return record.msg_type == MsgType.CANCEL and await _out(record.predecessor_id) is None


async def _out(alert_id: int | None) -> AlertRecord | None:
    """The record of an alert that is issued, or of what an officer replaced it by, or, where it never went out, of what
    it was to replace; None where there is none."""
    record = await _latest(alert_id)
    for _ in range(_LONGEST_LINE):
        if record is None or State(record.state) in (State.ISSUED, State.ENDED):
            break
        record = await _latest(record.predecessor_id)
    out = record is not None and record.state == State.ISSUED and record.msg_type != MsgType.CANCEL
    return record if out else None


async def _latest(alert_id: int | None) -> AlertRecord | None:
    """The record, or the last one by which officers have replaced it since."""
    record = await AlertRecord.get_or_none(id=alert_id) if alert_id is not None else None
    for _ in range(_LONGEST_LINE):
        if record is None or record.superseded_by is None:
            break
        record = await AlertRecord.get_or_none(identifier=record.superseded_by)
    return record


async def across(alert_id: int, *, drill: bool) -> bool:
    """Whether the alert is on the other side of the wall between drills (`drill`) and the real thing."""
    record = await AlertRecord.get_or_none(id=alert_id)
    return record is not None and record.alert.rehearsal is not drill


async def lapsed(alert_id: int | None, now: datetime) -> bool:
    """Whether the event's last alert ran out by itself: what still holds is then a danger of which nobody is told any
    more. One that an officer ended or called off did not."""
    record = await _latest(alert_id)
    if record is None or record.state != State.ENDED or record.expires_at is None:
        return False
    return record.expires_at <= now and record.msg_type != MsgType.CANCEL


async def _area(connection: Connection, rule: Rule, sites: Sequence[Site], among: Sequence[Site]) -> AreaForm:
    area = rule.area
    regions = list(area.regions)
    circles: list[CircleForm] = []
    if area.stations or area.radius_km is not None or not regions:
        for site in chosen(among, area.stations) if area.stations else sites:
            if area.radius_km is not None and site.lon is not None and site.lat is not None:
                circles.append(CircleForm(lon=site.lon, lat=site.lat, km=area.radius_km))
            else:
                regions.append(site.region)
    regions = list(dict.fromkeys(regions))
    names = [place.name for place in await region_tree.named(connection, regions[: _NAMED_MOST + 1])]
    shown = "、".join(names[:_NAMED_MOST])
    words = f"{shown}等{len(regions)}个地区" if len(regions) > _NAMED_MOST else shown
    return AreaForm(description=words, regions=regions, circles=circles)
