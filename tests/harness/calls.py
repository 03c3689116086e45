"""Calls in tests: a driver that is connected, messages to call with, and the sound that a phone should have heard."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from broadcaster.ports import Audio, DeliveryKey, Envelope, GatewaySettings, Medium, Message, Outcome, Receipt
from broadcaster.testing import MemoryInbox, MemoryJournal
from channels.voice.sip import plugin
from channels.voice.sip.driver import SipDriver

NUMBER = "13900000001"
NOTHING = b"\xd5" * 160


@dataclass(frozen=True, slots=True)
class Line:
    """A connected driver, and what it brought."""

    driver: SipDriver
    inbox: MemoryInbox
    journal: MemoryJournal

    async def call(self, *batch: Envelope) -> list[Outcome]:
        return [outcome async for outcome in self.driver.send(batch)]

    async def receipts(self, count: int = 1, *, within: float = 60.0) -> list[Receipt]:
        """The first receipts, so many of them."""
        await self.inbox.until(lambda: len(self.inbox.stored_receipts) >= count, within)
        return self.inbox.stored_receipts


def gateway(port: int, **options: object) -> GatewaySettings:
    given: dict[str, object] = {
        "host": "127.0.0.1", "port": port, "caller": "057412379", "connect_timeout": 5.0, "settle": 0.5, "repeats": 1,
        **options,
    }  # fmt: skip
    return GatewaySettings("voice-trunk", Medium.VOICE, "sip", rate=100, rehearsal=True, options=given)


@asynccontextmanager
async def line(port: int, **options: object) -> AsyncIterator[Line]:
    """A driver that has reached the trunk at `port`."""
    inbox, journal = MemoryInbox(), MemoryJournal()
    driver = plugin.build(gateway(port, **options), journal)
    assert isinstance(driver, SipDriver)
    await driver.open(inbox)
    try:
        yield Line(driver, inbox, journal)
    finally:
        await driver.close()


def envelope(ordinal: int, audio: Audio, *, to: str = NUMBER, answer: str = "") -> Envelope:
    message = Message("【演练】台风红色预警。收到请按1。", audio=audio, answer=answer)
    return Envelope(DeliveryKey(7, ordinal, 1), to, message, 0, datetime.now(UTC) + timedelta(hours=1))


def a_law(path: Path, seconds: float) -> Audio:
    """A recording as the studio makes them: WAV, A-law, 8 kHz; a tone that rises, so that no two parts are the same."""
    moments = (n / 8000 for n in range(int(8000 * seconds)))
    sound = bytes(_octet(12000 * math.sin(2 * math.pi * (300 + 15 * t) * t + 0.3)) for t in moments)
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 38 + len(sound), b"WAVE", b"fmt ", 18, 6, 1, 8000, 8000, 1, 8)
    content = head + struct.pack("<H4sI", 0, b"data", len(sound)) + sound
    path.write_bytes(content)
    return Audio(path, "audio/wav", seconds, hashlib.sha256(content).hexdigest())


def sound_of(audio: Audio) -> bytes:
    """The A-law octets in such a recording."""
    content = audio.path.read_bytes()
    start = content.index(b"data") + 8
    return content[start : start + int.from_bytes(content[start - 4 : start], "little")]


def heard_sha256(audio: Audio) -> str:
    """What a phone's record says when it has heard all of it: whole packets, up to the last that is not silence."""
    sound = sound_of(audio)
    packets = [sound[n : n + 160].ljust(160, b"\xd5") for n in range(0, len(sound), 160)]
    while packets and packets[-1] == NOTHING:
        packets.pop()
    return hashlib.sha256(b"".join(packets)).hexdigest()


def _octet(sample: float) -> int:
    """One sample by G.711's own table of segments (ITU-T G.711, table 1a), 13 bits."""
    magnitude = min(int(abs(sample)) >> 3, 4095)
    segment = 0
    while magnitude >= 32 << segment and segment < 7:
        segment += 1
    step = magnitude >> max(1, segment) & 15
    return (segment << 4 | step | (0x80 if sample >= 0 else 0)) ^ 0x55
