"""Another process of ours that has a SGIP gateway's port: `python -m tests.harness.sgip_worker GATEWAY LISTEN`."""

from __future__ import annotations

import asyncio
import sys

from broadcaster.ports import GatewaySettings, Medium
from broadcaster.testing import MemoryInbox, MemoryJournal
from channels.sms.sgip import plugin
from tests.harness.carrier_gateway import SECRET, SERVICE_NUMBER, USER


async def main() -> None:
    """Open a connection, say so on stdout, and stay until killed."""
    gateway, listen = sys.argv[1:]
    options = {
        "host": "127.0.0.1",
        "port": gateway,
        "user": USER,
        "password": SECRET,
        "node": 3_010_001_234,
        "source": SERVICE_NUMBER,
        "listen": f"127.0.0.1:{listen}",
    }
    settings = GatewaySettings("unicom", Medium.SMS, "sgip", rate=1, options=options)
    await plugin.build(settings, MemoryJournal()).open(MemoryInbox())
    print("open", flush=True)  # noqa: T201
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
