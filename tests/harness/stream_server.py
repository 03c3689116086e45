"""Our own Icecast, as far as a source meets it, in all moods; the real one has only one."""

from __future__ import annotations

import asyncio

from broadcaster.testing import Mood
from tests.harness.audio_server import AudioServer


class StreamServer(AudioServer):
    """`heard` is what came on each mount, `titles` what it was called."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: dict[str, bytearray] = {}
        self.titles: list[str] = []
        self.cut_after = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        verb, path, _ = head.split(" ", 2)
        if verb == "GET":
            if path.startswith("/admin/metadata"):
                self.titles.append(path)
            writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
            return
        if verb != "PUT":  # a stranger, who had this port before us, is looked for here
            writer.write(b"HTTP/1.0 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            return
        if not await self.moody(writer):
            return
        if self.mood is Mood.THROTTLING:
            writer.write(b"HTTP/1.0 403 Mountpoint in use\r\n\r\n")
            return
        self.taken.append(path)
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        stream = self.heard.setdefault(path, bytearray())
        while data := await reader.read(65536):
            stream += data
            if self.cut_after and len(stream) >= self.cut_after:
                self.cut_after = 0
                writer.transport.abort()
                return
