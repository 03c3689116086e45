"""The duty desk's buttons: a unit that confirmed by telephone, a call for help that was seen to."""

from __future__ import annotations

from typing import NoReturn

from aiohttp import web

from broadcaster.phrase import joined
from broadcaster.security.permissions import Action, require_somewhere
from broadcaster.web.api.confirmations import PhoneConfirmation, record
from broadcaster.web.api.help_requests import close
from broadcaster.web.context import CONTEXT
from broadcaster.web.pages.console import start_page
from broadcaster.web.pages.forms import Form, fields
from broadcaster.web.pages.frame import reader

routes = web.RouteTableDef()


@routes.post(r"/alerts/{id:\d{1,9}}/units/{unit:\d{1,9}}/confirm")
async def confirm(request: web.Request) -> web.Response:
    """Record the confirmation, and back to the alert; or the start page again, with what is wrong."""
    actor = await reader(request)
    require_somewhere(actor, Action.CONFIRM)
    given = await fields(request)
    moved, unit = given.get("moved", "").strip(), int(request.match_info["unit"])
    if moved and not (moved.isascii() and moved.isdigit() and len(moved) <= 6):
        fault = joined("", ("转移人数不对。", "请填 0 到 999999 的整数，或不填。"))
        return await start_page(request, actor, form=Form({**given, "unit": str(unit)}, {"moved": fault}))
    alert_id = int(request.match_info["id"])
    said = PhoneConfirmation(moved=int(moved) if moved else None)
    await record(request.app[CONTEXT], actor, alert_id, unit, said)
    raise web.HTTPSeeOther(f"/alerts/{alert_id}")


@routes.post(r"/help/{id:\d{1,9}}/close")
async def close_help(request: web.Request) -> NoReturn:
    """Close the call for help, and back to its alert, or to the start page where it has none."""
    actor = await reader(request)
    await fields(request)
    alert_id = await close(request.app[CONTEXT], actor, int(request.match_info["id"]))
    raise web.HTTPSeeOther("/alerts" if alert_id is None else f"/alerts/{alert_id}")
