"""Where a provider calls us, in the kit: what `/callbacks/{gateway}` does, without the rest of the house."""

from __future__ import annotations

import asyncio
from typing import Protocol, runtime_checkable

from aiohttp import web

from broadcaster.errors import InputError, UnauthenticatedError
from broadcaster.ports import BringsFiles, GatewaySettings, Inbox, ParsesCallback

LARGEST = 16 * 1024 * 1024
"""Octets of a call."""


@runtime_checkable
class CallsBack(Protocol):
    """A peer whose gateway reports by calling us over HTTP; the plugin is then a `ParsesCallback`."""

    async def call_back(self, address: str) -> None:
        """Report to this address from now on (the peer adds what authenticates it)."""
        ...


class Doorstep:
    """Listens on this machine; what the plugin makes of a call is stored in `inbox`, then answered."""

    def __init__(self, plugin: ParsesCallback, gateway: GatewaySettings, inbox: Inbox) -> None:
        self._plugin = plugin
        self._gateway = gateway
        self._inbox = inbox
        self._runner: web.AppRunner | None = None

    async def open(self) -> str:
        """The address to call."""
        app = web.Application(client_max_size=LARGEST)
        app.router.add_route("*", "/callbacks/{gateway}", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        return f"http://127.0.0.1:{port}/callbacks/{self._gateway.name}"

    async def close(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        query, body = dict(request.query), await request.read()
        try:
            if isinstance(self._plugin, BringsFiles):
                result = await asyncio.to_thread(self._plugin.parse, self._gateway, headers, query, body)
            else:
                result = self._plugin.parse(self._gateway, headers, query, body)
        except UnauthenticatedError:
            return web.Response(status=401)
        except InputError:
            return web.Response(status=400)
        try:
            if result.receipts:
                await self._inbox.receipts(result.receipts)
            if result.replies:
                await self._inbox.replies(result.replies)
        except ConnectionError:  # an Inbox that was told to fail
            return web.Response(status=500)
        return web.Response(status=result.status, body=result.body, headers={"Content-Type": result.content_type})
