"""Many people who watch one alert, in a process of their own: prints when each saw which figure, as JSON lines.

Called with the live address, how many watchers, and cookies as `name=value;name=value`, taken in turn.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time

import aiohttp

REACHED = re.compile(rb'class=\\"good\\"><dt>[^<]*</dt><dd>([\d,]+)')


async def watch(session: aiohttp.ClientSession, address: str, cookies: str, number: int) -> None:
    """Read one line of events until it ends."""
    async with session.get(address, headers={"Cookie": cookies}) as answer:
        if answer.status != 200:
            sys.stdout.write(json.dumps({"watcher": number, "status": answer.status}) + "\n")
            return
        sys.stdout.write(json.dumps({"watcher": number, "open": True}) + "\n")
        sys.stdout.flush()
        buffer = b""
        async for piece in answer.content.iter_any():
            at = time.time()
            *events, buffer = (buffer + piece).split(b"\n\n")
            for event in events:
                found = REACHED.search(event)
                if found:
                    reached = int(found[1].replace(b",", b""))
                    line = {"watcher": number, "at": at, "reached": reached, "bytes": len(event)}
                    sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()


async def main(address: str, count: int, cookies: list[str]) -> None:
    """All of them at once."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, read_bufsize=2**20) as session:
        await asyncio.gather(*(watch(session, address, cookies[n % len(cookies)], n) for n in range(count)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
