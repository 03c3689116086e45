"""The policies: per colour the order of channels and the escalation of silence, with what would happen when."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from broadcaster.alerts.colour import Colour
from broadcaster.alerts.policy import Policy
from broadcaster.capacity.findings import findings
from broadcaster.capacity.planner import MEASURED
from broadcaster.capacity.simulation import Size, simulate
from broadcaster.capacity.words import duration
from broadcaster.catalogue import catalogue
from broadcaster.decisions import versions
from broadcaster.decisions.policies import decided, decode, encode
from broadcaster.decisions.versions import Subject, Version
from broadcaster.dispatch.pausing import paused_names
from broadcaster.errors import ConflictError, InputError
from broadcaster.security.permissions import Action, Actor, require
from broadcaster.settings.policies import ROLES
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.language import chosen
from broadcaster.web.pages import policy_form
from broadcaster.web.pages.forms import Form, fields
from broadcaster.web.pages.frame import Section, framed, reader
from broadcaster.web.pages.policy_apart import Apart
from broadcaster.web.pages.rendering import page

_COLOUR = r"/policies/{colour:red|orange|yellow|blue}"
_SIZES = {"size_households": (1_000_000, "2000"), "size_units": (20_000, "10"), "size_terminals": (100_000, "20")}
"""The most that may be typed of each, and what stands there at first."""

SECTION = Section("/policies", "策略", Action.MANAGE_POLICIES)
routes = web.RouteTableDef()


@routes.get("/policies")
async def overview(request: web.Request) -> web.Response:
    """The four policies as they are in force."""
    context, actor = await _manager(request)
    async with context.database.connection() as connection:
        holding = await decided(connection)
        newest = await versions.newest(connection, Subject.POLICY)
    shown = [(colour, holding.get(colour) or _default(context, colour), newest.get(colour)) for colour in Colour]
    return framed(request, actor, "console/policies/overview.html", shown=shown, lasting=_lasting(request))


@routes.get(_COLOUR)
async def editor(request: web.Request) -> web.Response:
    """The policy of a colour as a form, with its timeline."""
    context, actor = await _manager(request)
    colour = request.match_info["colour"]
    history = await _history(context, colour)
    body = history[0].body if history else None
    policy = _default(context, colour) if body is None else decode(body)
    form = Form({**policy_form.filled(policy), "seen": str(history[0].version if history else 0), **_sizes({})})
    return await _editor(request, actor, form, history, policy)


@routes.post(_COLOUR)
async def save(request: web.Request) -> web.Response:
    """Keep what was typed as the newest version; `do=timeline` only shows what it would do."""
    context, actor = await _manager(request)
    colour, given = request.match_info["colour"], await fields(request)
    form = Form({**given, **_sizes(given)})
    policy = policy_form.read(colour, form)
    if policy is not None and given.get("do") != "timeline":
        try:
            await _save(context, actor, colour, policy, given)
        except ConflictError as error:
            form = form.overtaken("households", error.sentence, (await _history(context, colour))[0].version)
        else:
            raise web.HTTPSeeOther(f"/policies/{colour}?said=saved")
    return await _editor(request, actor, form, await _history(context, colour), policy)


@routes.post(_COLOUR + "/timeline")
async def timeline(request: web.Request) -> web.Response:
    """What a policy that is being typed would do: the part of the page that changes."""
    context, _ = await _manager(request)
    given = await fields(request)
    form = Form({**given, **_sizes(given)})
    policy = policy_form.read(request.match_info["colour"], form)
    return page(
        request, "console/policies/_timeline.html", form=form, **await _simulated(request, context, form, policy)
    )


@routes.get(_COLOUR + r"/versions/{version:\d{1,6}}")
async def version(request: web.Request) -> web.Response:
    """One version of a policy as it stood, beside the one before, with what differs marked."""
    context, actor = await _manager(request)
    colour, number = request.match_info["colour"], int(request.match_info["version"])
    async with context.database.connection() as connection:
        one = await versions.version(connection, Subject.POLICY, colour, number)
    history = await _history(context, colour)
    now = _of(context, colour, one)
    before = _of(context, colour, next((other for other in history if other.version == number - 1), None))
    return framed(
        request,
        actor,
        "console/policies/version.html",
        colour=colour,
        one=one,
        newest=history[0].version,
        now=now,
        before=before,
        gone=Apart.of(before, now),
        come=Apart.of(now, before),
        lasting=_lasting(request),
    )


@routes.post(_COLOUR + "/restore")
async def restore(request: web.Request) -> web.Response:
    """Make an earlier version the newest again; version 0 is what daohu.toml says."""
    context, actor = await _manager(request)
    colour, given = request.match_info["colour"], await fields(request)
    number, body = _number(given, "version"), None
    if number:
        async with context.database.connection() as connection:
            body = (await versions.version(connection, Subject.POLICY, colour, number)).body
    await versions.save(
        context.database,
        actor,
        context.settings.district.code,
        Subject.POLICY,
        colour,
        body,
        seen=_number(given, "seen"),
        note=f"← {number}",
        now=context.clock.now(),
    )
    raise web.HTTPSeeOther(f"/policies/{colour}?said={'given-up' if body is None else 'saved'}")


async def _manager(request: web.Request) -> tuple[Context, Actor]:
    actor, context = await reader(request), request.app[CONTEXT]
    require(actor, Action.MANAGE_POLICIES, (context.settings.district.code,))
    return context, actor


async def _history(context: Context, colour: str) -> list[Version]:
    async with context.database.connection() as connection:
        return await versions.history(connection, Subject.POLICY, colour)


async def _save(context: Context, actor: Actor, colour: str, policy: Policy, given: Mapping[str, str]) -> None:
    await versions.save(
        context.database,
        actor,
        context.settings.district.code,
        Subject.POLICY,
        colour,
        None if policy == _default(context, colour) else encode(policy),
        seen=_number(given, "seen"),
        note=given.get("note", "").strip(),
        now=context.clock.now(),
    )


async def _editor(
    request: web.Request, actor: Actor, form: Form, history: list[Version], policy: Policy | None
) -> web.Response:
    context = request.app[CONTEXT]
    return framed(
        request,
        actor,
        "console/policies/editor.html",
        status=200 if form.good else 422,
        colour=request.match_info["colour"],
        form=form,
        history=history,
        steps=policy_form.rows(form.values, "h", policy_form.MOST_STEPS),
        rungs=policy_form.rows(form.values, "u", policy_form.MOST_RUNGS),
        channels=policy_form.CHANNELS,
        actions=list(policy_form.actions()),
        roles=ROLES,
        **await _simulated(request, context, form, policy),
    )


async def _simulated(request: web.Request, context: Context, form: Form, policy: Policy | None) -> dict[str, Any]:
    """The timeline of a policy, or none while something is wrong with what was typed."""
    lasting = _lasting(request)
    if policy is None:
        return {"simulation": None, "findings": (), "lasting": lasting}
    size = Size(**{name.removeprefix("size_"): int(form.values[name]) for name in _SIZES})
    rehearsal = form.values.get("size_side") == "drill"
    async with context.database.connection() as connection:
        paused = await paused_names(connection)
    gateways = [gateway for gateway in context.settings.gateways if gateway.name not in paused]
    done = await asyncio.to_thread(
        simulate, policy, size, gateways, context.abilities, rehearsal=rehearsal, machine=MEASURED
    )
    told = findings(done.forecast, gateways, catalogue("broadcaster.capacity", chosen(request)).gettext)
    return {"simulation": done, "findings": told, "lasting": lasting}


def _lasting(request: web.Request) -> Any:
    """How a number of seconds is written in the reader's language; nothing at all is a word of its own."""
    translate = catalogue("broadcaster.capacity", chosen(request)).gettext
    return lambda seconds: duration(seconds, translate) if seconds else ""


def _sizes(given: Mapping[str, str]) -> dict[str, str]:
    """The size that the timeline is for; anything that is no size becomes the usual."""
    found = {"size_side": "drill" if given.get("size_side") == "drill" else "actual"}
    for name, (most, usual) in _SIZES.items():
        typed = given.get(name, "").strip().replace(",", "")
        found[name] = str(min(int(typed), most)) if typed.isascii() and typed.isdigit() and len(typed) < 12 else usual
    return found


def _default(context: Context, colour: str) -> Policy:
    return context.office.policy(Colour(colour))


def _of(context: Context, colour: str, one: Version | None) -> Policy:
    return _default(context, colour) if one is None or one.body is None else decode(one.body)


def _number(given: Mapping[str, str], field: str) -> int:
    text = given.get(field, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise InputError("版本号不对。", remedy="请刷新页面后重试。")
    return int(text)
