"""One GET, whatever the server does: an answer, "nothing new", or the trouble there was.

Bounded in time (connecting and altogether), in size (packed and unpacked), in redirects and in where they lead.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from adapters.fetching.body import CutOffError, EncodingError, TooLargeError, declared, whole
from adapters.fetching.dialect import Ask
from adapters.fetching.door import require_public
from adapters.fetching.session import classified, session
from broadcaster.retrying import retry_after
from broadcaster.sources import Failed, Trouble

SIZE_MAX = 8 * 1024 * 1024
"""Bytes of a document, unpacked; the largest public alerts stay below 1 MB, national indexes below 5 MB."""

REDIRECTS_MAX = 3
_PERMIT = "确实如此时，请为该来源设置 private = true"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({408, 425, 429, 503})
_HEADERS = {
    "Accept": "application/cap+xml, application/atom+xml, application/rss+xml, application/xml, */*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": "daohu",
}


@dataclass(frozen=True, slots=True)
class Got:
    """A document, where it was in the end, and what HTTP lets us ask next time whether it has changed."""

    document: bytes
    url: str
    validators: Mapping[str, str]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The server says that it is as it was (304)."""


class Fetcher:
    """Connections of one source. `seconds` bound one document from its first byte asked to its last byte got."""

    def __init__(self, trust: ssl.SSLContext, *, seconds: float, private: bool) -> None:
        self._trust = trust
        self._seconds = seconds
        self._private = private
        self._session: aiohttp.ClientSession | None = None

    async def get(self, ask: Ask, memory: Mapping[str, str], now: datetime) -> Got | Unchanged | Failed:
        """The document at `ask.url`; `memory` holds the validators of the last time."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(ask, memory, now)
        except TimeoutError:
            return Failed(Trouble.SLOW, f"{self._seconds:g} 秒内没有得到完整的答复")
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            return classified(problem, _PERMIT)

    async def close(self) -> None:
        """Disconnect."""
        opened, self._session = self._session, None
        if opened is not None:
            await opened.close()

    async def _follow(self, ask: Ask, memory: Mapping[str, str], now: datetime) -> Got | Unchanged | Failed:
        url, headers = ask.url, {**_HEADERS, **ask.headers, **_conditions(memory)}
        for _ in range(REDIRECTS_MAX + 1):
            if not self._private:
                require_public(urlsplit(url).hostname or "")
            async with self._opened().get(URL(url), headers=headers, allow_redirects=False) as response:
                if response.status not in _REDIRECTS:
                    return await _read(response, url, now)
                target = urljoin(url, response.headers.get("Location", ""))
            if fault := _astray(url, target):
                return Failed(Trouble.MISLED, fault)
            if _origin(target) != _origin(url):
                headers = dict(_HEADERS)
            url = target
        return Failed(Trouble.MISLED, f"重定向超过 {REDIRECTS_MAX} 次")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = session(self._trust, private=self._private)
        return self._session


def _conditions(memory: Mapping[str, str]) -> dict[str, str]:
    names = {"etag": "If-None-Match", "last_modified": "If-Modified-Since"}
    return {header: memory[name] for name, header in names.items() if memory.get(name)}


async def _read(response: aiohttp.ClientResponse, url: str, now: datetime) -> Got | Unchanged | Failed:
    status = response.status
    if status == 304:
        return Unchanged()
    if status != 200:
        return Failed(_trouble(status), f"HTTP {status}", retry_after(response.headers.get("Retry-After"), now))
    document = await _body(response)
    if isinstance(document, Failed):
        return document
    text = declared(document, response.headers.get("Content-Type", ""))
    found = {"etag": response.headers.get("ETag", ""), "last_modified": response.headers.get("Last-Modified", "")}
    return Got(text.document, url, {name: value[:500] for name, value in found.items() if value}, text.remark)


async def _body(response: aiohttp.ClientResponse) -> bytes | Failed:
    try:
        pieces = response.content.iter_chunked(64 * 1024)
        document = await whole(pieces, response.headers.get("Content-Encoding", ""), SIZE_MAX)
    except TooLargeError:
        return Failed(Trouble.TOO_LARGE, f"答复超过 {SIZE_MAX // 1024 // 1024} MB，没有读完")
    except CutOffError:
        return Failed(Trouble.TRUNCATED, "压缩的内容不完整")
    except EncodingError:
        return Failed(Trouble.NONSENSE, "压缩方式不对，解不开")
    return document if document.strip() else Failed(Trouble.NONSENSE, "答复是空的")


def _trouble(status: int) -> Trouble:
    if status in _BUSY:
        return Trouble.BUSY
    if status in (404, 410):
        return Trouble.MISSING
    if 400 <= status < 500:
        return Trouble.DENIED
    return Trouble.BROKEN if status >= 500 else Trouble.NONSENSE


def _astray(url: str, target: str) -> str:
    """Why a redirect is not followed; "" when it is."""
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        return "重定向到不能去的地址"
    if urlsplit(url).scheme == "https" and parts.scheme == "http":
        return "从 https 重定向到 http，不再受保护"
    return ""


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port
