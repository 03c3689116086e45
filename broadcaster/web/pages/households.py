"""The page of one home: masked until somebody with the right to it asks, which is recorded; its contacts set right."""

from __future__ import annotations

from aiohttp import web

from audiences import masking
from audiences.records import ContactMedium
from broadcaster.errors import InputError
from broadcaster.rosters import contacts, households
from broadcaster.security.permissions import Action, Actor, may
from broadcaster.web.context import CONTEXT
from broadcaster.web.pages.forms import Form, fields
from broadcaster.web.pages.frame import framed, reader

_PATH = r"/audience/households/{id:\d{1,18}}"
routes = web.RouteTableDef()


@routes.get(_PATH)
async def household(request: web.Request) -> web.Response:
    """The home, names and numbers masked."""
    return await _page(request, await reader(request), shown=False)


@routes.post(_PATH + "/reveal")
async def reveal(request: web.Request) -> web.Response:
    """The home with names and numbers; who looked, at which home and when, goes into the audit trail first."""
    actor = await reader(request)
    await fields(request)
    context = request.app[CONTEXT]
    await households.reveal(context.database, actor, int(request.match_info["id"]), context.clock.now())
    return await _page(request, actor, shown=True)


@routes.post(_PATH + "/contacts")
async def add(request: web.Request) -> web.Response:
    """A further contact."""
    actor = await reader(request)
    given = await fields(request)
    context, number = request.app[CONTEXT], int(request.match_info["id"])
    try:
        medium = ContactMedium(given.get("medium", ""))
    except ValueError as error:
        raise InputError("没有这种联系方式。", remedy="请刷新页面后重新选择。") from error
    try:
        await contacts.add(context.database, actor, number, medium, given.get("address", ""), context.clock.now())
    except InputError as error:
        return await _page(request, actor, shown=False, form=Form(given, {"address": error.sentence}))
    raise _back(number, "contact_added")


@routes.post(_PATH + r"/contacts/{contact:\d{1,18}}")
async def change(request: web.Request) -> web.Response:
    """Correct a contact, or switch it off or on, as the pressed button says."""
    actor = await reader(request)
    given = await fields(request)
    context, number = request.app[CONTEXT], int(request.match_info["id"])
    contact, now = int(request.match_info["contact"]), context.clock.now()
    done = given.get("do", "correct")
    if done in ("off", "on"):
        await contacts.switch(context.database, actor, number, contact, now, active=done == "on")
        raise _back(number, f"contact_{done}")
    try:
        await contacts.correct(context.database, actor, number, contact, given.get("address", ""), now)
    except InputError as error:
        name = f"address-{contact}"
        form = Form({name: given.get("address", "")}, {name: error.sentence})
        return await _page(request, actor, shown=False, form=form)
    raise _back(number, "contact_changed")


async def _page(request: web.Request, actor: Actor, *, shown: bool, form: Form | None = None) -> web.Response:
    context = request.app[CONTEXT]
    sheet = await households.sheet(context.database, actor, int(request.match_info["id"]), context.clock.now())
    region = sheet.household.region_code
    return framed(
        request,
        actor,
        "console/audience/household.html",
        status=422 if form else 200,
        sheet=sheet,
        home=sheet.household,
        steps=[step for step in sheet.path if may(actor, Action.SEE_AUDIENCE, [step[0]])],
        form=form or Form(),
        shown=shown,
        person=(lambda text: text) if shown else masking.name,
        number=(lambda _medium, text: text) if shown else masking.address,
        media=[medium.value for medium in ContactMedium],
        channel_medium={"sms": "phone", "voice": "phone"},
        may_reveal=may(actor, Action.SEE_HOUSEHOLDS, [region]),
        may_correct=may(actor, Action.CORRECT_CONTACTS, [region]),
    )


def _back(number: int, said: str) -> web.HTTPSeeOther:
    return web.HTTPSeeOther(f"/audience/households/{number}?said={said}")
