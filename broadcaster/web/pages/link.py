"""Reply links: from the token in an address to the message behind it, and how often it may be used.

The token is the whole permission, so there is no cookie that another site could make use of. It is signed: whoever has
none can only try, and that is what the throttle on addresses slows down.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from broadcaster.errors import InputError, NotFoundError, UnauthenticatedError
from broadcaster.web.authentication import source
from broadcaster.web.context import CONTEXT
from broadcaster.web.endpoint import JSON
from broadcaster.web.pages.forms import typed
from broadcaster.web.throttle import Throttle, neighbourhood

_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True, slots=True)
class Throttles:
    """One application's. A queue that was filled without network comes all at once, and a carrier hides thousands of
    telephones behind one address: both are generous."""

    token: Throttle
    address: Throttle
    guesses: Throttle


THROTTLES = web.AppKey("throttles", Throttles)


def throttles() -> Throttles:
    """New ones."""
    return Throttles(Throttle(60, 1), Throttle(5000, 500), Throttle(30, 0.5))


@dataclass(frozen=True, slots=True)
class Link:
    """The message that a link belongs to."""

    token: str
    alert_id: int
    ordinal: int

    @property
    def path(self) -> str:
        return f"/r/{self.token}"


def link(request: web.Request) -> Link:
    """The link of this request; `NotFoundError`, which says what to do, for one that is forged, cut off or expired."""
    context, token = request.app[CONTEXT], request.match_info["token"]
    now = context.clock.now()
    try:
        alert_id, ordinal = context.tokens.read(token, now)
    except (UnauthenticatedError, UnicodeEncodeError) as error:
        request.app[THROTTLES].guesses.take(neighbourhood(source(request)), now)
        if _signed(request):
            raise NotFoundError(
                "这个链接已经过期。", remedy="以最新收到的消息为准；如需帮助，请拨打 110 或 119。"
            ) from error
        raise NotFoundError("链接不完整或已失效。", remedy="请重新点开短信中的链接，或直接回复“1”。") from error
    return Link(token, alert_id, ordinal)


def answered(request: web.Request) -> Link:
    """The link of a request that changes something; `LimitedError` when there are too many."""
    found = link(request)
    limits, now = request.app[THROTTLES], request.app[CONTEXT].clock.now()
    limits.token.take(found.token, now)
    limits.address.take(neighbourhood(source(request)), now)
    return found


async def given(request: web.Request) -> dict[str, str]:
    """The texts of the form that came; `InputError` when it cannot be read."""
    if request.content_type == "multipart/form-data":
        raise InputError("不是网页表单。", remedy="请从页面上提交。")
    try:
        return await typed(request)
    except ValueError as error:
        raise InputError("表单内容无法读取。", remedy="请返回后重新按按钮。") from error


def tap(form: Mapping[str, str]) -> str:
    """The name of a tap: the key that its page or our script gave, and what it says; `InputError` for a key that is
    none. The same page sent again after a look back is the same tap only if it says the same."""
    key = form.get("key") or secrets.token_urlsafe(16)
    if not _KEY.fullmatch(key):
        raise InputError("表单内容不对。", remedy="请刷新页面后重试。")
    said = "\0".join(f"{name}={form[name]}" for name in sorted(form) if name != "key")
    return f"{key}-{hashlib.sha256(said.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def wants_json(request: web.Request) -> bool:
    """Whether our script asks, which shows the page anew by itself."""
    return request.headers.get("Accept") == JSON


def done(request: web.Request, where: str, said: str = "") -> web.Response:
    """Say that it is done: to our script in a word, to a browser with the page, so that reloading sends nothing twice.
    `said` is a word of `field`; "": the page itself shows it."""
    if wants_json(request):
        return web.json_response({"said": said or "done"})
    raise web.HTTPSeeOther(f"{where}?said={said}" if said else where)


def keep(request: web.Request, response: web.Response, until: datetime | None) -> None:
    """Let our service worker keep this page on the telephone, so that it opens without network, until the alert is
    over: the header says for how many seconds. No other cache keeps it; without the header the worker forgets what it
    had of the link."""
    if until is not None:
        seconds = (until - request.app[CONTEXT].clock.now()).total_seconds()
        response.headers["X-Daohu-Keep-For"] = str(max(0, int(seconds)))


def _signed(request: web.Request) -> bool:
    try:
        request.app[CONTEXT].tokens.read(request.match_info["token"])
    except (UnauthenticatedError, UnicodeEncodeError):
        return False
    return True
