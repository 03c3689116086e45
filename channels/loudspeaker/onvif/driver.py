"""The driver for cameras with a loudspeaker: a session for each broadcast, G.711 over the RTSP connection.

| what happened | outcome |
|---|---|
| the camera plays | Accepted |
| no backchannel (551, or no stream of ours in its description), no such path (404, 454, 459, 461) | Rejected |
| wrong name or password (401, 403) | Rejected: it is this camera's matter |
| no connection, no answer, nonsense, whatever else is said (453, 503: it is busy) | Deferred 5 s |
| the connection is lost while it sounds | it is connected again, and goes on where the time is |
"""

from __future__ import annotations

import asyncio
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
from channels.loudspeaker.live.driver import LiveDriver
from channels.loudspeaker.live.g711 import PERIOD
from channels.loudspeaker.live.outlets import Broadcast
from channels.loudspeaker.live.pacing import Pacer
from channels.loudspeaker.live.rtp import Source
from channels.loudspeaker.onvif.session import RefusedError, Session
from channels.loudspeaker.onvif.settings import Camera, OnvifOptions, camera
from channels.redaction import redacted
from channels.speech.track import Track, load

AGAIN_AFTER = 5.0
RECONNECT = 1.0
"""Seconds until a lost connection is made again."""

NEVER = frozenset({0, 401, 403, 404, 454, 459, 461, 551})
"""Answers that will be the same next time; 0: the camera has nothing that we can speak to."""


class OnvifDriver(LiveDriver):
    """The addresses are the cameras' RTSP URLs. Accepted means that the camera takes the sound."""

    def __init__(self, options: OnvifOptions, journal: Journal) -> None:
        super().__init__(journal, window=options.window, finish_within=options.finish_within)
        self._options = options

    async def connect(self, inbox: Inbox) -> None:  # noqa: ARG002 (nothing comes back)
        self.journal.note("→", "ready; cameras are connected to when something is to sound")

    async def disconnect(self) -> None:
        """Nothing is connected while nothing sounds."""

    def unfit(self, address: str) -> str:
        try:
            camera(address)
        except ValueError:
            return "地址不是摄像机，应写作 rtsp://10.1.2.3:554/路径，不含用户名和口令"
        return ""

    async def play(self, envelope: Envelope, audio: Audio, broadcast: Broadcast) -> Outcome | None:
        place, progress = camera(envelope.address), _Progress()
        while not (progress.over or broadcast.missed):
            try:
                await self._session(place, audio, broadcast, progress)
            except UnavailableError as problem:
                return Deferred(envelope.key, problem.what, AGAIN_AFTER, address_only=True)
            except OSError as problem:
                why = redacted(str(problem) or "超时")
                self.journal.note("!", f"a camera: {why}")
                if not broadcast.begun.done():
                    return _not_begun(envelope, problem, why)
                await asyncio.sleep(RECONNECT)
        return None

    async def _session(self, place: Camera, audio: Audio, broadcast: Broadcast, progress: _Progress) -> None:
        session = Session(place, self._options)
        staying: asyncio.Task[None] | None = None
        try:
            found = await session.prepare()
            track = await load(audio, found.line)
            staying = asyncio.create_task(session.stay())
            await _pour(session, track, Source(found.line, payload_type=found.payload_type), broadcast, progress)
        finally:
            if staying is not None:
                staying.cancel()
                await asyncio.gather(staying, return_exceptions=True)
            await session.leave()


class _Progress:
    """How far a sound has come, over several sessions."""

    def __init__(self) -> None:
        self.pacer: Pacer | None = None
        self.frame = 0
        self.over = False


async def _pour(session: Session, track: Track, source: Source, broadcast: Broadcast, progress: _Progress) -> None:
    """Send what is left, each packet at its time; what has missed it is skipped."""
    if progress.pacer is None:
        progress.pacer = Pacer(PERIOD)
    else:
        progress.frame += progress.pacer.skipped()
    source.begin()
    while progress.frame < len(track):
        await progress.pacer.turn()
        await session.packet(source.packet(track[progress.frame]))
        progress.frame += 1
        broadcast.sounds()
    await progress.pacer.rest()
    progress.over = True


def _not_begun(envelope: Envelope, problem: OSError, why: str) -> Outcome:
    if isinstance(problem, RefusedError) and problem.status in NEVER:
        return Rejected(envelope.key, f"摄像机不能播发：{why}")
    return Deferred(envelope.key, f"摄像机没有接通：{why}", AGAIN_AFTER, address_only=True)


@dataclass(frozen=True, slots=True)
class OnvifPlugin:
    """What the entry point names."""

    name: str = "onvif_backchannel"
    channel: Medium = Medium.LOUDSPEAKER

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """A driver; raises `SettingsError` when the gateway's options are wrong."""
        return OnvifDriver(OnvifOptions.read(gateway), journal)
