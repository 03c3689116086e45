"""The adapter: stations come to our port, their reports are stored, then confirmed."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from adapters.door import DoorOptions, read_options, serve
from adapters.sl651 import text
from adapters.sl651.frame import ACK, EOT, ESC, Frame, Framer, Function, answer
from broadcaster.clock import BEIJING
from broadcaster.ports import Journal
from broadcaster.sensing import Sensor, SensorSettings, Sink

MOST_PARTS = 64
"""Frames of one message; pictures of more are not what we are here for."""

MOST_OCTETS = 64 * 1024
"""Of the parts of unfinished messages of one conversation, each counted with what it costs to keep."""

_COST = 16

_ENDS = {"eot": EOT, "ack": ACK, "esc": ESC}


class Sl651Options(DoorOptions, frozen=True, kw_only=True):
    """`transports`: tcp, udp or both. `crc`: whether the CRC's high octet comes first (big) or last. `code`: a
    station's code in the register is all ten digits (full), or what follows a leading 00 (eight). `password`: four
    hexadecimal digits that a frame must carry, "" for any. `confirm`: the closing sign of confirmations.
    `heartbeats`: whether they are confirmed. `seconds`: stations report more than once a minute, so that what is sent
    in the minute of its observation counts for the second of its sending. `elements`: further identifiers (hex) and
    what they are here."""

    transports: tuple[Literal["tcp", "udp"], ...] = ("tcp", "udp")
    crc: Literal["big", "little"] = "big"
    code: Literal["eight", "full"] = "eight"
    password: Annotated[str, Meta(pattern=r"^([0-9A-Fa-f]{4})?$", description="4 位十六进制数")] = ""
    confirm: Literal["eot", "ack", "esc"] = "eot"
    heartbeats: bool = False
    seconds: bool = False
    elements: dict[
        Annotated[str, Meta(pattern=r"^(FF)?[0-9A-F]{2}$", description="要素标识符：两位十六进制数，或 FF 加两位")],
        Annotated[
            str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$", description="要素名：小写字母开头，只含小写字母、数字和 _")
        ],
    ] = msgspec.field(default_factory=dict)


class Sl651Sensor:
    """Listens on one port."""

    def __init__(self, settings: SensorSettings, journal: Journal) -> None:
        self._options = read_options(settings, Sl651Options, "port")
        self._at = self._options.threshold(settings, tuple(dict.fromkeys(self._options.transports)))
        self._elements = {**text.ELEMENTS, **self._options.elements}
        self._journal = journal

    async def run(self, sink: Sink) -> None:
        await serve(self._at, lambda: Talk(self._options, self._elements, sink, self._journal), self._journal)


class Talk:
    """What one connection, or one address, says."""

    def __init__(self, options: Sl651Options, elements: Mapping[str, str], sink: Sink, journal: Journal) -> None:
        self._options = options
        self._elements = elements
        self._sink = sink
        self._journal = journal
        self._framer = Framer(options.crc)
        self._parts: dict[tuple[str, int], dict[int, bytes]] = {}

    async def hear(self, data: bytes) -> AsyncIterator[bytes]:
        for frame in self._framer.feed(data):
            if (said := await self._hear(frame)) is not None:
                yield said
        if self._framer.spoilt:
            self._journal.note("!", f"{self._framer.spoilt} beginnings of frames that were none")

    async def _hear(self, frame: Frame) -> bytes | None:
        """Store what it says; the confirmation, where there is one."""
        options = self._options
        wanted = options.password.lower()
        if wanted and not hmac.compare_digest(frame.password.hex(), wanted):
            self._journal.note("!", f"station {self._code(frame)}: wrong password")
            return None
        whole = self._whole(frame)
        if whole is None:
            return None
        try:
            said = text.read(frame.function, whole, self._code(frame), self._elements, seconds=options.seconds)
        except text.TextError as error:
            self._journal.note("!", f"station {self._code(frame)}, function {frame.function:02X}: {error}")
            return None
        self._journal.note("←", f"station {self._code(frame)}, function {frame.function:02X}: {len(said.readings)}")
        if said.readings:
            await self._sink.keep(said.readings)
        if frame.function == Function.HEARTBEAT and not options.heartbeats:
            return None
        now = datetime.now(UTC).astimezone(BEIJING)
        time = bytes.fromhex(f"{now:%y%m%d%H%M%S}")
        return answer(frame, said.serial, time, _ENDS[options.confirm], options.crc)

    def _whole(self, frame: Frame) -> bytes | None:
        """The message's text, with its last part; None while parts are missing."""
        if frame.total == 1:
            return frame.text
        key = (frame.station, frame.function)
        parts = self._parts.setdefault(key, {})
        if frame.number == 1:
            parts.clear()
        parts[frame.number] = frame.text
        held = sum(len(part) + _COST for one in self._parts.values() for part in one.values())
        if frame.total > MOST_PARTS or held > MOST_OCTETS:
            self._parts.clear()
            self._journal.note("!", f"station {self._code(frame)}: a message of too many parts")
            return None
        if len(parts) < frame.total or parts.keys() != set(range(1, frame.total + 1)):
            return None
        del self._parts[key]
        return b"".join(parts[number] for number in sorted(parts))

    def _code(self, frame: Frame) -> str:
        code = frame.station.upper()
        return code.removeprefix("00") if self._options.code == "eight" else code


class Sl651Plugin:
    """What the entry point names."""

    kind = "sl651"

    def sensor(self, settings: SensorSettings, journal: Journal) -> Sensor:
        return Sl651Sensor(settings, journal)


plugin = Sl651Plugin()
