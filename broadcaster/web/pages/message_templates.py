"""The message templates: each file's text, what it makes of an alert, its versions, and what was changed in them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiohttp import web

from broadcaster.alerts.colour import Colour
from broadcaster.decisions import templates, versions
from broadcaster.decisions.versions import Subject, Version
from broadcaster.errors import ConflictError, InputError, NotFoundError, SettingsError
from broadcaster.issuing import Office, in_force
from broadcaster.phrase import joined
from broadcaster.ports import Medium
from broadcaster.security.permissions import Action, Actor, require
from broadcaster.web.context import CONTEXT, Context
from broadcaster.web.language import ENGLISH, chosen
from broadcaster.web.pages.forms import Form, fields
from broadcaster.web.pages.frame import Section, framed, reader
from broadcaster.web.pages.linewise import difference
from broadcaster.web.pages.rendering import page
from templates.checking import LONGEST, PLACEHOLDERS, FileName, faults
from templates.library import BASE, WORDING
from templates.lint import LONGEST_LINK, LONGEST_PLACE
from templates.sample import Occasion
from templates.segments import segment
from templates.skeleton import Purpose, Skeleton

LANGUAGES = ("zh-CN", "en")
PAGES = (
    WORDING,
    *(f"{one}.{to}" for one in Medium for to in Purpose if (one, to) != (Medium.LOUDSPEAKER, Purpose.UNIT)),
)
"""What a file may be: a folder's sentences, or one medium's layout for one purpose. Loudspeakers are public."""

_FILE = r"/templates/{folder:[a-z_]{1,40}}/{file:[\w.-]{1,60}}"
SECTION = Section("/templates", "模板", Action.MANAGE_TEMPLATES)
routes = web.RouteTableDef()


class Entry(NamedTuple):
    """A file that may be there: `source` console, folder, house or "" nowhere; `version` of the console's."""

    name: FileName
    source: str
    version: Version | None


class Shown(NamedTuple):
    """One message as its recipient gets it; `parts` of a text message."""

    skeleton: Skeleton
    message: Any
    parts: int


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a request about one file works with. `office` is as in force."""

    context: Context
    actor: Actor
    name: FileName
    office: Office


@routes.get("/templates")
async def overview(request: web.Request) -> web.Response:
    """The folders, and the files of the one that is chosen."""
    context, actor = await _manager(request)
    async with context.database.connection() as connection:
        office = await in_force(connection, context.office)
        decided = await versions.newest(connection, Subject.TEMPLATE)
    folders = templates.folders(office.library)
    folder = request.query.get("folder", BASE)
    if folder not in folders:
        raise NotFoundError("没有这类模板。", remedy="请从列表中选择。")
    entries = [_entry(office, decided, FileName(folder, kind, tongue)) for kind in PAGES for tongue in LANGUAGES]
    return framed(
        request,
        actor,
        "console/message_templates/overview.html",
        folders=folders,
        folder=folder,
        entries=[entry for entry in entries if entry.source or entry.version],
        absent=[entry for entry in entries if not entry.source and not entry.version],
        rewritten=[version for version in decided.values() if version.body is not None],
    )


@routes.get(_FILE)
async def editor(request: web.Request) -> web.Response:
    """The text of one file, and what it makes."""
    desk = await _desk(request)
    text = desk.office.library.source(str(desk.name)) or templates.beginning(desk.name, desk.office.library)
    async with desk.context.database.connection() as connection:
        history = await versions.history(connection, Subject.TEMPLATE, str(desk.name))
    values = {"text": text, "seen": str(history[0].version if history else 0), "note": "", **_chosen(request.query)}
    return await _editor(request, desk, Form(values), history)


@routes.post(_FILE)
async def save(request: web.Request) -> web.Response:
    """Keep the text as the newest version if it can be used; `do=preview` only shows what it makes."""
    desk = await _desk(request)
    given = await fields(request)
    text = given.get("text", "").replace("\r\n", "\n")
    form, overtaken = Form({**given, "text": text, **_chosen(given)}), ""
    if given.get("do") != "preview":
        context, office = desk.context, desk.office
        wrong = await asyncio.to_thread(
            templates.refusals, office.library, desk.name, text, office.issuer, context.clock.now()
        )
        if wrong:
            form.faults["text"] = joined("\n", wrong[:8])
        else:
            try:
                await _save(desk, text, given)
            except ConflictError as error:
                overtaken = error.sentence
            else:
                raise web.HTTPSeeOther(f"/templates/{desk.name.folder}/{request.match_info['file']}?said=saved")
    async with desk.context.database.connection() as connection:
        history = await versions.history(connection, Subject.TEMPLATE, str(desk.name))
    if overtaken:
        form = form.overtaken("text", overtaken, history[0].version)
    return await _editor(request, desk, form, history)


@routes.post(_FILE + "/preview")
async def preview(request: web.Request) -> web.Response:
    """What a text that is being written makes: the part of the page that changes."""
    desk = await _desk(request)
    given = await fields(request)
    shown = await _preview(desk, given.get("text", "").replace("\r\n", "\n"), _chosen(given))
    return page(request, "console/message_templates/_preview.html", **shown, english=chosen(request) == ENGLISH)


@routes.get(_FILE + r"/versions/{version:\d{1,6}}")
async def version(request: web.Request) -> web.Response:
    """One version, with what it changed."""
    desk, number = await _desk(request), int(request.match_info["version"])
    async with desk.context.database.connection() as connection:
        one = await versions.version(connection, Subject.TEMPLATE, str(desk.name), number)
        history = await versions.history(connection, Subject.TEMPLATE, str(desk.name))
    before = next((other.body for other in history if other.version == number - 1), None)
    house = desk.context.office.library.source(str(desk.name))
    return framed(
        request,
        desk.actor,
        "console/message_templates/version.html",
        name=desk.name,
        one=one,
        newest=history[0].version,
        lines=difference(house if before is None else before, house if one.body is None else one.body),
    )


@routes.post(_FILE + "/restore")
async def restore(request: web.Request) -> web.Response:
    """Make an earlier version the newest again; version 0 is the file that comes with the house."""
    desk = await _desk(request)
    given = await fields(request)
    number, seen = _number(given, "version"), _number(given, "seen")
    body = None
    if number:
        async with desk.context.database.connection() as connection:
            body = (await versions.version(connection, Subject.TEMPLATE, str(desk.name), number)).body
    if body is not None:
        office = desk.office
        wrong = await asyncio.to_thread(
            templates.refusals, office.library, desk.name, body, office.issuer, desk.context.clock.now()
        )
        if wrong:
            raise InputError(
                "第 %(number)s 版现在不能用了：%(why)s", remedy="请在编辑页面改正后保存。", number=number, why=wrong[0]
            )
    await versions.save(
        desk.context.database,
        desk.actor,
        desk.context.settings.district.code,
        Subject.TEMPLATE,
        str(desk.name),
        body,
        seen=seen,
        note=f"← {number}",
        now=desk.context.clock.now(),
    )
    said = "given-up" if body is None else "saved"
    raise web.HTTPSeeOther(f"/templates/{desk.name.folder}/{request.match_info['file']}?said={said}")


async def _manager(request: web.Request) -> tuple[Context, Actor]:
    actor, context = await reader(request), request.app[CONTEXT]
    require(actor, Action.MANAGE_TEMPLATES, (context.settings.district.code,))
    return context, actor


async def _desk(request: web.Request) -> _Desk:
    context, actor = await _manager(request)
    name = FileName.parse(f"{request.match_info['folder']}/{request.match_info['file']}")
    async with context.database.connection() as connection:
        office = await in_force(connection, context.office)
    if name is None or name.folder not in templates.folders(office.library):
        raise NotFoundError("没有这个模板。", remedy="请从列表中选择。")
    return _Desk(context, actor, name, office)


async def _save(desk: _Desk, text: str, given: dict[str, str]) -> None:
    await versions.save(
        desk.context.database,
        desk.actor,
        desk.context.settings.district.code,
        Subject.TEMPLATE,
        str(desk.name),
        None if text == desk.context.office.library.source(str(desk.name)) else text,
        seen=_number(given, "seen"),
        note=given.get("note", "").strip(),
        now=desk.context.clock.now(),
    )


async def _editor(request: web.Request, desk: _Desk, form: Form, history: list[Version]) -> web.Response:
    shown = await _preview(desk, form.values["text"], form.values)
    return framed(
        request,
        desk.actor,
        "console/message_templates/editor.html",
        status=200 if form.good else 422,
        name=desk.name,
        form=form,
        history=history,
        entry=_entry(desk.office, {str(desk.name): history[0]} if history else {}, desk.name),
        colours=[colour.value for colour in Colour],
        occasions=[occasion.value for occasion in Occasion],
        free=desk.name.folder not in tuple(Occasion),
        placeholders=PLACEHOLDERS,
        longest=LONGEST,
        english=chosen(request) == ENGLISH,
        **shown,
    )


async def _preview(desk: _Desk, text: str, values: Any) -> dict[str, Any]:
    """The messages of a text with the lint's findings, or why there are none."""
    wrong = faults(text)
    if wrong:
        return {"shown": [], "findings": [], "broken": wrong}
    sample = templates.shown_sample(
        desk.name, Colour(values["colour"]), Occasion(values["occasion"]), worded=values["worded"] == "yes"
    )
    library = templates.with_text(desk.office.library, desk.name, text)
    try:
        trial = await asyncio.to_thread(
            templates.try_out, library, desk.name, sample, desk.office.issuer, desk.context.clock.now()
        )
    except SettingsError as error:
        return {"shown": [], "findings": [], "broken": [error.what]}
    return {"shown": list(_shown(trial.skeletons)), "findings": trial.findings, "broken": []}


def _shown(skeletons: tuple[Skeleton, ...]) -> Iterator[Shown]:
    for skeleton in skeletons:
        message = skeleton.fill(LONGEST_PLACE, LONGEST_LINK)
        parts = segment(message.text).parts if skeleton.medium is Medium.SMS else 0
        yield Shown(skeleton, message, parts)


def _chosen(given: Any) -> dict[str, str]:
    """What the preview is to show; anything that cannot be chosen becomes the usual."""
    colour, occasion = given.get("colour", ""), given.get("occasion", "")
    return {
        "colour": colour if colour in list(Colour) else Colour.RED.value,
        "occasion": occasion if occasion in list(Occasion) else Occasion.WARNING.value,
        "worded": "yes" if given.get("worded") == "yes" else "",
    }


def _entry(office: Office, decided: dict[str, Version], name: FileName) -> Entry:
    version = decided.get(str(name))
    if version is not None and version.body is not None:
        return Entry(name, "console", version)
    if office.library.in_folder(str(name)):
        return Entry(name, "folder", version)
    return Entry(name, "house" if str(name) in office.library.names else "", version)


def _number(given: dict[str, str], field: str) -> int:
    text = given.get(field, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise InputError("版本号不对。", remedy="请刷新页面后重试。")
    return int(text)
