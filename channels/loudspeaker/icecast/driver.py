"""The driver for Icecast: the MP3 as it is, in real time, as the source of a mount.

| what happened | outcome |
|---|---|
| the server lets us be the source | Accepted |
| another source has the mount (403), and we may not end its stream | Deferred 5 s |
| a wrong password (401), no room, whatever else is said | Deferred 30 s |
| no connection, no answer, nonsense before the sound began | Deferred 5 s |
| the connection is lost while it sounds | it is connected again, and goes on where the time is |
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from broadcaster.errors import UnavailableError
from broadcaster.ports import (
    Audio,
    Deferred,
    Driver,
    Envelope,
    GatewaySettings,
    Inbox,
    Journal,
    Medium,
    Outcome,
    Rejected,
)
from channels.loudspeaker.files import MP3
from channels.loudspeaker.icecast.settings import IcecastOptions
from channels.loudspeaker.icecast.source import CONTINUE, OK, Server
from channels.loudspeaker.live.answer import Answer
from channels.loudspeaker.live.driver import LiveDriver
from channels.loudspeaker.live.outlets import Broadcast
from channels.loudspeaker.live.pacing import Pacer
from channels.redaction import redacted

BUSY_AFTER, AGAIN_AFTER, UNFIT_AFTER = 5.0, 5.0, 30.0
RECONNECT = 1.0
"""Seconds until a lost connection is made again."""

PATIENT, LEAVING = 6, 0.3
"""How often a mount is asked for that another source has, and seconds between: it may just be leaving."""

STUCK = 5.0
"""Seconds that a server may take nothing."""

PIECE = 0.1
"""Seconds of sound that are written at a time."""

FORBIDDEN = 403
_MOUNT = re.compile(r"(?!/admin/)(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


class IcecastDriver(LiveDriver):
    """The addresses are mounts. Accepted means that the server has the stream: who listens, it does not say."""

    def __init__(self, options: IcecastOptions, journal: Journal) -> None:
        super().__init__(journal, window=options.window, finish_within=options.finish_within)
        self._options = options
        self._server = Server(options)

    async def connect(self, inbox: Inbox) -> None:  # noqa: ARG002 (nothing comes back)
        options = self._options
        try:
            await self._server.greet()
        except OSError as problem:
            raise UnavailableError(
                f"Icecast 服务器 {options.host}:{options.port} 没有应答：{str(problem) or '超时'}。",
                remedy="请检查地址、端口，以及服务器是否在运行。",
            ) from problem
        self.journal.note("←", "the server answers")

    async def disconnect(self) -> None:
        """Nothing is connected while nothing sounds."""

    def unfit(self, address: str) -> str:
        return "" if _MOUNT.fullmatch(address) else "地址不是挂载点，应写作 /village-3.mp3"

    async def play(self, envelope: Envelope, audio: Audio, broadcast: Broadcast) -> Outcome | None:
        key = envelope.key
        if audio.media_type != MP3:
            return Rejected(key, f"Icecast 只播 MP3，不播 {audio.media_type}")
        try:
            content = await asyncio.to_thread(audio.path.read_bytes)
        except OSError as problem:
            return Rejected(key, f"音频文件读不出：{problem.strerror}")
        stream = _Stream(content, audio.seconds, self._options.ahead)
        notice, refusals = envelope.message.notice, 0
        while not (stream.over or broadcast.missed):
            try:
                answer = await self._source(envelope.address, stream, notice.title if notice else "", broadcast)
            except OSError as problem:
                why = str(problem) or "超时"
                self.journal.note("!", f"a stream broke off: {redacted(why)}")
                if not broadcast.begun.done():
                    return Deferred(key, f"Icecast 没有应答：{redacted(why)}", AGAIN_AFTER)
                await asyncio.sleep(RECONNECT)
                continue
            if answer is None:
                break
            refusals += answer.status == FORBIDDEN
            if answer.status == FORBIDDEN and refusals < PATIENT:  # the source before us may just be leaving
                if refusals == 1 and self._options.admin_password:
                    await self._oust(envelope.address)
                await asyncio.sleep(LEAVING)
            elif not broadcast.begun.done():
                return _refused(envelope, answer)
            else:
                await asyncio.sleep(RECONNECT)
        return None

    async def _source(self, mount: str, stream: _Stream, title: str, broadcast: Broadcast) -> Answer | None:
        """Be the source of `mount` until the stream is over; the answer, when the server does not want us."""
        async with self._server.source(mount) as (answer, writer):
            if answer.status not in (CONTINUE, OK):
                return answer
            first = asyncio.create_task(self._entitle(mount, title)) if title else None
            try:
                await stream.pour(writer, broadcast)
            finally:
                if first is not None:
                    first.cancel()
        return None

    async def _entitle(self, mount: str, title: str) -> None:
        try:
            answer = await self._server.entitle(mount, title)
        except OSError as problem:
            self.journal.note("!", f"no title could be given: {redacted(str(problem))}")
            return
        if answer.status != OK:
            self.journal.note("!", f"no title could be given: {answer.status}")

    async def _oust(self, mount: str) -> None:
        try:
            answer = await self._server.oust(mount)
        except OSError as problem:
            self.journal.note("!", f"another source could not be ended: {redacted(str(problem))}")
            return
        self.journal.note("→", f"the source that had a mount was ended: {answer.status}")


class _Stream:
    """A file on its way: pieces at their time, also over several connections."""

    def __init__(self, content: bytes, seconds: float, ahead: float) -> None:
        self._content = content
        self._size = max(1, int(len(content) / seconds * PIECE))
        self._pacer: Pacer | None = None
        self._ahead = ahead
        self._at = 0

    @property
    def over(self) -> bool:
        return self._at >= len(self._content)

    async def pour(self, writer: asyncio.StreamWriter, broadcast: Broadcast) -> None:
        """Write what is left. What could not be written in time is skipped; a server that takes nothing for long is
        given up."""
        if self._pacer is None:
            self._pacer = Pacer(PIECE, ahead=self._ahead)
        else:
            self._at += self._pacer.skipped() * self._size
        while not self.over:
            await self._pacer.turn()
            writer.write(self._content[self._at : self._at + self._size])
            async with asyncio.timeout(STUCK):
                await writer.drain()
            self._at += self._size
            broadcast.sounds()
        await self._pacer.rest()


def _refused(envelope: Envelope, answer: Answer) -> Outcome:
    why = f"Icecast 拒绝（{answer.status}）：{redacted(answer.reason) or '没有说明'}"
    if answer.status == FORBIDDEN:
        return Deferred(envelope.key, why, BUSY_AFTER, address_only=True)
    return Deferred(envelope.key, why, UNFIT_AFTER)


@dataclass(frozen=True, slots=True)
class IcecastPlugin:
    """What the entry point names."""

    name: str = "icecast"
    channel: Medium = Medium.LOUDSPEAKER

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """A driver; raises `SettingsError` when the gateway's options are wrong."""
        return IcecastDriver(IcecastOptions.read(gateway), journal)
