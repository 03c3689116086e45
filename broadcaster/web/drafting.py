"""From a draft as it was typed to an alert: what it would be, what it lacks, and the one step that puts it forward."""

from __future__ import annotations

from dataclasses import dataclass, replace

from audiences import region_tree
from broadcaster.alerts import authoring, draft_form, drafts
from broadcaster.alerts import form as alert_form
from broadcaster.alerts.alert import Alert, Info
from broadcaster.alerts.composing import compose
from broadcaster.alerts.draft_form import SUGGESTED, TEXTS, Reading, Typed
from broadcaster.alerts.drafts import Author, Deed, Draft
from broadcaster.alerts.hazard import HAZARDS
from broadcaster.alerts.records import AlertRecord
from broadcaster.alerts.state import State
from broadcaster.errors import NotFoundError
from broadcaster.security.coverage import coverage
from broadcaster.security.permissions import Action, Actor, may, scopes
from broadcaster.web import steps
from broadcaster.web.context import Context
from templates.filling import propose

ACTIONS = {
    Deed.NEW: Action.CREATE,
    Deed.UPDATE: Action.UPDATE,
    Deed.CANCEL: Action.CANCEL,
    Deed.MISFIRE: Action.CANCEL,
}
"""The right that putting a draft forward takes."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A draft as the alert that it would be. `area` is the name of the smallest region that holds it all, `coverage`
    the regions that it covers; `original` what it replaces."""

    draft: Draft
    reading: Reading
    alert: Alert
    original: AlertRecord | None
    coverage: tuple[str, ...]
    area: str


async def opened(context: Context, actor: Actor, key: str) -> Draft:
    """The draft of that key, a fresh one where there is none yet; `NotFoundError` for one that is not theirs."""
    author = Author(actor.account_id, actor.name)
    async with context.database.connection() as connection:
        found = await drafts.find(connection, key)
    if found is None:
        return drafts.fresh(key, author, draft_form.EMPTY, context.clock.now())
    action = Action.EDIT if found.deed in (Deed.NEW, Deed.UPDATE) else Action.CANCEL
    if found.account_id != actor.account_id and not may(actor, action, found.regions):
        raise NotFoundError("这份草稿不存在，可能已被删除。", remedy="请重新起草。")
    return found


async def composed(context: Context, draft: Draft) -> Composed:
    """The alert that this draft is now."""
    district = context.settings.district
    original = await authoring.load(draft.replaces) if draft.replaces is not None else None
    async with context.database.connection() as connection:
        reading, alert = await compose(connection, draft, original, district.code, context.clock.now())
        covered = await coverage(connection, alert, district.code)
        area = await region_tree.common_name(connection, covered) or district.name
    return Composed(draft, reading, alert, original, covered, area)


async def filled(
    context: Context, typed: Typed, before: Typed, deed: Deed = Deed.NEW, *, anew: bool = False
) -> dict[str, str]:
    """`typed` with the template's texts, where another hazard, colour or kind was chosen and nobody has written their
    own; `anew`: in any case."""
    made = {**typed, **{name: text for name, text in before.items() if name.startswith(SUGGESTED)}}
    chosen = ("hazard", "colour", "kind", "status")
    same = all(made.get(name, "") == before.get(name, "") for name in chosen) and SUGGESTED + TEXTS[0] in before
    if deed.calls_off or made.get("hazard") not in HAZARDS or not made.get("colour") or (same and not anew):
        return made
    reading = draft_form.read({name: made.get(name, "") for name in (*chosen, "valid_hours")})
    alert = alert_form.make(reading.form, now=context.clock.now(), sender="", identifier="")
    office = await context.office_in_force()
    proposal = propose(alert, office.issuer, office.library)
    for name in TEXTS:
        suggestion = getattr(proposal, name)
        if anew or made.get(name, "").strip() in ("", made.get(SUGGESTED + name, "")):
            made[name] = suggestion
        made[SUGGESTED + name] = suggestion
    return made


async def put_forward(context: Context, actor: Actor, one: Composed, *, issue: bool, reason: str = "") -> AlertRecord:
    """Keep the draft's alert and send it to review, or out; inside the caller's transaction, which holds the draft.

    Raises what the rules say; then nothing was changed. `announce` it, if it went out, once that is committed.
    """
    draft = one.draft
    if draft.alert_id is None:
        record = await steps.create(context, actor, one.alert, ACTIONS[draft.deed])
        async with context.database.connection() as connection:
            await drafts.become(connection, draft.key, record.id)
    else:
        before = await authoring.load(draft.alert_id)
        alert = keeping(one.alert, before.alert)
        record = await steps.edit(context, actor, draft.alert_id, alert, version=before.version)
    if issue:
        return await steps.issue(context, actor, record.id, version=record.version, reason=reason)
    return await steps.submit(context, actor, record.id, version=record.version)


async def editable(draft: Draft) -> bool:
    """Whether it is still a draft: not an alert yet, or one that may be edited."""
    if draft.alert_id is None:
        return True
    return (await authoring.load(draft.alert_id)).state in (State.DRAFT, State.REJECTED)


def may_write(actor: Actor, one: Composed) -> bool:
    """Whether its whole area is the actor's; an area that is not chosen yet is anybody's who may write somewhere."""
    action = ACTIONS[one.draft.deed]
    chosen = one.draft.deed is not Deed.NEW or one.reading.regions or one.reading.rings or one.reading.circles
    return may(actor, action, one.coverage) if chosen else bool(scopes(actor, action))


def keeping(alert: Alert, before: Alert) -> Alert:
    """`alert` with what `before` said in elements that the form does not show."""
    known = {info.language: info for info in before.infos}
    return replace(
        alert,
        note=before.note,
        incidents=before.incidents,
        infos=tuple(_keeping(info, known.get(info.language)) for info in alert.infos),
    )


def _keeping(info: Info, before: Info | None) -> Info:
    if before is None:
        return info
    return replace(
        info,
        event=before.event if before.event_codes == info.event_codes else info.event,
        onset=before.onset,
        sender_name=before.sender_name,
        web=before.web,
        contact=before.contact,
        parameters=before.parameters,
        resources=before.resources,
        audience=before.audience,
    )
