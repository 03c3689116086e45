"""One RTSP connection (RFC 2326) to a camera: requests and their answers, and packets between them on the same line."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping
from typing import NamedTuple

from channels.loudspeaker.live.answer import LONGEST, Answer, NonsenseError, parse, read_head
from channels.loudspeaker.onvif.description import Backchannel, backchannel, joined
from channels.loudspeaker.onvif.proof import Proof
from channels.loudspeaker.onvif.settings import Camera, OnvifOptions

FEATURE = "www.onvif.org/ver20/backchannel"
OK, UNAUTHORIZED = 200, 401
LONGEST_BODY = 64 * 1024
MOST_SKIPPED = 10_000
"""Packets of the camera's between two answers."""

MAGIC = 0x24
SESSION_TIMEOUT = 60.0
STUCK = 5.0
_TIMEOUT = re.compile(r";\s*timeout\s*=\s*(\d{1,5})")
_INTERLEAVED = re.compile(r"interleaved\s*=\s*(\d{1,3})")
_SESSION = re.compile(r"[!-:<-~]{1,200}")


class Said(NamedTuple):
    """An answer with its body."""

    answer: Answer
    body: bytes


class RefusedError(ConnectionError):
    """The camera answered, and not as we wished: `status` of the answer to `method`, 0 where it is not about one."""

    def __init__(self, method: str, status: int, reason: str) -> None:
        super().__init__(f"{method}: {status} {reason}" if status else reason)
        self.status = status


class Session:
    """Connected, and at the end of `prepare` ready to play. Every call may raise OSError."""

    def __init__(self, camera: Camera, options: OnvifOptions) -> None:
        self._camera = camera
        self._options = options
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._proof: Proof | None = None
        self._sequence = 0
        self._session = ""
        self._base = camera.url
        self._channel = 0
        self._asking = asyncio.Lock()
        self.keep_alive = SESSION_TIMEOUT / 2

    async def prepare(self) -> Backchannel:
        """Describe, choose, set up, play."""
        options, camera = self._options, self._camera
        async with asyncio.timeout(options.connect_timeout):
            self._reader, self._writer = await asyncio.open_connection(camera.host, camera.port, limit=LONGEST)
        said = await self._ask("DESCRIBE", camera.url, {"Accept": "application/sdp", "Require": FEATURE})
        found = backchannel(said.body)
        if found is None:
            raise RefusedError("DESCRIBE", 0, "摄像机没有 G.711 音频回传")
        self._base = said.answer.headers.get("content-base", "").strip() or camera.url
        transport = {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1", "Require": FEATURE}
        self._remember((await self._ask("SETUP", joined(self._base, found.control), transport)).answer)
        await self._ask("PLAY", self._base, {"Require": FEATURE, "Range": "npt=0.000-"})
        return found

    async def packet(self, packet: bytes) -> None:
        """Send an RTP packet."""
        writer = self._connected()[1]
        writer.write(bytes([MAGIC, self._channel]) + len(packet).to_bytes(2) + packet)
        async with asyncio.timeout(STUCK):
            await writer.drain()

    async def stay(self) -> None:
        """Keep the session alive, until cancelled."""
        while True:
            await asyncio.sleep(self.keep_alive)
            await self._ask("GET_PARAMETER", self._base, {})

    async def leave(self) -> None:
        """End the session in good order, and the connection; never raises."""
        writer, self._writer = self._writer, None
        reader, self._reader = self._reader, None
        if writer is None:
            return
        if self._session and reader is not None:
            self._reader, self._writer = reader, writer
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._ask("TEARDOWN", self._base, {})
            self._reader = self._writer = None
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await writer.wait_closed()

    async def _ask(self, method: str, url: str, headers: Mapping[str, str]) -> Said:
        """The good answer to a request; `RefusedError` otherwise."""
        async with self._asking:
            said = await self._exchange(method, url, headers)
            if said.answer.status == UNAUTHORIZED:
                challenge = said.answer.headers.get("www-authenticate", "")
                self._proof = Proof(challenge, self._options.user, self._options.password)
                if self._proof.possible:
                    said = await self._exchange(method, url, headers)
        if said.answer.status != OK:
            raise RefusedError(method, said.answer.status, said.answer.reason)
        return said

    async def _exchange(self, method: str, url: str, headers: Mapping[str, str]) -> Said:
        reader, writer = self._connected()
        self._sequence += 1
        given = {"CSeq": str(self._sequence), "User-Agent": "daohu", **headers}
        if self._session:
            given["Session"] = self._session
        if self._proof is not None and self._proof.possible:
            given["Authorization"] = self._proof.header(method, url)
        lines = [f"{method} {url} RTSP/1.0", *(f"{name}: {value}" for name, value in given.items())]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("utf-8"))
        async with asyncio.timeout(self._options.answer_timeout):
            for _ in range(MOST_SKIPPED):
                said = await read_said(reader)
                if said is not None and said.answer.headers.get("cseq", "").strip() == str(self._sequence):
                    return said
        raise NonsenseError("no answer among what it says")

    def _remember(self, answer: Answer) -> None:
        """What the answer to SETUP agrees on."""
        session, _, _ = answer.headers.get("session", "").partition(";")
        if not _SESSION.fullmatch(session.strip()):
            raise NonsenseError("no session")
        self._session = session.strip()
        if found := _TIMEOUT.search(answer.headers["session"]):
            self.keep_alive = max(1.0, int(found[1]) / 2)
        if found := _INTERLEAVED.search(answer.headers.get("transport", "")):
            self._channel = int(found[1]) & 0xFF

    def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None:
            raise ConnectionResetError("not connected")
        return self._reader, self._writer


async def read_said(reader: asyncio.StreamReader) -> Said | None:
    """The next thing that a camera says: an answer; None for a packet, or a request of its own."""
    try:
        first = await reader.readexactly(1)
        if first[0] == MAGIC:
            length = int.from_bytes((await reader.readexactly(3))[1:])
            await reader.readexactly(length)
            return None
        head = first + await read_head(reader)
    except asyncio.IncompleteReadError as problem:
        raise ConnectionResetError("closed by the camera") from problem
    if not head.startswith(b"RTSP/") and b" RTSP/1.0\r\n" in head:
        return None
    answer = parse(head)
    if answer.length > LONGEST_BODY:
        raise NonsenseError(f"a body of {answer.length} octets")
    try:
        return Said(answer, await reader.readexactly(answer.length))
    except asyncio.IncompleteReadError as problem:
        raise ConnectionResetError("closed by the camera") from problem
