"""The gateways that call us, and where what they say is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from broadcaster.clock import Clock
from broadcaster.database import Database
from broadcaster.dispatch.inbox import GatewayInbox, KeepReplies
from broadcaster.dispatch.recorder import Recorder
from broadcaster.dispatch.refs import RecentRefs
from broadcaster.dispatch.slots import register
from broadcaster.ports import GatewaySettings, Inbox, ParsesCallback
from broadcaster.registry import Registry

Called = Mapping[str, tuple[GatewaySettings, ParsesCallback, Inbox]]
"""By the gateway's name: its settings, who understands it, where what it says is stored."""


@asynccontextmanager
async def callbacks(
    database: Database,
    clock: Clock,
    gateways: Sequence[GatewaySettings],
    registry: Registry,
    keep_replies: KeepReplies,
    owner: str,
) -> AsyncIterator[Called]:
    """Those of `gateways` that call us, while it is open; recorded in the name of `owner`."""
    recorder = Recorder(database, clock, owner)
    recording = asyncio.create_task(recorder.run(), name="callbacks")
    try:
        found: dict[str, tuple[GatewaySettings, ParsesCallback, Inbox]] = {}
        for settings in gateways:
            plugin = registry.plugin(settings.channel, settings.driver)
            if isinstance(plugin, ParsesCallback):
                async with database.connection() as connection:
                    gateway = await register(connection, settings)
                inbox = GatewayInbox(gateway, database, recorder, clock, RecentRefs(), keep_replies)
                found[settings.name] = (settings, plugin, inbox)
        yield found
    finally:
        recorder.stop()
        await recording
