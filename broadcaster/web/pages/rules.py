"""Rules at the console: written with checks and versions, tried on the past, put to work, and their alerts vetoed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from aiohttp import web

from broadcaster.decisions import versions
from broadcaster.decisions.versions import Subject
from broadcaster.errors import ConflictError, InputError
from broadcaster.phrase import Bilingual
from broadcaster.security.permissions import Action, Actor, may, require, require_somewhere
from broadcaster.triggers import rules
from broadcaster.triggers.evaluator import Step
from broadcaster.triggers.replaying import Happened, recorded, replay
from broadcaster.triggers.rule import BEGINNING, NAME, stored
from broadcaster.triggers.rules import AtWork
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.pages.charting import Chart, charts
from broadcaster.web.pages.forms import Form, fields
from broadcaster.web.pages.frame import Section, framed, reader
from broadcaster.web.pages.linewise import difference

SPANS = (1, 7, 31)
"""Days that a replay may go back."""

MOST_CHARTS = 6

_STROKES = {
    Step.RAISE: ("触发", "reached"),
    Step.RISE: ("升高", "risen"),
    Step.CLEAR: ("回落", "fallen"),
    Step.LOST: ("失去读数", "lost"),
}

_RULE = r"/rules/{rule:[a-z][a-z0-9-]{0,39}}"
SECTION = Section("/rules", "规则", Action.SEE_STATIONS)
routes = web.RouteTableDef()


@routes.get("/rules")
async def overview(request: web.Request) -> web.Response:
    """Every rule, how it runs, and where it stands."""
    actor = await _viewer(request)
    return await _overview(request, actor, Form())


@routes.post("/rules")
async def begin(request: web.Request) -> web.Response:
    """Begin a rule of a new name."""
    actor, context = await _viewer(request), request.app[CONTEXT]
    given = await fields(request)
    name = given.get("name", "").strip()
    form = Form(given)
    if not _manages(context, actor) or not NAME.fullmatch(name):
        form.faults["name"] = "规则名应以小写字母开头，只含小写字母、数字和横线，至多 40 个字符。"
        return await _overview(request, actor, form)
    raise web.HTTPSeeOther(f"/rules/{name}")


@routes.get(_RULE)
async def rule(request: web.Request) -> web.Response:
    """One rule: its text, how it runs, what it decided."""
    actor, context = await _viewer(request), request.app[CONTEXT]
    name = request.match_info["rule"]
    async with context.database.connection() as connection:
        history = await versions.history(connection, Subject.RULE, name)
    text = history[0].body if history else BEGINNING
    return await _rule(
        request, actor, Form({"text": text or "", "seen": str(history[0].version if history else 0)}), 200
    )


@routes.post(_RULE)
async def save(request: web.Request) -> web.Response:
    """Check what was written and keep it as the newest version."""
    actor, context = await _viewer(request), request.app[CONTEXT]
    given = await fields(request)
    form = Form({**given, "seen": str(_number(given, "seen"))})
    name = request.match_info["rule"]
    try:
        await rules.save(
            context.database,
            actor,
            context.settings.district.code,
            name,
            given.get("text", "").replace("\r\n", "\n"),
            issuing=context.settings.rules.issue,
            seen=_number(given, "seen"),
            note=given.get("note", "").strip(),
            now=context.clock.now(),
        )
    except InputError as error:
        form.faults["text"] = error.sentence
        return await _rule(request, actor, form, 422)
    except ConflictError as error:
        async with context.database.connection() as connection:
            newest = (await versions.history(connection, Subject.RULE, name))[0].version
        return await _rule(request, actor, form.overtaken("text", error.sentence, newest), 409)
    raise web.HTTPSeeOther(f"/rules/{name}?said=rule_saved")


@routes.post(_RULE + "/mode")
async def set_mode(request: web.Request) -> NoReturn:
    """Try a version, put it to work, or switch the rule off."""
    actor, context = await _viewer(request), request.app[CONTEXT]
    given, name = await fields(request), request.match_info["rule"]
    await rules.put_to_work(
        context.database,
        actor,
        context.settings.district.code,
        name,
        _number(given, "version"),
        given.get("mode", ""),
        context.clock.now(),
        own=context.settings.approval.own,
    )
    raise web.HTTPSeeOther(f"/rules/{name}?said=rule_set")


@routes.get(_RULE + r"/versions/{version:\d{1,6}}")
async def version(request: web.Request) -> web.Response:
    """One version of a rule as it stood, what it changed, and having it run."""
    actor, context = await _viewer(request), request.app[CONTEXT]
    name, number = request.match_info["rule"], int(request.match_info["version"])
    async with context.database.connection() as connection:
        one = await versions.version(connection, Subject.RULE, name, number)
        history = await versions.history(connection, Subject.RULE, name)
        work = (await rules.at_work(connection)).get(name)
    before = next((other.body for other in history if other.version < number), None)
    return framed(
        request,
        actor,
        "console/rules/version.html",
        name=name,
        title=stored(one.body).title if one.body else name,
        one=one,
        lines=None if before is None else difference(before, one.body or ""),
        **_running(context, actor, work),
    )


@routes.get(_RULE + "/replay")
async def replayed(request: web.Request) -> web.Response:
    """What the newest version would have done with the readings of the last days."""
    actor, context = await _viewer(request), request.app[CONTEXT]
    name, days = request.match_info["rule"], request.query.get("days", "7")
    span = int(days) if days in map(str, SPANS) else 7
    end = context.clock.now()
    start = end - timedelta(days=span)
    async with context.database.connection() as connection:
        _, one = await rules.written(connection, name, context.settings.district.code, context.settings.rules.issue)
        among, windows = await recorded(connection, one, start, end)
    happened = await asyncio.to_thread(replay, one, among, windows, start, end)
    names = {site.code: site.name for site in among}
    courses: list[tuple[tuple[str, str], tuple[Chart, ...]]] = [
        (
            (names[code], element),
            charts(
                [
                    (datetime.fromtimestamp(at, UTC), value, True)
                    for at, value in zip(course.at, course.values, strict=True)
                    if at >= start.timestamp()
                ],
                start,
                end,
                events=[_stroke(step) for step in happened],
            ),
        )
        for (code, element), course in sorted(windows.items())[:MOST_CHARTS]
    ]
    return framed(
        request,
        actor,
        "console/rules/replay.html",
        name=name,
        title=one.title,
        happened=happened,
        charts=courses,
        readings=sum(len(course.at) for course in windows.values()),
        days=span,
        spans=SPANS,
    )


@routes.post(r"/rules/events/{event:\d{1,9}}/veto")
async def veto(request: web.Request) -> NoReturn:
    """Keep a held alert from going out: one tap on the overview."""
    actor, context = await reader(request), request.app[CONTEXT]
    require_somewhere(actor, Action.VETO_RULES)
    await fields(request)
    await rules.veto(context.database, actor, int(request.match_info["event"]), context.clock.now())
    raise web.HTTPSeeOther("/alerts?said=rule_vetoed")


@routes.post(r"/rules/events/{event:\d{1,9}}/seen")
async def seen(request: web.Request) -> NoReturn:
    """Take note of what a rule told."""
    actor, context = await reader(request), request.app[CONTEXT]
    require_somewhere(actor, Action.VETO_RULES)
    await fields(request)
    await rules.note(context.database, actor, int(request.match_info["event"]), context.clock.now())
    raise web.HTTPSeeOther("/alerts?said=rule_seen")


async def _viewer(request: web.Request) -> Actor:
    """Rules are the whole district's."""
    actor = await reader(request)
    require(actor, Action.SEE_STATIONS, (request.app[CONTEXT].settings.district.code,))
    return actor


def _manages(context: Context, actor: Actor) -> bool:
    return may(actor, Action.MANAGE_RULES, (context.settings.district.code,))


def _modes(context: Context, actor: Actor) -> list[str]:
    """How this reader may have a rule run."""
    if may(actor, Action.SET_RULES, (context.settings.district.code,)):
        return list(rules.MODES)
    return ["off", "shadow"] if _manages(context, actor) else []


def _running(context: Context, actor: Actor, work: AtWork | None) -> dict[str, Any]:
    """How a rule runs, and what this reader may do about it: not put to work what is their own (`own`)."""
    own = "" if context.settings.approval.own else actor.name
    return {"work": work, "modes": _modes(context, actor), "own": own}


async def _overview(request: web.Request, actor: Actor, form: Form) -> web.Response:
    context = request.app[CONTEXT]
    async with context.database.connection() as connection:
        newest = await versions.newest(connection, Subject.RULE)
        working = await rules.at_work(connection)
    shown = [
        (one, working.get(name), stored(one.body).title) for name, one in sorted(newest.items()) if one.body is not None
    ]
    return framed(
        request,
        actor,
        "console/rules/overview.html",
        status=200 if form.good else 422,
        rules=shown,
        form=form,
        may_manage=_manages(context, actor),
    )


async def _rule(request: web.Request, actor: Actor, form: Form, status: int) -> web.Response:
    context, name = request.app[CONTEXT], request.match_info["rule"]
    async with context.database.connection() as connection:
        history = await versions.history(connection, Subject.RULE, name)
        if not history and not _manages(context, actor):
            await rules.written(connection, name, "", ())
        work = (await rules.at_work(connection)).get(name)
        events = await rules.events(connection, name)
    return framed(
        request,
        actor,
        "console/rules/rule.html",
        status=status,
        name=name,
        title=stored(history[0].body).title if history and history[0].body else "",
        form=form,
        events=events,
        history=history,
        **_running(context, actor, work),
        may_manage=_manages(context, actor),
    )


def _stroke(step: Happened) -> tuple[datetime, str, str]:
    return step.at, Bilingual(*_STROKES[step.step]), "" if step.step in (Step.CLEAR, Step.LOST) else step.colour.value


def _number(given: Mapping[str, Any], field: str) -> int:
    text = str(given.get(field, ""))
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise InputError("版本号不对。", remedy="请刷新页面后重试。")
    return int(text)
