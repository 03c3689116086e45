"""Connections to the web: never so many that the process has no file left for the database, gateways and loudspeakers.

Where one process serves and sends, whoever opens a thousand connections and says nothing would stop an alert.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import cast

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp.web_protocol import RequestHandler

from broadcaster.clock import Clock

ENOUGH = 65_536
"""Open files that a process asks for, as its service units do."""

_BACKLOG = 128
_FORGET = 1_000
_AGAIN = timedelta(minutes=1)
_LOG = structlog.get_logger(__name__)


def places() -> int:
    """How many connections there may be: half of the files that this process may open, after it has asked for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(ENOUGH, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return (ENOUGH if soft == resource.RLIM_INFINITY else soft) // 2


class Visitors:
    """Who is connected. When all places are taken, who has not yet asked for anything gives way to who comes, the first
    that came first; then who has been answered and may ask again; nobody whose request is being worked on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asking: set[RequestHandler] = set()
        self._answered: set[RequestHandler] = set()
        self._told: datetime | None = None

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Notes who is being answered."""
        asks = request.protocol
        self._asking.add(asks)
        try:
            return await handler(request)
        finally:
            self._asking.discard(asks)
            self._answered.add(asks)

    def receive(self, server: web.Server, most: int) -> asyncio.BaseProtocol:
        """The protocol of a new connection, where there are `most` places."""
        here = server.connections
        if len(self._answered) > 2 * len(here) + _FORGET:
            self._answered.intersection_update(here)
        excess = len(here) + 1 - most
        if excess <= 0:
            return server()
        self._tell(len(here), most)
        going = list(islice(self._idle(here), excess))
        for one in going:
            if one.transport is not None:
                one.transport.abort()  # also of one that does not read what it was answered
        return server() if going else _Refused()

    def _idle(self, here: list[RequestHandler]) -> Iterator[RequestHandler]:
        yield from (one for one in here if one not in self._asking and one not in self._answered)
        yield from (one for one in here if one not in self._asking and one in self._answered)

    def _tell(self, here: int, most: int) -> None:
        now = self._clock.now()
        if self._told is None or now - self._told >= _AGAIN:
            self._told = now
            _LOG.warning("web.crowded", connections=here, most=most)


class Entrance(web.BaseSite):
    """Where connections come in."""

    def __init__(self, runner: web.AppRunner, visitors: Visitors, host: str, port: int, most: int) -> None:
        super().__init__(runner)
        self._visitors = visitors
        self._host, self._port, self._most = host, port, most

    @property
    def name(self) -> str:
        """The address that is listened on."""
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        """Listen; `OSError` when the address cannot be had."""
        await super().start()
        server = cast(web.Server, self._runner.server)  # there is one: a site cannot be made before
        self._server = await asyncio.get_running_loop().create_server(
            lambda: self._visitors.receive(server, self._most), self._host, self._port, backlog=_BACKLOG
        )


class _Refused(asyncio.Protocol):
    """Of a connection for which there is no place."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Not even heard."""
        cast(asyncio.Transport, transport).abort()
