"""A source client of Icecast 2.4: PUT with Basic authentication, then the stream; and the two requests besides."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote, urlencode

from channels.loudspeaker.icecast.settings import IcecastOptions
from channels.loudspeaker.live.answer import LONGEST, Answer, parse, read_head

CONTINUE, OK = 100, 200


class Server:
    """One server. Every call may raise OSError (`NonsenseError` and TimeoutError are such)."""

    def __init__(self, options: IcecastOptions) -> None:
        self._options = options
        host = f"[{options.host}]" if ":" in options.host else options.host
        self._host = f"{host}:{options.port}"

    @asynccontextmanager
    async def source(self, mount: str) -> AsyncIterator[tuple[Answer, asyncio.StreamWriter]]:
        """A connection that asked to be the source of `mount`, and the answer to that."""
        options = self._options
        headers = {
            "Content-Type": "audio/mpeg",
            "Ice-Name": options.name,
            "Ice-Public": "0",
            "Expect": "100-continue",
        }
        async with self._connected() as (reader, writer):
            writer.write(self._request("PUT", mount, options.user, options.password, headers))
            async with asyncio.timeout(options.answer_timeout):
                answer = parse(await read_head(reader))
            yield answer, writer

    async def entitle(self, mount: str, title: str) -> Answer:
        """Tell receivers what they hear."""
        options = self._options
        query = urlencode({"mount": mount, "mode": "updinfo", "charset": "UTF-8", "song": title}, quote_via=quote)
        return await self._ask(f"/admin/metadata?{query}", options.user, options.password)

    async def oust(self, mount: str) -> Answer:
        """End the stream of whoever is the source of `mount`."""
        options = self._options
        query = urlencode({"mount": mount}, quote_via=quote)
        return await self._ask(f"/admin/killsource?{query}", options.admin_user, options.admin_password)

    async def greet(self) -> Answer:
        """Whether somebody answers."""
        return await self._ask("/", "", "")

    async def _ask(self, path: str, user: str, password: str) -> Answer:
        async with self._connected() as (reader, writer):
            writer.write(self._request("GET", path, user, password, {"Connection": "close"}))
            async with asyncio.timeout(self._options.answer_timeout):
                return parse(await read_head(reader))

    def _request(self, verb: str, path: str, user: str, password: str, headers: Mapping[str, str]) -> bytes:
        proof = base64.b64encode(f"{user}:{password}".encode()).decode()
        all_ = {"Host": self._host, **({"Authorization": f"Basic {proof}"} if user else {}), **headers}
        lines = [f"{verb} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in all_.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        options = self._options
        async with asyncio.timeout(options.connect_timeout):
            reader, writer = await asyncio.open_connection(options.host, options.port, limit=LONGEST)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await writer.wait_closed()
