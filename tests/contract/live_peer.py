"""What the drivers of plain audio lines speak to, as peers of the contract kit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count

from broadcaster.ports import Audio, GatewaySettings, Medium, Message
from broadcaster.testing import Mood
from tests.harness.audio_server import AudioServer
from tests.harness.camera import CameraServer
from tests.harness.ports import free_port
from tests.harness.stream_server import StreamServer

BRIEF: dict[str, object] = {"window": 4, "finish_within": 5}


@dataclass(frozen=True, eq=False)
class Line:
    """A driver, what plays the other end, how that is addressed, and an option that leads nowhere."""

    driver: str
    server: Callable[[], AudioServer]
    address: Callable[[AudioServer, int], str]
    options: Callable[[AudioServer], dict[str, object]]
    bad_address: str
    nowhere: Callable[[], dict[str, object]]
    moods: frozenset[Mood]

    def __str__(self) -> str:
        return self.driver


class Deaf(AudioServer):
    """RTP needs nobody who listens."""

    async def serve(self, reader: object, writer: object) -> None:
        raise NotImplementedError


PATIENT: dict[str, object] = {"connect_timeout": 2, "answer_timeout": 1}
PUTS_OFF = frozenset({Mood.WILLING, Mood.SLOW, Mood.THROTTLING})
"""Nothing sounds before the other end has agreed: cut, silent or babbling before that, it is put off and never in
doubt, which the drivers' own tests show."""

RTP = Line(
    "rtp_multicast",
    Deaf,
    lambda _, number: f"127.0.0.1:{20_000 + number}",
    lambda _: {"interface": "127.0.0.1"},
    "239.1.2.3",
    lambda: {"interface": "192.0.2.1"},
    frozenset({Mood.WILLING}),
)
ICECAST = Line(
    "icecast",
    StreamServer,
    lambda _, number: f"/village-{number}.mp3",
    lambda server: {"host": "127.0.0.1", "port": server.port, "password": "word", "ahead": 0, **PATIENT},
    "no mount",
    lambda: {"port": free_port()},
    PUTS_OFF,
)
ONVIF = Line(
    "onvif_backchannel",
    CameraServer,
    lambda server, number: f"rtsp://127.0.0.1:{server.port}/onvif/media?{number}",
    lambda _: PATIENT,
    "http://192.0.2.1/",
    dict,
    PUTS_OFF,
)
LINES = (RTP, ICECAST, ONVIF)


class LivePeer:
    """Every address is used once: what sounds there is still sounding when the next message comes."""

    def __init__(self, line: Line, server: AudioServer, audio: Audio) -> None:
        self._line = line
        self._server = server
        self._numbers = count(1)
        options = {**BRIEF, **line.options(server)}
        self.gateway = GatewaySettings(line.driver, Medium.LOUDSPEAKER, line.driver, rate=100, options=options)
        self.nowhere = replace(self.gateway, options={**options, **line.nowhere()})
        self.moods = line.moods
        self.patience = 30.0
        self.message = Message("【演练】台风红色预警，请立即转移。", audio=audio)
        self.bad_address = line.bad_address

    def addresses(self, count: int) -> Sequence[str]:
        return [self._line.address(self._server, next(self._numbers)) for _ in range(count)]

    async def play(self, mood: Mood) -> None:
        self._server.mood = mood

    async def taken(self) -> Sequence[str]:
        return ["" for _ in self._server.taken]

    async def unacknowledged(self) -> int:
        return 0

    async def say(self, address: str, text: str) -> str:
        raise NotImplementedError

    async def hang_up(self) -> None:
        raise NotImplementedError
