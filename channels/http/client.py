"""One slot's connections to a provider: kept alive, bounded in number, in time, and in what they read."""

from __future__ import annotations

import asyncio
import io
import ssl
from datetime import UTC, datetime

import aiohttp

from broadcaster.errors import UnavailableError
from broadcaster.ports import Journal
from broadcaster.retrying import retry_after
from channels.http.exchange import Answer, NotWrittenError, Request, UnansweredError
from channels.http.settings import HttpOptions
from channels.redaction import redacted

LARGEST = 256 * 1024
"""Bytes of an answer, unless more are allowed; providers' are below 10 KB."""

LONG = 256 * 1024
"""Bytes of a request's body that are written at once."""

KEEP_ALIVE = 10.0
"""Seconds after which an idle connection is not used again: less than what servers keep them, so that we do not write
into one that is being closed."""

CLOSING = 408
"""The server closes an idle connection while we write into it (RFC 9110 15.5.9): nothing was done."""

_BEFORE_WRITING = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientConnectorDNSError,
    aiohttp.ClientSSLError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)


class Client:
    """Made in a running event loop. `turns` are the window's places; once `closing`, nothing more is begun."""

    def __init__(
        self, options: HttpOptions, trust: ssl.SSLContext, journal: Journal, *, largest: int = LARGEST
    ) -> None:
        self._largest = largest
        self._where = options.url.origin()
        self._journal = journal
        self.turns = asyncio.Semaphore(options.window)
        self._window = options.window
        self.closing = False
        connect, answer = options.connect_timeout, options.answer_timeout
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=trust, keepalive_timeout=KEEP_ALIVE),
            timeout=aiohttp.ClientTimeout(total=connect + answer, connect=connect, sock_connect=connect),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "daohu"},
            auto_decompress=False,
            trust_env=False,
        )

    async def exchange(self, request: Request) -> Answer:
        """The answer to `request`; `NotWrittenError` or `UnansweredError` when there is none."""
        try:
            async with self._session.request(
                request.method, request.url, headers=request.headers, data=_payload(request.body), allow_redirects=False
            ) as response:
                body = await _whole(response, self._largest)
        except _BEFORE_WRITING as problem:
            raise NotWrittenError(_why(problem)) from problem
        except TimeoutError as problem:
            raise UnansweredError("服务商没有在规定时间内答复", late=True) from problem
        except (aiohttp.ClientError, OSError) as problem:
            raise UnansweredError(f"没有得到完整的答复（{_why(problem)}）", late=False) from problem
        if response.status == CLOSING:
            raise NotWrittenError(f"HTTP {CLOSING}")
        asked = response.headers.get("Retry-After")
        return Answer(response.status, body, retry_after(asked, datetime.now(UTC)) if asked else None)

    async def call(self, request: Request) -> Answer:
        """The answer to a request that belongs to no message; `UnavailableError` when there is none."""
        self._journal.note("→", request.name)
        try:
            answer = await self.exchange(request)
        except (NotWrittenError, UnansweredError) as problem:
            self._journal.note("!", f"{request.name} {problem}")
            raise UnavailableError(
                f"服务商接口 {self._where} 没有应答：{problem}。",
                remedy="请检查网关的 endpoint、ca_file，以及本机的网络、域名解析和防火墙。",
            ) from problem
        self._journal.note("←", f"{request.name} HTTP {answer.status}")
        return answer

    async def finish(self) -> None:
        """Give no more turns, let what is under way come to its end (each has its time limit), disconnect."""
        self.closing = True
        for _ in range(self._window):
            await self.turns.acquire()
        await self._session.close()
        for _ in range(self._window):
            self.turns.release()

    async def drop(self) -> None:
        """Disconnect at once."""
        self.closing = True
        await self._session.close()


def _payload(body: bytes) -> bytes | io.BytesIO | None:
    """What aiohttp is given to write: a long body piece by piece, so that others have their turn."""
    return io.BytesIO(body) if len(body) > LONG else body or None


async def _whole(response: aiohttp.ClientResponse, largest: int) -> bytes:
    """The body, which must not be longer than `largest`."""
    length = response.content_length
    if length is not None and length <= largest:
        return await response.read()
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > largest:
            raise UnansweredError(f"答复超过 {largest // 1024} KiB", late=False)
    return bytes(body)


def _why(problem: Exception) -> str:
    """A fault in one line. What aiohttp says of an answer names the address, and a number in it: its kind must do."""
    if isinstance(problem, OSError | aiohttp.ServerDisconnectedError):
        return redacted(str(problem)) or type(problem).__name__
    return type(problem).__name__
