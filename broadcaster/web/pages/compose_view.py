"""What the page of a draft shows, and the parts of it that change while one types."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from audiences import region_tree
from audiences.region_tree import Place
from broadcaster.alerts import authoring, draft_form, lifecycle
from broadcaster.alerts.alert import Colour, Status
from broadcaster.alerts.draft_form import REGION
from broadcaster.alerts.drafts import Deed, Draft
from broadcaster.alerts.hazard import HAZARDS
from broadcaster.errors import DaohuError
from broadcaster.security.permissions import Action, Actor, may, scopes
from broadcaster.web.context import Context
from broadcaster.web.drafting import Composed, composed, may_write
from broadcaster.web.language import catalogue
from broadcaster.web.pages.forms import Form
from broadcaster.web.pages.previews import Note, Proof, lacks, proof

COMMON = ("typhoon", "rainstorm", "flash_flood", "geological", "forest_fire", "heat", "hazmat")
"""The hazards that stand first in the list."""


@dataclass(frozen=True, slots=True)
class Sending:
    """How the draft can go on. `submit`: to review. `now`: out at once, `reasoned` where that passes an approval by and
    needs a reason; `typed`: the area's name must be typed, because it is not a drill."""

    submit: bool
    now: bool
    reasoned: bool
    typed: bool


async def values(
    context: Context,
    actor: Actor,
    draft: Draft,
    language: str,
    *,
    window: str = "",
    faults: dict[str, str] | None = None,
    given: dict[str, str] | None = None,
    found: list[Place] | None = None,
) -> dict[str, Any]:
    """Everything the page says. `given`: what was typed besides the draft (a reason, the area's name, a search)."""
    one = await composed(context, draft)
    shown = await changing(context, actor, one, language, tried=faults is not None)
    form = Form({**draft.typed, **(given or {})}, {**one.reading.faults, **(faults or {})})
    async with context.database.connection() as connection:
        tops = await region_tree.tops(connection, scopes(actor, Action.CREATE), context.settings.district.code)
        branches = [(top, await region_tree.below(connection, top.code)) for top in tops]
    drawn = {place.code for top, towns in branches for place in (top, *towns)} | {place.code for place in found or ()}
    hazards = [*COMMON, *(slug for slug in HAZARDS if slug not in COMMON)]
    return {
        **shown,
        "form": form,
        "window": window or secrets.token_urlsafe(9),
        "branches": branches,
        "found": found,
        "chosen": await _chosen(context, one, drawn),
        "hazards": hazards,
        "colours": [colour.value for colour in Colour],
        "drill": one.alert.status is not Status.ACTUAL,
    }


async def changing(
    context: Context, actor: Actor, one: Composed, language: str, *, tried: bool = False
) -> dict[str, Any]:
    """The parts that follow what is typed: notes at the fields, the messages, what can be done next. What is missing
    becomes a fault when somebody has `tried` to send it."""
    alert, draft = one.alert, one.draft
    notes = lacks(await authoring.findings(alert, context.clock.now()), language, tried=tried)
    if not may_write(actor, one):
        notes.setdefault("area", []).append(Note(True, catalogue(language).gettext("这个区域超出了您的辖区")))
    shown: Proof | None = None
    failure = ""
    if alert.hazard or draft.deed.calls_off:
        try:
            shown = await proof(context, alert, None, language, place=one.area)
        except DaohuError as error:  # a template of the office's own that cannot be used
            failure = error.sentence
        else:
            for name, found in shown.notes.items():
                notes.setdefault(name, []).extend(found)
    errors = [note for listed in notes.values() for note in listed if note.error]
    blocked = bool(errors or one.reading.faults)
    ready, how = not blocked and shown is not None and shown.sound, sending(context, actor, one)
    return {
        "draft": draft,
        "one": one,
        "alert": alert,
        "typed": draft.typed,
        "notes": notes,
        "missing": [note.text for note in errors if note.missing],
        "wrong": any(not note.missing for note in errors) or bool(one.reading.faults or (shown and not shown.sound)),
        "proof": shown,
        "failure": failure,
        "place": one.area,
        "ready": ready,
        "sending": how,
        "decision": f"{ready:d}{how.submit:d}{how.now:d}{how.reasoned:d}{how.typed:d} {one.area}",
        "price": context.settings.messages.sms_price,
        "samples": f"/compose/{draft.key}",
    }


def sending(context: Context, actor: Actor, one: Composed) -> Sending:
    """By the office's rules and the actor's rights."""
    rules, colour = context.settings.approval.rules, one.alert.colour
    now = lifecycle.goes_first(colour, rules) and may(actor, Action.ISSUE, one.coverage)
    return Sending(
        submit=may(actor, Action.SUBMIT, one.coverage) and colour not in rules.exempt,
        now=now,
        reasoned=now and colour not in rules.exempt,
        typed=one.alert.status is Status.ACTUAL,
    )


async def _chosen(context: Context, one: Composed, drawn: set[str]) -> list[Place]:
    """The ticked regions for which the tree, as it is first drawn, has no box."""
    codes = [name.removeprefix(REGION) for name in one.draft.typed if name.startswith(REGION)]
    async with context.database.connection() as connection:
        known = {place.code: place for place in await region_tree.named(connection, codes)}
    missing = [code for code in codes if code not in drawn]
    return [known.get(code) or Place(code, code, 0, "", leaf=True) for code in missing]


def drill_of(draft: Draft, status: str) -> dict[str, str]:
    """The draft's texts on the other side of the wall; a successor stays on the side of what it replaces."""
    wanted = next((one.value for one in (Status.ACTUAL, Status.EXERCISE, Status.TEST) if one.value == status), None)
    if wanted is None or draft.deed is not Deed.NEW:
        return dict(draft.typed)
    return {**draft.typed, "status": wanted}


def typed_from(given: dict[str, str], draft: Draft) -> dict[str, str]:
    """What of a request is the draft's own. What a kept draft does not show in its form stays as it is."""
    typed = {"status": Status.ACTUAL.value, **draft_form.kept(given)}
    if draft.version or draft.deed is not Deed.NEW:
        typed["status"] = draft.typed.get("status", Status.ACTUAL.value)
    if draft.deed.calls_off:
        fixed = {name: text for name, text in draft.typed.items() if name.startswith(REGION) or name in _FIXED}
        typed = {**typed, **fixed}
    return typed


_FIXED = ("hazard", "colour", "kind", "scope", "shapes")
