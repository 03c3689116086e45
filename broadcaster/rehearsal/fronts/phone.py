"""A phone's ear and keypad: what it hears by RTP (RFC 3550), the keys it sends (RFC 4733). Written apart from the
driver."""

from __future__ import annotations

import asyncio
import hashlib
from array import array
from collections.abc import Callable

SAMPLES = 160
STEP = 0.02
QUIET = {8: bytes((0xD5, 0x55, 0xD4, 0x54)), 0: bytes((0xFF, 0x7F, 0xFE, 0x7E))}
"""What silence sounds like, and next to silence, by payload type."""

NOTHING = {8: b"\xd5" * SAMPLES, 0: b"\xff" * SAMPLES}
LULL = 65
"""Packets of silence after which whoever listens takes the message for over: 1.3 s, more than between its parts."""

KEYS = "0123456789*#ABCD"
VOLUME = 10
EVENT = 101
LOUD = 5


class Phone(asyncio.DatagramProtocol):
    """`lull` is called once, when after some speech nothing more is said."""

    def __init__(self, lull: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._lull = lull
        self._transport: asyncio.DatagramTransport | None = None
        self._hash = hashlib.sha256()
        self._held: list[bytes] = []
        self._next: int | None = None
        self._heard = 0
        self._quiet = 0
        self._last = 0.0
        self._odd = array("d")
        self._spoken = 0
        self._source = 0x5EED0000
        self._sequence = 1
        self._stamp = 1000
        self.missing = 0
        self.port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self.port = transport.get_extra_info("sockname")[1]
        self._source += self.port

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002
        kind = data[1] & 0x7F if len(data) == 12 + SAMPLES and data[0] == 0x80 else -1
        if kind not in QUIET:
            return
        now = self._loop.time()
        if self._last:
            self._odd.append(abs(now - self._last - STEP))
        self._last = now
        number = int.from_bytes(data[2:4], "big")
        if self._next is not None:
            gap = (number - self._next) & 0xFFFF
            if gap > 0x8000:
                return  # one that came before
            self.missing += gap
        self._next = (number + 1) & 0xFFFF
        self._take(data[12:], kind)

    @property
    def seconds(self) -> float:
        """What was heard, up to the last packet that was not silence."""
        return self._heard * STEP

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest() if self._heard else ""

    def unevenness(self) -> tuple[float, float, float]:
        """How far packets were from 20 ms apart, in milliseconds: median, most, 99th percentile."""
        if not self._odd:
            return 0.0, 0.0, 0.0
        ordered = sorted(self._odd)
        return (
            ordered[len(ordered) // 2] * 1000,
            ordered[-1] * 1000,
            ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] * 1000,
        )

    def press(self, key: str, to: tuple[str, int], payload_type: int) -> None:
        """Press a key for 100 ms: four packets while it is held, and its end three times."""
        event = KEYS.index(key)
        self._stamp += 8000
        packets = [(0, 160 * step) for step in range(1, 5)] + [(0x80, 800)] * 3
        for place, (flag, duration) in enumerate(packets):
            head = bytes((0x80, payload_type | (0x80 if place == 0 else 0)))
            head += self._sequence.to_bytes(2, "big") + self._stamp.to_bytes(4, "big") + self._source.to_bytes(4, "big")
            self._sequence += 1
            payload = bytes((event, flag | VOLUME)) + duration.to_bytes(2, "big")
            self._loop.call_later(STEP * place, self._send, head + payload, to)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _send(self, octets: bytes, to: tuple[str, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(octets, to)

    def _take(self, sound: bytes, kind: int) -> None:
        if sound == NOTHING[kind]:
            self._held.append(sound)
        else:
            self._heard += len(self._held) + 1
            for one in self._held:
                self._hash.update(one)
            self._held.clear()
            self._hash.update(sound)
        if sound.translate(None, QUIET[kind]):
            self._quiet = 0
            self._spoken += 1
        elif self._spoken > LOUD:
            self._quiet += 1
            if self._quiet == LULL:
                self._lull()
