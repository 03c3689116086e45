"""How a terminal fetches its sound: one GET, as small as a device makes it, and cheap enough for a thousand of them in
one process."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

PATIENCE = 30.0
"""Seconds until the whole file must be there."""

BUFFERED = 32 * 1024
"""Octets with which a terminal begins: at 48 kbit/s some five seconds of sound."""

READ_ON = 1.0
"""Seconds until a terminal reads on, with its buffer full of sound that is not played yet."""

LONGEST_HEAD = 8 * 1024
LARGEST = 64 * 1024 * 1024

_SCRATCH = bytearray(256 * 1024)
"""Where every connection reads into: what is there is looked at before the next one reads."""


class Fetched(NamedTuple):
    """A file, or the SHA-256 of one that was not kept."""

    sha256: str
    content: bytes | None


class FetchError(Exception):
    """There is no sound at that address."""


class _Fetching(asyncio.BufferedProtocol):
    """One GET. What it brings is compared with the files that are `known` of that size, and kept only where it is none
    of them, and `kept`: a thousand terminals fetch the same."""

    def __init__(
        self, request: bytes, known: Callable[[], Sequence[bytes]], begun: Callable[[], None], *, kept: bool
    ) -> None:
        self._request = request
        self._kept = kept
        self._hash = hashlib.sha256()
        self._begun = begun
        self._known = known
        self._head = bytearray()
        self._size = -1
        self._at = 0
        self._same: bytes | None = None
        self._content = bytearray()
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[Fetched] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("HTTP needs a stream.")
        self._transport = transport
        transport.write(self._request)

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 (there is room for any)
        return _SCRATCH

    def buffer_updated(self, nbytes: int) -> None:
        data = bytes(memoryview(_SCRATCH)[:nbytes])
        if self._size < 0:
            self._head += data
            if (end := self._head.find(b"\r\n\r\n")) < 0:
                if len(self._head) > LONGEST_HEAD:
                    self._fail("a head without end")
                return
            data = bytes(self._head[end + 4 :])
            if not self._begin(bytes(self._head[:end])):
                return
        self._take(data)

    def connection_lost(self, problem: Exception | None) -> None:
        self._fail(f"cut off: {problem}")

    def _begin(self, head: bytes) -> bool:
        status, *lines = head.split(b"\r\n")
        fields = {name.strip().lower(): value.strip() for name, _, value in (one.partition(b":") for one in lines)}
        length = fields.get(b"content-length", b"")
        if status.split(b" ")[1:2] != [b"200"] or not length.isdigit() or not 0 < int(length) <= LARGEST:
            self._fail("no such file")
            return False
        self._size = int(length)
        self._same = next((one for one in self._known() if len(one) == self._size), None)
        return True

    def _take(self, data: bytes) -> None:
        if self._same is not None and self._same[self._at : self._at + len(data)] != data:
            self._keep(self._same[: self._at])
            self._same = None
        begins = self._at < BUFFERED <= self._at + len(data) < self._size
        self._at += len(data)
        if begins:
            self._begun()
            if self._transport is not None:  # it plays what it has, and reads on while it does
                self._transport.pause_reading()
                asyncio.get_running_loop().call_later(READ_ON, self._read_on)
        if self._same is None:
            self._keep(data)
        if self._at >= self._size and not self.done.done():
            content = self._same if self._same is not None else bytes(self._content) if self._kept else None
            self.done.set_result(Fetched("" if content is not None else self._hash.hexdigest(), content))
            self.close()

    def _read_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _keep(self, data: bytes) -> None:
        if self._kept:
            self._content += data
        else:
            self._hash.update(data)

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(FetchError(why))
        self.close()

    def close(self) -> None:
        """Whatever has come, it is over."""
        if self._transport is not None:
            self._transport.abort()


async def fetch(url: str, known: Callable[[], Sequence[bytes]], begun: Callable[[], None], *, kept: bool) -> Fetched:
    """The file at `url`, one of those that are `known` where it is the same; of another one only the SHA-256 where it
    is not `kept`. `begun` is called when there is enough to begin with. `FetchError` when it cannot be had."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise FetchError("no address")
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode("ascii")
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(PATIENCE):
            _, fetching = await loop.create_connection(
                lambda: _Fetching(request, known, begun, kept=kept), parts.hostname, parts.port or 80
            )
            try:
                return await fetching.done
            finally:
                fetching.done.cancel()
                fetching.close()
    except (OSError, TimeoutError) as problem:
        raise FetchError(type(problem).__name__) from problem
