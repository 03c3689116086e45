"""Signing in and out with a browser: name and password, then what else the account owes (`second_step.py`)."""

from __future__ import annotations

import secrets
from datetime import timedelta

import structlog
from aiohttp import web

from broadcaster.errors import LimitedError, UnauthenticatedError
from broadcaster.security import credentials, entrance
from broadcaster.security.credentials import PENDING_LIFE, form_token
from broadcaster.security.entrance import SignedIn, Step
from broadcaster.web.authentication import SESSION_COOKIE, pending, session, session_rules, source
from broadcaster.web.context import CONTEXT
from broadcaster.web.pages.browsers import browser_name
from broadcaster.web.pages.forms import VISITOR_COOKIE, fields, secure
from broadcaster.web.pages.rendering import page

PLACES = {
    Step.CODE: "/sign-in/code",
    Step.ENROL: "/sign-in/second-factor",
    Step.PASSWORD: "/sign-in/password",
    Step.DONE: "/alerts",
}
"""Where a browser goes for what is owed."""

_LOG = structlog.get_logger(__name__)
routes = web.RouteTableDef()


@routes.get("/")
async def front(request: web.Request) -> web.Response:
    """The alerts for who is signed in, the rest of signing in for who is half-way, the form for everybody else."""
    if await session(request) is not None:
        raise web.HTTPFound(PLACES[Step.DONE])
    proof = await pending(request)
    if proof is not None:
        step = await entrance.owed(proof, session_rules(request))
        if step is not Step.DONE:
            raise web.HTTPFound(PLACES[step])
    return _form(request)


@routes.post("/sign-in")
async def sign_in(request: web.Request) -> web.Response:
    """Name and password for a session cookie, or a pending one; what was wrong is never said."""
    context = request.app[CONTEXT]
    given = await fields(request)
    try:
        signed = await entrance.sign_in(
            context.database,
            given.get("name", ""),
            given.get("password", ""),
            source(request),
            context.clock.now(),
            rules=session_rules(request),
            label=browser_name(request.headers.get("User-Agent", "")),
        )
    except UnauthenticatedError as error:
        _LOG.info("sign_in.refused", why=error.code)
        return _form(request, name=given.get("name", ""), wrong=True, status=401)
    except LimitedError as error:
        _LOG.info("sign_in.refused", why=error.code)
        return slowed(_form(request, name=given.get("name", ""), status=429, **waiting(request, error)), error)
    response = web.HTTPSeeOther(PLACES[signed.step])
    keep(request, response, signed)
    raise response


@routes.post("/sign-out")
async def sign_out(request: web.Request) -> web.Response:
    """End the session, here and in the database; also one that is only half opened."""
    context = request.app[CONTEXT]
    await fields(request)
    proof = await session(request) or await pending(request)
    if proof is not None:
        await credentials.end(proof.credential_id, context.clock.now())
    response = web.HTTPSeeOther("/")
    response.del_cookie(SESSION_COOKIE)
    raise response


def keep(request: web.Request, response: web.StreamResponse, signed: SignedIn) -> None:
    """Give the browser its session, or what it holds until there is one."""
    life = session_rules(request).life if signed.step is Step.DONE else PENDING_LIFE
    response.set_cookie(
        SESSION_COOKIE,
        signed.session,
        max_age=int(life.total_seconds()),
        httponly=True,
        samesite="Strict",
        secure=secure(request),
    )
    response.del_cookie(VISITOR_COOKIE)


def waiting(request: web.Request, error: LimitedError) -> dict[str, object]:
    """How long whoever guessed too often waits, as the templates show it: seconds, and the moment it is over."""
    seconds = int(error.after) + 1
    return {"wait": seconds, "again_at": request.app[CONTEXT].clock.now() + timedelta(seconds=seconds)}


def slowed(response: web.Response, error: LimitedError) -> web.Response:
    """The page, saying to programs as well when to come again."""
    response.headers["Retry-After"] = str(int(error.after) + 1)
    return response


def _form(request: web.Request, *, name: str = "", status: int = 200, **values: object) -> web.Response:
    """The sign-in form, its token bound to a cookie that only this browser has."""
    visitor = request.cookies.get(VISITOR_COOKIE, "")
    if not visitor.isascii() or not visitor:  # none of ours
        visitor = secrets.token_urlsafe(24)
    shown = {"name": name, "wrong": False, "wait": 0, "again_at": None, **values}
    response = page(request, "console/sign_in.html", status=status, form_token=form_token(visitor), **shown)
    response.set_cookie(VISITOR_COOKIE, visitor, httponly=True, samesite="Strict", secure=secure(request))
    if request.cookies.get(SESSION_COOKIE):
        response.del_cookie(SESSION_COOKIE)  # ended or not ours: the form would be bound to it
    return response
