"""Another process of ours that has the terminals' port: `python -m tests.harness.terminal_worker LISTEN AUDIO`."""

from __future__ import annotations

import asyncio
import sys

from broadcaster.ports import GatewaySettings, Medium
from broadcaster.testing import MemoryInbox, MemoryJournal
from channels.loudspeaker.terminal_tcp import plugin
from tests.harness.terminal import PLATFORM


async def main() -> None:
    """Listen, say so on stdout, and stay until killed."""
    listen, audio = sys.argv[1:]
    options = {
        "platform": PLATFORM,
        "listen": f"127.0.0.1:{listen}",
        "audio_listen": f"127.0.0.1:{audio}",
        "audio_url": f"http://127.0.0.1:{audio}",
    }
    settings = GatewaySettings("terminals", Medium.LOUDSPEAKER, "terminal_tcp", rate=1, options=options)
    await plugin.build(settings, MemoryJournal()).open(MemoryInbox())
    print("open", flush=True)  # noqa: T201
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
