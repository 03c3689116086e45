"""The adapter: monitors come to our port, their data is stored, then answered with 9014."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from adapters.door import DoorOptions, read_options, serve
from adapters.hj212 import values
from adapters.hj212.packet import Framer, Packet, answer
from broadcaster.ports import Journal
from broadcaster.sensing import LONGEST_CODE, Sensor, SensorSettings, Sink

MOST_MESSAGES = 200
"""Messages in several packets of one connection whose time is remembered."""


class Hj212Options(DoorOptions, frozen=True, kw_only=True):
    """`password`: what PW must be, "" for any. `elements`: further codes of pollutants and what they are here."""

    password: str = ""
    elements: dict[
        Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]{0,20}$", description="污染物编码，如 w01018")],
        Annotated[
            str, Meta(pattern=r"^[a-z][a-z0-9_]{0,22}$", description="要素名：小写字母开头，只含小写字母、数字和 _")
        ],
    ] = msgspec.field(default_factory=dict)


class Hj212Sensor:
    """Listens on one port."""

    def __init__(self, settings: SensorSettings, journal: Journal) -> None:
        self._options = read_options(settings, Hj212Options, "port")
        self._at = self._options.threshold(settings)
        self._elements = {**values.ELEMENTS, **self._options.elements}
        self._journal = journal

    async def run(self, sink: Sink) -> None:
        await serve(self._at, lambda: Talk(self._options, self._elements, sink, self._journal), self._journal)


class Talk:
    """What one connection says."""

    def __init__(self, options: Hj212Options, elements: Mapping[str, str], sink: Sink, journal: Journal) -> None:
        self._options = options
        self._elements = elements
        self._sink = sink
        self._journal = journal
        self._framer = Framer()
        self._times: OrderedDict[tuple[str, str, str], datetime] = OrderedDict()

    async def hear(self, data: bytes) -> AsyncIterator[bytes]:
        for packet in self._framer.feed(data):
            if (said := await self._hear(packet)) is not None:
                yield said
        if self._framer.spoilt:
            self._journal.note("!", f"{self._framer.spoilt} beginnings of packets that were none")

    async def _hear(self, packet: Packet) -> bytes | None:
        """Store what it says; the answer, where one is wanted."""
        station = packet.station
        if not 0 < len(station) <= LONGEST_CODE or not (station.isascii() and station.isalnum()):
            self._journal.note("!", "a packet without a usable MN")
            return None
        wanted = self._options.password
        if wanted and not hmac.compare_digest(packet.head.get("PW", "").encode(), wanted.encode()):
            self._journal.note("!", f"station {station}: wrong password")
            return None
        if packet.command in values.COMMANDS:
            at = self._time(packet)
            if at is None:  # without an answer its first packet is sent again, and this one with it
                self._journal.note("!", f"station {station}, CN {packet.command}: a part before the first")
                return None
            found = list(values.readings(packet.command, packet.parameters, station, self._elements, at))
            self._journal.note("←", f"station {station}, CN {packet.command}: {len(found)}")
            await self._sink.keep(found)
        return answer(packet) if packet.flag & 1 else None

    def _time(self, packet: Packet) -> datetime | None:
        """When it was measured. Of several packets of one message the first may alone say so; a message that does not
        say it at all is of now."""
        own = values.moment(packet.parameters)
        if not packet.flag & 2 or packet.place[0] <= 1:
            return own or datetime.now(UTC)
        key = (packet.station, packet.command, packet.head.get("QN", ""))
        if own is not None:
            self._times[key] = own
            if len(self._times) > MOST_MESSAGES:
                self._times.popitem(last=False)
            return own
        return self._times.get(key)


class Hj212Plugin:
    """What the entry point names."""

    kind = "hj212"

    def sensor(self, settings: SensorSettings, journal: Journal) -> Sensor:
        return Hj212Sensor(settings, journal)


plugin = Hj212Plugin()
