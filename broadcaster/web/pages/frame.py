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
    """A part of the console, declared as `SECTION` by the module of its first page. Whoever may do `action` somewhere
    finds it in the navigation by its `title`; its pages ask again."""

    path: str
    title: str
    action: Action


SECTIONS = web.AppKey("sections", tuple[Section, ...])
"""The application's, in the order of the navigation."""


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
        sections=[section for section in request.app[SECTIONS] if scopes(actor, section.action)],
        said=request.query.get("said", ""),
        **values,
    )
