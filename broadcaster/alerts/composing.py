"""From a draft as it was typed to the alert that it would be now."""

from __future__ import annotations

from datetime import datetime

from audiences import region_tree
from broadcaster.alerts import authoring, draft_form
from broadcaster.alerts import form as alert_form
from broadcaster.alerts.alert import Alert
from broadcaster.alerts.draft_form import Reading
from broadcaster.alerts.drafts import Deed, Draft
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.succession import called_off, updating
from broadcaster.database import Connection

_NAMED_MOST = 8  # regions that an area's description names


async def compose(
    connection: Connection, draft: Draft, original: AlertRecord | None, district: str, now: datetime
) -> tuple[Reading, Alert]:
    """What could be read of the draft, with what is wrong, and the alert; `original` is what it replaces."""
    codes = draft_form.regions_of(draft.typed)
    names = [place.name for place in await region_tree.named(connection, codes[: _NAMED_MOST + 1])]
    reading = draft_form.read(draft.typed, _described(names, len(codes)))
    return reading, _alert(draft, reading, original, district, now)


def _alert(draft: Draft, reading: Reading, original: AlertRecord | None, district: str, now: datetime) -> Alert:
    identifier, sender = authoring.new_identifier(district, now), f"daohu.{district}"
    if original is not None and draft.deed.calls_off:
        words = draft_form.calling_off(draft.typed, reading.hours, misfire=draft.deed is Deed.MISFIRE)
        return called_off(original, words, identifier=identifier, sender=sender, now=now)
    alert = alert_form.make(reading.form, now=now, sender=sender, identifier=identifier)
    return updating(alert, original) if original is not None else alert


def _described(names: list[str], total: int) -> str:
    shown = "、".join(names[:_NAMED_MOST])
    return f"{shown}等{total}个地区" if total > _NAMED_MOST else shown
