"""Signing in and out with a browser."""

from __future__ import annotations

import secrets

import structlog
from aiohttp import web

from broadcaster.errors import LimitedError, UnauthenticatedError
from broadcaster.security import accounts, credentials
from broadcaster.security.credentials import SESSION_LIFE, form_token
from broadcaster.web.authentication import SESSION_COOKIE, session, source
from broadcaster.web.context import CONTEXT
from broadcaster.web.pages.forms import VISITOR_COOKIE, fields, secure
from broadcaster.web.pages.rendering import page

_LOG = structlog.get_logger(__name__)
routes = web.RouteTableDef()


@routes.get("/")
async def front(request: web.Request) -> web.Response:
    """The alerts for who is signed in, the sign-in form for everybody else."""
    if await session(request) is not None:
        raise web.HTTPFound("/alerts")
    return _form(request)


@routes.post("/sign-in")
async def sign_in(request: web.Request) -> web.Response:
    """Name and password for a session cookie; what was wrong is never said."""
    context = request.app[CONTEXT]
    given = await fields(request)
    try:
        signed = await accounts.sign_in(
            context.database, given.get("name", ""), given.get("password", ""), source(request), context.clock.now()
        )
    except (UnauthenticatedError, LimitedError) as error:
        _LOG.info("sign_in.refused", why=error.code)
        return _form(request, fault=str(error), status=429 if isinstance(error, LimitedError) else 401)
    response = web.HTTPSeeOther("/alerts")
    response.set_cookie(
        SESSION_COOKIE,
        signed.session,
        max_age=int(SESSION_LIFE.total_seconds()),
        httponly=True,
        samesite="Strict",
        secure=secure(request),
    )
    response.del_cookie(VISITOR_COOKIE)
    raise response


@routes.post("/sign-out")
async def sign_out(request: web.Request) -> web.Response:
    """End the session, here and in the database."""
    context = request.app[CONTEXT]
    await fields(request)
    proof = await session(request)
    if proof is not None:
        await credentials.end(proof.credential_id, context.clock.now())
    response = web.HTTPSeeOther("/")
    response.del_cookie(SESSION_COOKIE)
    raise response


def _form(request: web.Request, *, fault: str = "", status: int = 200) -> web.Response:
    """The sign-in form, its token bound to a cookie that only this browser has."""
    visitor = request.cookies.get(VISITOR_COOKIE) or secrets.token_urlsafe(24)
    response = page(request, "console/sign_in.html", status=status, fault=fault, form_token=form_token(visitor))
    response.set_cookie(VISITOR_COOKIE, visitor, httponly=True, samesite="Strict", secure=secure(request))
    if request.cookies.get(SESSION_COOKIE):
        response.del_cookie(SESSION_COOKIE)  # ended or not ours: the form would be bound to it
    return response
