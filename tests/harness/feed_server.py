"""A web server that does what real ones do wrong: `python -m tests.harness.feed_server`, driven over its own port.

It is written on bare sockets, because a good HTTP library would not let it misbehave. `POST /tell` sets what a path
answers; `GET /asked` tells what was asked for so far.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import json
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.harness.certificates import Certificates

DRIP = 0.05
ENDLESS = b"<!-- nothing -->" * 4096


@dataclass
class Page:
    """What a path answers. `mood`: plain; hang (no answer), slow (a byte now and then), endless, truncated (less than
    promised), close (nothing at all), babble (no HTTP), bomb (a megabyte of gzip that is a gigabyte)."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    mood: str = "plain"


class Server:
    """One server: its pages, and what it was asked."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[dict[str, Any]] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._one(reader, writer):
                pass
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if path == "/tell":
            told = json.loads(body)
            told["body"] = base64.b64decode(told["body"])
            path = told.pop("path")
            self.pages[path] = Page(**told)
            return await _write(writer, Page())
        if path == "/asked":
            return await _write(writer, Page(body=json.dumps(self.asked).encode()))
        self.asked.append({"method": method, "path": path, "headers": headers, "body": body.decode("latin-1")})
        page = self.pages.get(path, Page(404, body=b"not here"))
        etag = page.headers.get("ETag")
        if etag and headers.get("if-none-match") == etag:
            page = Page(304, {"ETag": etag})
        return await _write(writer, page)


async def _write(writer: asyncio.StreamWriter, page: Page) -> bool:
    match page.mood:
        case "hang":
            await asyncio.sleep(3600)
        case "close":
            return False
        case "babble":
            writer.write(b"\x00\x01\x02 this is no HTTP \r\n\r\n" * 10)
            await writer.drain()
            return False
    body = gzip.compress(bytes(1024**2 * 200)) if page.mood == "bomb" else page.body
    length = len(body) + (100 if page.mood == "truncated" else 0)
    headers = {"Content-Length": str(length), **page.headers}
    if page.mood == "bomb":
        headers["Content-Encoding"] = "gzip"
    if page.mood in ("endless", "slow"):
        headers.pop("Content-Length")
        headers["Connection"] = "close"
    lines = [f"HTTP/1.1 {page.status} Whatever", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
    while page.mood in ("endless", "slow"):
        writer.write(ENDLESS if page.mood == "endless" else b" ")
        await writer.drain()
        if page.mood == "slow":
            await asyncio.sleep(DRIP)
    writer.write(body)
    await writer.drain()
    return page.mood == "plain"


class FeedServer:
    """The server as a test drives it."""

    def __init__(self, port: int, trust: ssl.SSLContext | None = None) -> None:
        self.url = f"{'https' if trust else 'http'}://127.0.0.1:{port}"
        self.port = port
        self._trust = trust

    def tell(
        self,
        path: str,
        body: bytes | str = b"",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        mood: str = "plain",
    ) -> str:
        """What `path` answers from now on; its address."""
        raw = body.encode() if isinstance(body, str) else body
        page = {"path": path, "status": status, "headers": dict(headers or {}), "mood": mood}
        self._call("/tell", json.dumps({**page, "body": base64.b64encode(raw).decode()}).encode())
        return self.url + path

    def asked(self, path: str = "") -> list[dict[str, Any]]:
        """What was asked for, in order; of one path only, if it is given."""
        found: list[dict[str, Any]] = json.loads(self._call("/asked"))
        return [one for one in found if path in ("", one["path"])]

    def _call(self, path: str, body: bytes | None = None) -> bytes:
        with urllib.request.urlopen(self.url + path, data=body, timeout=60, context=self._trust) as answer:
            return bytes(answer.read())


@contextmanager
def feed_server(secured: Certificates | None = None) -> Iterator[FeedServer]:
    """The server in a process of its own; with certificates it speaks TLS."""
    command = [sys.executable, "-m", "tests.harness.feed_server"]
    if secured is not None:
        command += [str(secured.chain), str(secured.key)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield FeedServer(int(process.stdout.readline()), secured.trusting() if secured else None)
        finally:
            process.kill()


async def main() -> None:
    context = None
    if sys.argv[1:]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*sys.argv[1:])
    server = await asyncio.start_server(Server().handle, "127.0.0.1", 0, ssl=context)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
