"""Importing rosters: upload, the report and what would change, then yes or no; the work goes on without the browser."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from typing import Any, NoReturn, cast

from aiohttp import web

from audiences import browse
from audiences.importing import ImportReport, PlaceChanges
from broadcaster.doorbell import WORK
from broadcaster.errors import InputError, RuleError
from broadcaster.retelling import retold
from broadcaster.rosters import imports as rosters
from broadcaster.rosters.imports import KINDS, LARGEST, RosterImport
from broadcaster.security import audit
from broadcaster.security.permissions import Action, Actor, require_somewhere, scopes
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.csv import line
from broadcaster.web.language import catalogue, chosen
from broadcaster.web.pages import roster_changes
from broadcaster.web.pages.forms import Form, fields, upload
from broadcaster.web.pages.frame import framed, reader
from broadcaster.web.pages.rendering import page
from broadcaster.web.unhurried import unhurried

PROBLEMS = 200  # shown on the page; the file has them all
PLACES = 200
_ORDER = ("region", "household", "person", "duty", "contact", "terminal")
_LEAST_REFUSED = 0.2  # share of refused rows from which the page warns
_IN_MEMORY = 4 << 20  # bytes of an upload; more goes to a temporary file
_BOM = "\ufeff"  # without it Excel takes the file for GBK
SEEN = "households.see"
_PATH = r"/audience/imports/{id:\d{1,9}}"
routes = web.RouteTableDef()


@routes.get("/audience/imports")
async def imports(request: web.Request) -> web.Response:
    """What the reader has given so far, and the form for the next."""
    return await _list(request, await _importer(request), Form())


@routes.post("/audience/imports")
@unhurried
async def give(request: web.Request) -> web.Response:
    """Take a file in; examining it is a worker's next look."""
    actor = await _importer(request)
    context = request.app[CONTEXT]
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
        try:
            given, filename = await upload(request, "file", cast(Any, spool), LARGEST)
        except InputError as error:
            return await _list(request, actor, Form({}, {"file": error.sentence}))
        if not filename:
            return await _list(request, actor, Form(given, {"file": "请选择文件。"}))
        kind = given.get("kind", "")
        roster = rosters.Given(kind, filename, cast(Any, spool), complete=given.get("complete") == "yes")
        try:
            number = await rosters.give(context.database, actor, roster, context.clock.now())
        except (InputError, RuleError) as error:
            return await _list(request, actor, Form(given, {"file" if kind in KINDS else "kind": error.sentence}))
    await context.bell.ring(WORK)
    raise web.HTTPSeeOther(f"/audience/imports/{number}")


@routes.get(_PATH)
async def one(request: web.Request) -> web.Response:
    """One import: how far it is, then its report."""
    actor = await _importer(request)
    found = await _one(request.app[CONTEXT], actor, request)
    shown, context = _shown(found), request.app[CONTEXT]
    plain = request.query.get("plain") == "1"
    changes = found.report.differences if found.report and found.state == "examined" else ()
    told = [roster_changes.told(one, actor, plain=plain) for one in changes]
    async with context.database.transaction() as connection:
        known = await browse.names(connection, [place.region for place in shown["places"]])
        clear = sum(one.clear for one in told)
        if clear:
            detail = {"records": clear, "import": found.id}
            await audit.append(connection, actor.account_id, SEEN, context.clock.now(), detail=detail)
    return framed(
        request,
        actor,
        "console/audience/import.html",
        names=known,
        changes=told,
        plain=plain,
        may_see=any(roster_changes.may_see(one, actor) for one in changes),
        **shown,
    )


@routes.get(_PATH + "/progress")
async def progress(request: web.Request) -> web.Response:
    """The part of the page that changes while a worker is at it; afterwards the browser is told to load the page."""
    actor = await _importer(request)
    found = await _one(request.app[CONTEXT], actor, request)
    response = page(request, "console/audience/_progress.html", **_shown(found))
    if not found.working:
        response.headers["HX-Refresh"] = "true"
    return response


@routes.get(_PATH + "/problems.csv")
async def problems(request: web.Request) -> web.Response:
    """Every problem that the report keeps, as a file to go through beside the roster."""
    texts = catalogue(chosen(request))
    found = await _one(request.app[CONTEXT], await _importer(request), request)
    kept = found.report.problems if found.report else ()
    lines = [_BOM + line([texts.gettext(title) for title in ("行", "列", "内容", "应为", "处理")])]
    for one in kept:
        done = texts.gettext("仅忽略该值" if one.kept else "整行未导入")
        told = [retold(text, texts) for text in (one.column, one.value, one.allowed)]
        lines.append(line([str(one.row), *told, done]))
    return web.Response(
        text="".join(lines),
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="import-{found.id}-problems.csv"'},
    )


@routes.post(_PATH + "/confirm")
async def confirm(request: web.Request) -> NoReturn:
    """Yes: have it taken over."""
    actor = await _importer(request)
    await fields(request)
    context, number = request.app[CONTEXT], int(request.match_info["id"])
    await rosters.confirm(context.database, actor, number)
    await context.bell.ring(WORK)
    raise web.HTTPSeeOther(f"/audience/imports/{number}")


@routes.post(_PATH + "/discard")
async def discard(request: web.Request) -> NoReturn:
    """No: forget the file."""
    actor = await _importer(request)
    await fields(request)
    context = request.app[CONTEXT]
    await rosters.discard(context.database, actor, int(request.match_info["id"]), context.clock.now())
    raise web.HTTPSeeOther("/audience/imports?said=import_discarded")


async def _importer(request: web.Request) -> Actor:
    actor = await reader(request)
    require_somewhere(actor, Action.IMPORT)
    return actor


async def _one(context: Context, actor: Actor, request: web.Request) -> RosterImport:
    async with context.database.connection() as connection:
        return await rosters.one(connection, actor, int(request.match_info["id"]))


async def _list(request: web.Request, actor: Actor, form: Form) -> web.Response:
    async with request.app[CONTEXT].database.connection() as connection:
        given = await rosters.imports(connection, actor)
    return framed(
        request,
        actor,
        "console/audience/imports.html",
        status=200 if form.good else 422,
        form=form,
        imports=given,
        kinds=list(KINDS),
        within=scopes(actor, Action.IMPORT),
        largest=LARGEST >> 20,
    )


def _shown(found: RosterImport) -> dict[str, Any]:
    report = found.report
    places = _places(report) if report else []
    return {
        "roster": found,
        "report": report,
        "problems": report.problems[:PROBLEMS] if report else (),
        "changes_by_table": [(table, report.changes[table]) for table in _ORDER if report and table in report.changes],
        "places": places[:PLACES],
        "places_total": len(places),
        "many_refused": report is not None and report.refused > _LEAST_REFUSED * max(report.rows, 1),
        "changes_nothing": report is not None
        and not any(one.added or one.updated or one.deactivated for one in report.changes.values()),
    }


def _places(report: ImportReport) -> list[PlaceChanges]:
    """By village for a file of one town, else by town, so that a county fits on a page."""
    towns = {place.region[:9] for place in report.places}
    return _gathered(report.places, 12 if len(towns) <= 1 else 9)


def _gathered(places: Iterable[PlaceChanges], width: int) -> list[PlaceChanges]:
    sums: dict[tuple[str, str], PlaceChanges] = {}
    for place in places:
        key = (place.region[:width], place.table)
        known = sums.get(key) or PlaceChanges(place.table, key[0])
        sums[key] = PlaceChanges(
            place.table,
            key[0],
            known.added + place.added,
            known.updated + place.updated,
            known.deactivated + place.deactivated,
            known.example or place.example,
        )
    return [sums[key] for key in sorted(sums, key=lambda key: (key[0], _ORDER.index(key[1])))]
