"""From a message to a draft: the form filled in with what the message says, its area as our own regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from broadcaster.alerts import areas, draft_form, drafts
from broadcaster.alerts.alert import Alert, Status
from broadcaster.alerts.drafts import Author, Deed, Draft
from broadcaster.alerts.records import AlertRecord
from broadcaster.database import Connection
from broadcaster.intake.placing import Place

TEXT_MOST = 4_000
"""Characters of one text that go into a form; it says itself when they are too many to send."""

_HOURS_WITHOUT = 12.0
_STATUSES = (Status.ACTUAL, Status.EXERCISE, Status.TEST)


async def begin(
    connection: Connection,
    alert: Alert,
    place: Place,
    author: Author,
    now: datetime,
    replaces: AlertRecord | None = None,
    key: str = "",
) -> Draft:
    """Keep a draft of what `alert` says, in the caller's transaction, under `key` if one is given; `replaces` is our
    alert that it updates or cancels, as its own type says. The one that lies there already, where that alert has one
    of this author."""
    deed = Deed.NEW
    if replaces is not None:
        deed = Deed.CANCEL if alert.msg_type.value == "Cancel" else Deed.UPDATE
    typed = _called_off(alert, replaces.alert) if replaces is not None and deed.calls_off else _typed(alert, place, now)
    made = drafts.fresh(key or drafts.new_key(), author, typed, now)
    regions = place.covered
    if replaces is not None:
        regions = tuple(areas.outermost({*regions, *areas.regions(replaces.alert)}))
    number = replaces.id if replaces is not None else None
    return await drafts.begin(connection, replace(made, replaces=number, deed=deed, regions=regions))


def _typed(alert: Alert, place: Place, now: datetime) -> dict[str, str]:
    typed = draft_form.typed_of(alert)
    typed = {name: text[:TEXT_MOST] for name, text in typed.items() if not name.startswith(draft_form.REGION)}
    codes: Sequence[str] = place.codes
    if not place.shaped or len(typed["shapes"]) >= TEXT_MOST:  # too intricate for a form: the villages beneath instead
        typed["shapes"], codes = "", place.covered
    typed |= {f"{draft_form.REGION}{code}": "on" for code in codes}
    typed["valid_hours"] = f"{_hours(alert, now):g}"
    if alert.status not in _STATUSES:
        typed["status"] = Status.TEST.value
    return draft_form.kept(typed)


def _called_off(alert: Alert, ours: Alert) -> dict[str, str]:
    """The form of the alert that is cancelled, with what the Cancel says itself; where it is silent, the templates
    speak."""
    typed = {**draft_form.typed_of(ours), **dict.fromkeys((*draft_form.TEXTS, *draft_form.ENGLISH), "")}
    said = draft_form.typed_of(alert)
    typed |= {name: said[name][:TEXT_MOST] for name in (*draft_form.TEXTS, *draft_form.ENGLISH) if said.get(name)}
    return draft_form.kept({**typed, "valid_hours": "24"})


def _hours(alert: Alert, now: datetime) -> float:
    """What is left of its validity, in hours, two decimals."""
    if alert.expires is None or alert.expires <= now:
        return _HOURS_WITHOUT
    return max(round((alert.expires - now).total_seconds() / 3600, 2), 0.01)
