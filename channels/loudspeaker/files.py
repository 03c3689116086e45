"""Sound files for terminals to fetch: a small HTTP server of our own, whose addresses nobody can guess.

It is the driver's and not the house's web: the file lies where the driver runs, terminals are often on a network that
reaches no console, and what serves ten thousand of them must not wait behind pages.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from broadcaster.parting import closed, parted
from broadcaster.ports import Audio
from channels.listening.visitors import Network, expected

KEPT = 64
"""Files that are served at a time; beyond, the oldest is forgotten. A broadcast has about 200 KB."""

LARGEST = 64 * 1024 * 1024
"""Octets of a file."""

LONGEST_REQUEST = 8 * 1024
"""Octets of a request with its headers."""

PATIENCE = 15.0
"""Seconds for a request to come whole, and without progress in taking the answer."""

MOST = 20_000
"""Connections at a time."""

PIECE = 64 * 1024
MP3 = "audio/mpeg"
_REQUEST = re.compile(rb"(GET|HEAD) (\S{1,2000}) HTTP/1\.[01]\r\n")
_RANGE = re.compile(rb"\r\n[Rr]ange: *bytes=(\d{1,12})-(\d{0,12}) *\r\n")


@dataclass(frozen=True, slots=True)
class Served:
    """A file's content."""

    content: bytes
    media_type: str


class FileServer:
    """Serves what `offer` was given, from memory, at `<base>/<unguessable>.mp3`."""

    def __init__(self, host: str, port: int, base: str, allowed: Sequence[Network] = ()) -> None:
        self._host, self._port = host, port
        self._base = base.rstrip("/")
        self._allowed = allowed
        self._server: asyncio.Server | None = None
        self._files: OrderedDict[str, Served] = OrderedDict()
        self._names: dict[str, str] = {}
        self._visits: set[_Visit] = set()
        self._looking: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        """Listen; raises OSError."""
        self._server = await asyncio.get_running_loop().create_server(self._visit, self._host, self._port, backlog=4096)
        self._look_after()

    async def close(self) -> None:
        """Stop at once; what was offered is offered again after `open`."""
        server, self._server = self._server, None
        if self._looking is not None:
            self._looking.cancel()
        if server is not None:
            await closed(server)
        for visit in list(self._visits):
            visit.end()
        await parted(self._visits)

    async def offer(self, audio: Audio) -> str:
        """The URL of a file, the same as long as it is kept; raises OSError when it cannot be read."""
        name = self._names.get(audio.sha256)
        if name is None:
            content = await asyncio.to_thread(_content, audio)
            name = self._names.get(audio.sha256) or self._keep(audio, content)
        self._files.move_to_end(name)
        return f"{self._base}{name}"

    def _keep(self, audio: Audio, content: bytes) -> str:
        name = self._names[audio.sha256] = f"/{secrets.token_urlsafe(18)}.mp3"
        self._files[name] = Served(content, audio.media_type)
        while len(self._files) > KEPT:
            oldest, _ = self._files.popitem(last=False)
            self._names = {sha256: kept for sha256, kept in self._names.items() if kept != oldest}
        return name

    def find(self, path: str) -> Served | None:
        """The file behind a path, whatever prefix a proxy left before its name."""
        return self._files.get("/" + path.rpartition("/")[2])

    def arrived(self, visit: _Visit, address: str) -> bool:
        """Whether a visitor may ask."""
        self._visits.add(visit)
        return self._server is not None and len(self._visits) <= MOST and expected(address, self._allowed)

    def left(self, visit: _Visit) -> None:
        self._visits.discard(visit)

    def _visit(self) -> _Visit:
        return _Visit(self)

    def _look_after(self) -> None:
        """End what makes no progress: one look for all of them."""
        loop = asyncio.get_running_loop()
        long_ago = loop.time() - PATIENCE
        for visit in [one for one in self._visits if one.moved < long_ago]:
            visit.end()
        self._looking = loop.call_later(PATIENCE / 4, self._look_after)


class _Visit(asyncio.Protocol):
    """One connection: requests one after the other. `moved` is when it last came further."""

    def __init__(self, server: FileServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._asked = bytearray()
        self._left: memoryview | None = None
        self._writable = True
        self._pouring: asyncio.Handle | None = None
        self._last = False
        self.moved = self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("HTTP needs a stream.")
        transport.set_write_buffer_limits(high=PIECE)
        self._transport = transport
        peer = transport.get_extra_info("peername")
        if not self._server.arrived(self, str(peer[0]) if peer else ""):
            self.end()

    def connection_lost(self, problem: Exception | None) -> None:  # noqa: ARG002 (however it ended)
        self._left = None
        self._server.left(self)

    def data_received(self, data: bytes) -> None:
        self._asked += data
        if len(self._asked) > LONGEST_REQUEST:
            self.end()
            return
        self._serve()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self.moved = self._loop.time()
        self._pour()

    def end(self) -> None:
        """Break it off."""
        self._left = None
        if self._transport is not None:
            self._transport.abort()

    def _serve(self) -> None:
        """Answer the next request, when it is whole and the answer before it is out."""
        while self._left is None and (end := self._asked.find(b"\r\n\r\n")) >= 0 and not self._last:
            request = bytes(self._asked[: end + 4])
            del self._asked[: end + 4]
            self.moved = self._loop.time()
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        found = _REQUEST.match(request)
        if found is None:
            self._last = True
            self._head("400 Bad Request", 0)
            return
        self._last = b"HTTP/1.0\r\n" in found[0] or b"\r\nconnection: close" in request.lower()
        file = self._server.find(found[2].partition(b"?")[0].decode("latin-1"))
        if file is None:
            self._head("404 Not Found", 0)
            return
        self._give(file, _RANGE.search(request), whole=found[1] == b"GET")

    def _give(self, file: Served, wanted: re.Match[bytes] | None, *, whole: bool) -> None:
        size = len(file.content)
        first, last = 0, size - 1
        if wanted is not None:
            first = int(wanted[1])
            last = min(last, int(wanted[2])) if wanted[2] else last
            if first > last:
                self._head("416 Range Not Satisfiable", 0, f"Content-Range: bytes */{size}")
                return
            span = f"Content-Range: bytes {first}-{last}/{size}"
            self._head("206 Partial Content", last + 1 - first, f"Content-Type: {file.media_type}", span)
        else:
            self._head("200 OK", size, f"Content-Type: {file.media_type}", "Accept-Ranges: bytes")
        if whole:
            self._left = memoryview(file.content)[first : last + 1]
            self._pour()
        else:
            self._done()

    def _head(self, status: str, length: int, *headers: str) -> None:
        parting = ("Connection: close",) if self._last else ()
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {length}", "Cache-Control: no-store", *headers, *parting]
        if self._transport is not None:
            self._transport.write(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))
        if not length:
            self._done()

    def _pour(self) -> None:
        """Write a piece of the file, if the line takes it, and the next when all others have had theirs: terminals
        begin with the first seconds, and a thousand of them fetch at once. A slow visitor costs a piece, not a copy."""
        if self._pouring is not None:
            self._pouring.cancel()
            self._pouring = None
        if self._left is None or not self._writable or self._transport is None:
            return
        piece, self._left = self._left[:PIECE], self._left[PIECE:]
        if not self._left:
            self._left = None
        self._transport.write(piece)
        if self._left is None:
            self._done()
        elif self._writable:
            self._pouring = self._loop.call_soon(self._pour)

    def _done(self) -> None:
        if self._last and self._transport is not None:
            self._transport.close()
        else:
            self._loop.call_soon(self._serve)


def _content(audio: Audio) -> bytes:
    with audio.path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(f"more than {LARGEST} octets")
    return content
