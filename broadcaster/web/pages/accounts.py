"""`/accounts`: who may sign in, in the administrator's regions; a new account."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from audiences.region_lookup import names, search
from broadcaster.errors import ConflictError, InputError
from broadcaster.security import accounts, directory, passwords
from broadcaster.security.permissions import Action, Role, require_somewhere
from broadcaster.web.context import CONTEXT
from broadcaster.web.pages import grant_rows
from broadcaster.web.pages.forms import Form, fields
from broadcaster.web.pages.frame import Section, framed, reader
from broadcaster.web.pages.grant_rows import Row
from broadcaster.web.pages.rendering import page
from broadcaster.web.pages.words import WORDS

_PAGE = 50
SECTION = Section("/accounts", "账户管理", Action.MANAGE_ACCOUNTS)
routes = web.RouteTableDef()


@routes.get("/accounts")
async def list_accounts(request: web.Request) -> web.Response:
    """By name, a page at a time; `?q=` is a part of the name."""
    actor = await reader(request)
    wanted, after = request.query.get("q", "").strip()[:64], request.query.get("after", "")[:64]
    async with request.app[CONTEXT].database.connection() as connection:
        found = await directory.accounts(connection, actor, search=_text(wanted), after=_text(after), limit=_PAGE)
        places = await names(connection, [grant.region for one in found for grant in one.grants])
    return framed(
        request,
        actor,
        "console/accounts.html",
        accounts=found,
        places=places,
        q=wanted,
        next=found[-1].name if len(found) == _PAGE else "",
    )


@routes.get("/accounts/regions")
async def regions(request: web.Request) -> web.Response:
    """What a field for a region offers while it is typed into: the value of the first parameter is what was typed."""
    scopes = require_somewhere(await reader(request), Action.MANAGE_ACCOUNTS)
    asked = _text(next(iter(request.query.values()), "").strip()[:60])
    async with request.app[CONTEXT].database.connection() as connection:
        found = await search(connection, asked, scopes)
    return page(request, "console/_regions.html", regions=found)


@routes.get("/accounts/new")
async def ask(request: web.Request) -> web.Response:
    """The form of a new account."""
    actor = await reader(request)
    require_somewhere(actor, Action.MANAGE_ACCOUNTS)
    return await _form(request, Form(), grant_rows.spaced([]))


@routes.post("/accounts/new")
async def create(request: web.Request) -> web.Response:
    """Make it; its password is shown here, once. Sending it twice finds the name in use."""
    context = request.app[CONTEXT]
    actor, given = await reader(request), await fields(request)
    require_somewhere(actor, Action.MANAGE_ACCOUNTS)
    form, rows, name = Form(values=given), grant_rows.typed(given), given.get("name", "").strip()
    async with context.database.connection() as connection:
        grants = await grant_rows.read(connection, actor, rows, form)
    if not accounts.is_name(name):
        form.faults["name"] = WORDS["account_fault"]["name"]
    if form.good:
        password = passwords.invent()
        try:
            account_id = await accounts.create_account(
                context.database, actor, name, password, grants=grants, now=context.clock.now(), given=True
            )
        except ConflictError:
            form.faults["name"] = WORDS["account_fault"]["taken"]
        except InputError as error:
            form.faults["name"] = error.sentence
    if not form.good:
        return await _form(request, form, grant_rows.spaced(rows), status=422)
    return framed(
        request, actor, "console/account_password.html", name=name, password=password, account_id=account_id, new=True
    )


async def _form(request: web.Request, form: Form, rows: Sequence[Row], *, status: int = 200) -> web.Response:
    actor = await reader(request)
    return framed(
        request,
        actor,
        "console/account_new.html",
        status=status,
        form=form,
        rows=rows,
        roles=[role.value for role in Role],
    )


def _text(given: str) -> str:
    """Without what the database does not take."""
    return given.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
