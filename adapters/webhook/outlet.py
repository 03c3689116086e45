"""One POST to a subscriber and what its answer means: a signed webhook, or a bare document with a password."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ssl
from datetime import datetime
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from adapters.fetching.door import require_public
from adapters.fetching.session import SUBSCRIBER_PERMIT, classified, session
from broadcaster.outlets import Hook, NotTold, OutletKind, Parcel, Told
from broadcaster.retrying import retry_after
from broadcaster.trust import trusting

SECONDS = 20.0
"""For one attempt, from connecting to the answer's head; its body is not read."""

_GONE, _TOO_LARGE, _THERE_ALREADY = 410, 413, 409
_UNFIT = frozenset({400, 415, 422})
"""A platform that reads CAP says of the message itself that it cannot take it: it must not hold up those after it."""

_UNFIT_PERHAPS = _UNFIT | {406, _THERE_ALREADY}
"""The same of a webhook, unless it is our signature that it does not take: many answer that with 400."""


class WebhookOutlet:
    """Tells subscribers; one session for public addresses, one for those that may be private."""

    def __init__(self, *, seconds: float = SECONDS, trust: ssl.SSLContext | None = None) -> None:
        self._seconds = seconds
        self._trust = trust or ssl.create_default_context()
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def tell(self, hook: Hook, parcel: Parcel, now: datetime) -> Told | NotTold:
        """One attempt. Redirects are not followed: a secret's signature goes to nobody else."""
        headers = {"Content-Type": parcel.content_type, "User-Agent": "daohu", "Webhook-Id": parcel.id}
        if hook.secret:
            stamp = str(int(now.timestamp()))
            signed = signature(hook.secret, parcel.id, stamp, parcel.body)
            headers |= {"Webhook-Timestamp": stamp, "Webhook-Signature": f"v1,{signed}"}
        if hook.password:
            headers |= _proof(hook)
        try:
            if not hook.private:
                require_public(urlsplit(hook.url).hostname or "")
            async with asyncio.timeout(self._seconds):
                trust = await asyncio.to_thread(trusting, hook.manner.authority) if hook.manner.authority else True
                async with self._session(private=hook.private).post(
                    URL(hook.url), data=parcel.body, headers=headers, allow_redirects=False, ssl=trust
                ) as response:
                    return _meant(hook.kind, response, now)
        except TimeoutError:
            return NotTold(f"{self._seconds:g} 秒内没有答复")
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            return NotTold(classified(problem, SUBSCRIBER_PERMIT).reason)

    async def close(self) -> None:
        """Disconnect."""
        sessions, self._sessions = self._sessions, {}
        for one in sessions.values():
            await one.close()

    def _session(self, *, private: bool) -> aiohttp.ClientSession:
        if private not in self._sessions:
            self._sessions[private] = session(self._trust, private=private, limit=64)
        return self._sessions[private]


def _proof(hook: Hook) -> dict[str, str]:
    """The header by which we prove ourselves (RFC 7617, RFC 6750, or one of theirs)."""
    manner, password = hook.manner, hook.password
    if manner.auth == "basic":
        pair = base64.b64encode(f"{manner.login}:{password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {"Authorization": f"Bearer {password}"} if manner.auth == "bearer" else {manner.login: password}


def _meant(kind: OutletKind, response: aiohttp.ClientResponse, now: datetime) -> Told | NotTold:
    status = response.status
    if 200 <= status < 300 or (kind is OutletKind.CAP and status == _THERE_ALREADY):
        return Told(status)
    after = retry_after(response.headers.get("Retry-After"), now)
    never = status in (_GONE, _TOO_LARGE) or (kind is OutletKind.CAP and status in _UNFIT)
    return NotTold(f"HTTP {status}", status, after, final=never, unfit=status in _UNFIT_PERHAPS)


def signature(secret: bytes, name: str, stamp: str, body: bytes) -> str:
    """Base64 of HMAC-SHA256 over id, timestamp and body, with dots between them."""
    signed = hmac.new(secret, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return base64.b64encode(signed).decode()
