"""From a request to who is asking: a bearer token, or, for reading only, the browser's session."""

from __future__ import annotations

from aiohttp import web

from broadcaster.errors import UnauthenticatedError
from broadcaster.security.credentials import CredentialKind, Proof, prove
from broadcaster.security.permissions import Actor
from broadcaster.security.session_rules import SessionRules
from broadcaster.web.context import CONTEXT, Context

SESSION_COOKIE = "daohu_session"
ACTOR = web.RequestKey("actor", Actor)
_SAFE = frozenset({"GET", "HEAD"})


async def caller(request: web.Request) -> Actor:
    """The actor of an API request; `UnauthenticatedError` without a good credential.

    A session cookie is accepted for reading only, so no other site can make a browser change anything here.
    """
    header = request.headers.get("Authorization", "")
    if header:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise UnauthenticatedError("只接受 Bearer 令牌。", remedy="请用 Authorization: Bearer 令牌。")
        return (await _prove(request, CredentialKind.TOKEN, token.strip())).actor
    cookie = request.cookies.get(SESSION_COOKIE, "")
    if cookie and request.method in _SAFE:
        return (await _prove(request, CredentialKind.SESSION, cookie)).actor
    raise UnauthenticatedError("需要令牌。", remedy="请用 Authorization: Bearer 令牌；令牌由管理员发放。")


async def session(request: web.Request) -> Proof | None:
    """Who holds the browser's session; None when there is none, or it ended."""
    return await _held(request, CredentialKind.SESSION)


async def pending(request: web.Request) -> Proof | None:
    """Who has given the right password in this browser and owes something else; None when nobody has."""
    return await _held(request, CredentialKind.PENDING)


def session_rules(request: web.Request) -> SessionRules:
    """What the settings say of sessions."""
    return SessionRules.of(request.app[CONTEXT].settings.security)


def source(request: web.Request) -> str:
    """The address that the request came from: what the last proxy that is not ours saw, by the word of those that are.

    Each proxy adds its caller at the end, in the same header or in one more; what stands before is anybody's word.
    """
    trusted = request.app[CONTEXT].trusted_proxies
    told = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    address = request.remote or "local"
    while address in trusted and told:
        address = told.pop().strip() or address
    return address


async def _held(request: web.Request, kind: CredentialKind) -> Proof | None:
    cookie = request.cookies.get(SESSION_COOKIE, "")
    if not cookie:
        return None
    try:
        return await _prove(request, kind, cookie)
    except UnauthenticatedError:
        return None


async def _prove(request: web.Request, kind: CredentialKind, text: str) -> Proof:
    context: Context = request.app[CONTEXT]
    async with context.database.connection() as connection:
        proof = await prove(connection, kind, text, context.clock.now(), session_rules(request))
    request[ACTOR] = proof.actor
    return proof
