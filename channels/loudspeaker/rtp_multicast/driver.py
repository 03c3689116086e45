"""The driver for RTP multicast: packets of 20 ms on one socket, each group at its own pace."""

from __future__ import annotations

import socket
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
)
from channels.listening.sparing import Sparing
from channels.loudspeaker.live.driver import LiveDriver
from channels.loudspeaker.live.g711 import PERIOD
from channels.loudspeaker.live.outlets import Broadcast
from channels.loudspeaker.live.pacing import Pacer
from channels.loudspeaker.live.rtp import Source
from channels.loudspeaker.rtp_multicast.settings import RtpOptions, group
from channels.speech.track import load

RETRY_AFTER = 5.0
MOST_SOURCES = 1000


class RtpDriver(LiveDriver):
    """The addresses are groups with their port. Accepted means that it sounds: there is no receipt."""

    def __init__(self, options: RtpOptions, journal: Journal) -> None:
        super().__init__(journal, window=options.window, finish_within=options.finish_within)
        self._options = options
        self._sources: dict[tuple[str, int], Source] = {}
        self._faults = Sparing("!")
        self._socket: socket.socket | None = None

    async def connect(self, inbox: Inbox) -> None:  # noqa: ARG002 (nothing comes back)
        options = self._options
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            made.setblocking(False)
            made.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, options.dscp << 2)
            made.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, options.ttl)
            made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, options.ttl)
            if options.interface:
                made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(options.interface))
            made.bind((options.interface, 0))
        except OSError as problem:
            made.close()
            raise UnavailableError(
                f"组播网关不能从 {options.interface or '本机'} 发送：{problem.strerror or problem}。",
                remedy="interface 应为本机接到广播网的那个地址。",
            ) from problem
        self._socket = made
        self.journal.note("→", f"sending as {options.codec}, TTL {options.ttl}, DSCP {options.dscp}")

    async def disconnect(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def unfit(self, address: str) -> str:
        try:
            group(address)
        except ValueError:
            return "地址不是组播组，应写作 239.255.0.1:5004"
        return ""

    async def play(self, envelope: Envelope, audio: Audio, broadcast: Broadcast) -> Outcome | None:
        to = group(envelope.address)
        try:
            track = await load(audio, self._options.line)
        except UnavailableError as problem:
            return Deferred(envelope.key, problem.what, RETRY_AFTER, address_only=True)
        source, pacer = self._source(to), Pacer(PERIOD)
        source.begin()
        for number, frame in enumerate(track):
            await pacer.turn()
            why = self._write(source.packet(frame), to)
            if number == 0 and why:
                return Deferred(envelope.key, why, RETRY_AFTER)
            broadcast.sounds()
        await pacer.rest()
        return None

    def _source(self, to: tuple[str, int]) -> Source:
        if to not in self._sources:
            if len(self._sources) >= MOST_SOURCES:
                del self._sources[next(iter(self._sources))]
            self._sources[to] = Source(self._options.line)
        return self._sources[to]

    def _write(self, packet: bytes, to: tuple[str, int]) -> str:
        """Send a packet; why it could not be. One that is lost is 20 ms of silence, and no reason to stop."""
        if self._socket is None:
            return "线路已关闭"
        try:
            self._socket.sendto(packet, to)
        except OSError as problem:
            self._faults.note(self.journal, f"a packet could not be sent: {problem.strerror or problem}")
            return f"发不出去：{problem.strerror or problem}"
        return ""


@dataclass(frozen=True, slots=True)
class RtpPlugin:
    """What the entry point names."""

    name: str = "rtp_multicast"
    channel: Medium = Medium.LOUDSPEAKER

    def build(self, gateway: GatewaySettings, journal: Journal) -> Driver:
        """A driver; raises `SettingsError` when the gateway's options are wrong."""
        return RtpDriver(RtpOptions.read(gateway), journal)
