"""Looking after the keeper: whoever holds the embedded servers starts the keeper again if it dies."""

from __future__ import annotations

import asyncio

import structlog

from broadcaster.embedded.servers import EmbeddedServers
from broadcaster.errors import UnavailableError

log = structlog.get_logger()


async def watch(servers: EmbeddedServers, *, every: float = 1.0) -> None:
    """Look every `every` seconds until cancelled."""
    while True:
        await asyncio.sleep(every)
        try:
            if await asyncio.to_thread(servers.ensure):
                log.warning("embedded.keeper_replaced")
        except UnavailableError as error:
            log.error("embedded.unavailable", what=error.what)
