"""`/accounts/{id}/tokens`: the bearer tokens of an account, for machines."""

from __future__ import annotations

from datetime import timedelta
from typing import NoReturn

from aiohttp import web

from broadcaster.errors import ConflictError
from broadcaster.security import accounts, directory
from broadcaster.security.credentials import CredentialKind
from broadcaster.security.directory import Account
from broadcaster.security.permissions import Actor
from broadcaster.web.context import CONTEXT
from broadcaster.web.pages.account import managed
from broadcaster.web.pages.forms import Form, fields
from broadcaster.web.pages.frame import framed, reader
from broadcaster.web.pages.words import WORDS

DAYS = (30, 90, 365, 1095)
routes = web.RouteTableDef()


@routes.get(r"/accounts/{id:\d{1,9}}/tokens")
async def look(request: web.Request) -> web.Response:
    """What it has, without the secrets: nobody has those."""
    actor = await reader(request)
    return await _page(request, actor, await managed(request, actor), Form(values={"days": "365"}))


@routes.post(r"/accounts/{id:\d{1,9}}/tokens")
async def give(request: web.Request) -> web.Response:
    """A new one, shown here once. Sending the form twice finds the label in use."""
    context = request.app[CONTEXT]
    actor, given = await reader(request), await fields(request)
    account = await managed(request, actor)
    form, label, days = Form(values=given), given.get("label", "").strip(), given.get("days", "")
    if not 1 <= len(label) <= 64:
        form.faults["label"] = WORDS["account_fault"]["label"]
    if days not in map(str, DAYS):
        form.faults["days"] = WORDS["account_fault"]["days"]
    token = ""
    if form.good:
        life, now = timedelta(days=int(days)), context.clock.now()
        try:
            token = await accounts.give_token(context.database, actor, account.id, label, now, life=life, once=True)
        except ConflictError:
            form.faults["label"] = WORDS["account_fault"]["label_taken"]
    if not form.good:
        return await _page(request, actor, account, form, status=422)
    return await _page(request, actor, account, Form(values={"days": days}), token=token)


@routes.post(r"/accounts/{id:\d{1,9}}/tokens/{token:\d{1,9}}/end")
async def end(request: web.Request) -> NoReturn:
    """It opens nothing any more."""
    context = request.app[CONTEXT]
    actor, _ = await reader(request), await fields(request)
    account = await managed(request, actor)
    number = int(request.match_info["token"])
    await accounts.end_token(context.database, actor, account.id, number, context.clock.now())
    raise web.HTTPSeeOther(f"/accounts/{account.id}/tokens?said=token_ended")


async def _page(
    request: web.Request, actor: Actor, account: Account, form: Form, *, token: str = "", status: int = 200
) -> web.Response:
    context = request.app[CONTEXT]
    now = context.clock.now()
    async with context.database.connection() as connection:
        tokens = await directory.credentials_of(connection, account.id, CredentialKind.TOKEN)
    return framed(
        request,
        actor,
        "console/account_tokens.html",
        status=status,
        one=account,
        form=form,
        tokens=[(one, one.lives(now)) for one in tokens],
        token=token,
        days=DAYS,
    )
