"""What goes round every request: its id, time limit and one log line, its errors' form, the security headers."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable

import asyncpg
import structlog
from aiohttp import ClientConnectionResetError, web
from aiohttp.typedefs import Handler, Middleware
from tortoise.exceptions import DBConnectionError

from broadcaster.catalogue import Catalogue
from broadcaster.errors import (
    DaohuError,
    InputError,
    LimitedError,
    OutsideError,
    UnauthenticatedError,
    UnavailableError,
)
from broadcaster.web import problems
from broadcaster.web.authentication import ACTOR
from broadcaster.web.context import CONTEXT
from broadcaster.web.endpoint import JSON, Endpoint
from broadcaster.web.language import MACHINES, catalogue, spoken
from broadcaster.web.metrics import METRICS
from broadcaster.web.problems import Problem
from broadcaster.web.sight import call_by_name
from broadcaster.web.static_files import MARK, caching
from broadcaster.web.unhurried import is_unhurried

REQUEST_ID = web.RequestKey("request_id", str)
LEFT = 499  # the status under which a caller that went away is noted
LONGEST = 30.0  # seconds for an answer that is not a stream
UPLOAD = 300.0  # seconds for a form with a file in it: a photo comes over a bad line
_LOG = structlog.get_logger(__name__)
_GIVEN_ID = re.compile(r"[A-Za-z0-9-]{8,64}")

_DATABASE_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InterfaceError,
    DBConnectionError,
    ConnectionError,
)
"""Faults that pass, as opposed to a statement of ours that is wrong."""

CONTENT_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self'; "
    "connect-src 'self'; frame-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Frame-Options": "DENY",
    "Server": "daohu",
}

LETTER_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
}
"""What differs for a letter: styled from within, inert, shown in a frame of our own pages."""
LETTER = web.ResponseKey("letter", bool)

_STREAMING: set[Handler] = set()

ErrorPage = Callable[[web.Request, Problem], web.Response]


def envelope(error_page: ErrorPage) -> Middleware:
    """The middleware; people get `error_page`, machines a problem document."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("X-Request-ID", "")
        request[REQUEST_ID] = request_id = given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        started = time.perf_counter()
        status = LEFT
        with structlog.contextvars.bound_contextvars(request=request_id):
            try:
                response = await _answer(request, handler, error_page)
                status = response.status
            except web.HTTPException as answer:  # a redirect
                status = answer.status
                raise
            finally:
                _note(request, status, time.perf_counter() - started)
        return response

    return middleware


async def finish(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: the headers that every response carries, streams and static files too."""
    response.headers.update(SECURITY_HEADERS)
    if response.get(LETTER):
        response.headers.update(LETTER_SECURITY)
    if request.path.startswith("/static/"):
        response.headers["Cache-Control"] = caching(marked=MARK in request.query)
    response.headers.setdefault("Cache-Control", "no-store")
    if REQUEST_ID in request:
        response.headers["X-Request-ID"] = request[REQUEST_ID]
    if request.app[CONTEXT].settings.web.public_url.startswith("https:"):
        response.headers["Strict-Transport-Security"] = "max-age=31536000"


def _left() -> web.Response:
    """The caller is gone, and nobody reads this."""
    return web.Response(status=LEFT, reason="Client Closed Request")


async def _answer(request: web.Request, handler: Handler, error_page: ErrorPage) -> web.StreamResponse:
    headers: dict[str, str] = {}
    try:
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise InputError("不接受压缩过的请求内容。", remedy="请不压缩，也不带 Content-Encoding，重新发送。")
        async with asyncio.timeout(_longest(request)):
            return await _handled(request, handler)
    except ClientConnectionResetError:
        return _left()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        problem = problems.of_http(error, request[REQUEST_ID], _texts(request))
        headers = {name: value for name, value in error.headers.items() if name == "Allow"}
    except DaohuError as error:
        problem = problems.of_error(error, request[REQUEST_ID], _texts(request))
        if isinstance(error, LimitedError):
            headers["Retry-After"] = str(int(error.after) + 1)
        if isinstance(error, UnauthenticatedError):
            headers["WWW-Authenticate"] = "Bearer"
    except TimeoutError:
        problem = _passing(request, UnavailableError("处理超时。", remedy="请稍后重试。"))
    except _DATABASE_AWAY as error:
        if isinstance(error, ConnectionError) and (request.transport is None or request.transport.is_closing()):
            return _left()  # in the middle of what it was sending
        _LOG.warning("request.database_away", reason=type(error).__name__)
        problem = _passing(request, UnavailableError("数据库暂时不可用。", remedy="请稍后重试。"))
    except Exception:  # the boundary: whatever it was, it is logged and the caller gets an honest 500
        _LOG.exception("request.failed", route=_route(request))
        problem = problems.unexpected(request[REQUEST_ID], _texts(request))
    if request.path.startswith(MACHINES) or request.headers.get("Accept") == JSON:
        headers["Content-Language"] = spoken(request)
        headers["Vary"] = "Accept-Language, Cookie"
        return problems.answer(problem, headers)
    page = error_page(request, problem)
    page.headers.update(headers)
    return page


async def _handled(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A refusal says the names of the regions that it is about."""
    try:
        return await handler(request)
    except OutsideError as error:
        await call_by_name(request.app[CONTEXT], error)
        raise


def _passing(request: web.Request, error: UnavailableError) -> Problem:
    return problems.of_error(error, request[REQUEST_ID], _texts(request))


def _texts(request: web.Request) -> Catalogue:
    return catalogue(spoken(request))


def _longest(request: web.Request) -> float | None:
    if _streams(request):
        return None
    return UPLOAD if request.content_type == "multipart/form-data" else LONGEST


def streaming(handler: Handler) -> Handler:
    """Mark a page's handler as one that answers as long as somebody listens: no time limit."""
    _STREAMING.add(handler)
    return handler


def _streams(request: web.Request) -> bool:
    if request.match_info.handler in _STREAMING:
        return True
    endpoint = getattr(request.match_info.handler, "__self__", None)
    return is_unhurried(request.match_info.handler) or (
        isinstance(endpoint, Endpoint) and (endpoint.answers is None or endpoint.unhurried)
    )


def _note(request: web.Request, status: int, seconds: float) -> None:
    route = _route(request)
    actor = request.get(ACTOR)
    METRICS.request(request.method, route, status, seconds)
    _LOG.info(
        "request",
        method=request.method,
        route=route,  # the pattern, not the path: paths carry reply tokens
        status=status,
        ms=round(seconds * 1000, 1),
        account=actor.account_id if actor else None,
    )


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(none)"
