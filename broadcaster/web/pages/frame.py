"""What stands round every page of the console: who is signed in, and the sections that are theirs to open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from broadcaster.security.credentials import Proof
from broadcaster.security.permissions import Action, Actor, scopes
from broadcaster.web.authentication import session
from broadcaster.web.pages.forms import token
from broadcaster.web.pages.rendering import page


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the console. Whoever may do `action` somewhere finds it in the navigation; its pages ask again."""

    path: str
    word: str
    action: Action


SECTIONS = (
    Section("/alerts", "alerts", Action.SEE),
    Section("/compose", "compose", Action.CREATE),
    Section("/audience", "audience", Action.SEE_AUDIENCE),
    Section("/duties", "duties", Action.SEE_AUDIENCE),
    Section("/gateways", "gateways", Action.MANAGE_GATEWAYS),
    Section("/templates", "templates", Action.MANAGE_TEMPLATES),
    Section("/policies", "policies", Action.MANAGE_POLICIES),
    Section("/accounts", "accounts", Action.MANAGE_ACCOUNTS),
    Section("/audit", "audit", Action.READ_AUDIT),
)
"""In the order of the navigation; `word` is a code of the words `section`."""


async def reader(request: web.Request) -> Actor:
    """Who is signed in; everybody else is sent to sign in."""
    return (await holder(request)).actor


async def holder(request: web.Request) -> Proof:
    """The same, with the session it is."""
    proof = await session(request)
    if proof is None:
        raise web.HTTPFound("/")
    return proof


async def watcher(request: web.Request) -> Actor:
    """The same for pages that ask for their parts by themselves: without a session it is the whole page that has to go.
    Not for pages in which somebody writes at length."""
    if "HX-Request" in request.headers and await session(request) is None:
        raise web.HTTPOk(headers={"HX-Redirect": "/"})
    return await reader(request)


def framed(request: web.Request, actor: Actor, template: str, *, status: int = 200, **values: Any) -> web.Response:
    """A page of the console. `?said=` names a word of `said` that is shown on top: what the form before has done."""
    return page(
        request,
        template,
        status=status,
        account=actor.name,
        form_token=token(request),
        sections=[section for section in SECTIONS if scopes(actor, section.action)],
        said=request.query.get("said", ""),
        **values,
    )
