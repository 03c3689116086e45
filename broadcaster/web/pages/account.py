"""`/accounts/{id}`: one account's roles, and what an administrator may do to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from aiohttp import web

from broadcaster.errors import ForbiddenError, RuleError
from broadcaster.security import accounts, directory, passwords
from broadcaster.security.directory import Account
from broadcaster.security.permissions import Actor, Role
from broadcaster.web.context import CONTEXT
from broadcaster.web.pages import grant_rows
from broadcaster.web.pages.forms import Form, fields
from broadcaster.web.pages.frame import framed, reader
from broadcaster.web.pages.grant_rows import Row
from broadcaster.web.pages.words import WORDS

routes = web.RouteTableDef()


@routes.get(r"/accounts/{id:\d{1,9}}")
async def look(request: web.Request) -> web.Response:
    """The account; 404 for one that reaches outside of the reader's regions."""
    actor = await reader(request)
    return await _page(request, actor, await managed(request, actor), Form(), None)


@routes.post(r"/accounts/{id:\d{1,9}}/grants")
async def grant(request: web.Request) -> web.Response:
    """Replace its roles by the rows that were sent."""
    context = request.app[CONTEXT]
    actor, given = await reader(request), await fields(request)
    account = await managed(request, actor)
    form, rows = Form(values=given), grant_rows.typed(given)
    async with context.database.connection() as connection:
        wanted = await grant_rows.read(connection, actor, rows, form)
    if form.good:
        try:
            await accounts.set_grants(context.database, actor, account.id, wanted, context.clock.now())
        except RuleError:
            form.faults["grants"] = WORDS["account_fault"]["last"]
        except ForbiddenError:
            form.faults["grants"] = WORDS["account_fault"]["raise"]
    if not form.good:
        return await _page(request, actor, account, form, grant_rows.spaced(rows), status=422)
    raise web.HTTPSeeOther(f"/accounts/{account.id}?said=roles_changed")


@routes.post(r"/accounts/{id:\d{1,9}}/off")
async def switch_off(request: web.Request) -> web.Response:
    """No more signing in; its sessions and tokens end."""
    context = request.app[CONTEXT]
    actor, _ = await reader(request), await fields(request)
    account = await managed(request, actor)
    try:
        await accounts.switch_off(context.database, actor, account.id, context.clock.now())
    except RuleError:
        form = Form(faults={"off": WORDS["account_fault"]["last"]})
        return await _page(request, actor, account, form, None, status=422)
    raise web.HTTPSeeOther(f"/accounts/{account.id}?said=account_off")


@routes.post(r"/accounts/{id:\d{1,9}}/on")
async def switch_on(request: web.Request) -> NoReturn:
    """It may sign in again."""
    context = request.app[CONTEXT]
    actor, _ = await reader(request), await fields(request)
    account = await managed(request, actor)
    await accounts.switch_on(context.database, actor, account.id, context.clock.now())
    raise web.HTTPSeeOther(f"/accounts/{account.id}?said=account_on")


@routes.post(r"/accounts/{id:\d{1,9}}/password")
async def reset_password(request: web.Request) -> web.Response:
    """A new password, shown here once; the owner chooses another when signing in."""
    context = request.app[CONTEXT]
    actor, _ = await reader(request), await fields(request)
    account = await managed(request, actor)
    made = passwords.invent()
    await accounts.set_password(context.database, actor, account.id, made, context.clock.now(), given=True)
    return framed(
        request,
        actor,
        "console/account_password.html",
        name=account.name,
        password=made,
        account_id=account.id,
        new=False,
    )


@routes.post(r"/accounts/{id:\d{1,9}}/second-factor")
async def reset_factor(request: web.Request) -> NoReturn:
    """For an owner who lost the phone and the recovery codes."""
    context = request.app[CONTEXT]
    actor, _ = await reader(request), await fields(request)
    account = await managed(request, actor)
    await accounts.reset_factor(context.database, actor, account.id, context.clock.now())
    raise web.HTTPSeeOther(f"/accounts/{account.id}?said=factor_reset")


async def managed(request: web.Request, actor: Actor) -> Account:
    """The account of the path; `NotFoundError` for one that is not the actor's to manage."""
    async with request.app[CONTEXT].database.connection() as connection:
        return await directory.account(connection, actor, int(request.match_info["id"]))


async def _page(
    request: web.Request,
    actor: Actor,
    account: Account,
    form: Form,
    rows: Sequence[Row] | None,
    *,
    status: int = 200,
) -> web.Response:
    async with request.app[CONTEXT].database.connection() as connection:
        shown = rows if rows is not None else await grant_rows.rows_of(connection, account.grants)
    return framed(
        request,
        actor,
        "console/account.html",
        status=status,
        one=account,
        form=form,
        rows=shown,
        roles=[role.value for role in Role],
        own=account.id == actor.account_id,
    )
