"""The recording that calls say: read once, cut into packets once, shared by every call of a broadcast."""

from __future__ import annotations

import asyncio
import struct
from collections import OrderedDict
from pathlib import Path

from broadcaster.ports import Audio
from channels.voice.sip.media.g711 import SILENCE, a_law, mu_law

RATE = 8000
SAMPLES = 160
"""Samples, which are octets, of one packet of 20 ms."""

LARGEST = 64 * 1024 * 1024
MOST = 16
"""Recordings that are kept."""

PCM, A_LAW, MU_LAW = 1, 6, 7
"""Formats in a WAV file (RFC 2361)."""


class RecordingError(ValueError):
    """A file that no call can say; the words are for operators."""


class Recording:
    """One recording in both laws; the last packet is filled up with silence."""

    def __init__(self, sound: bytes) -> None:
        whole = -(-len(sound) // SAMPLES) * SAMPLES
        padded = sound.ljust(whole, SILENCE[8])
        self.packets = whole // SAMPLES
        self._sound = {8: padded, 0: b""}

    @property
    def seconds(self) -> float:
        return self.packets * SAMPLES / RATE

    def packet(self, number: int, law: int) -> bytes:
        """The octets of packet `number` (from 0)."""
        sound = self._sound[law] or self._translated()
        return sound[number * SAMPLES : (number + 1) * SAMPLES]

    def _translated(self) -> bytes:
        self._sound[0] = mu_law(self._sound[8])
        return self._sound[0]


class Recordings:
    """The last few, by their SHA-256; however many calls want one, it is read once."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, asyncio.Task[Recording]] = OrderedDict()

    async def get(self, audio: Audio) -> Recording:
        """The recording of a file; `RecordingError` when no call can say it, which is tried anew the next time."""
        reading = self._kept.get(audio.sha256)
        if reading is None or (reading.done() and (reading.cancelled() or reading.exception() is not None)):
            reading = self._kept[audio.sha256] = asyncio.create_task(asyncio.to_thread(read, audio.path))
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        self._kept.move_to_end(audio.sha256)
        return reading.result() if reading.done() else await asyncio.shield(reading)


def read(path: Path) -> Recording:
    """The recording in a WAV file of 8 kHz, one channel: A-law, µ-law or 16 bits linear. Blocks. `RecordingError`."""
    try:
        if path.stat().st_size > LARGEST:
            raise RecordingError("录音文件太大")
        return _wave(path.read_bytes())
    except OSError as problem:
        raise RecordingError(f"录音文件读不出：{problem.strerror}") from problem


def _wave(content: bytes) -> Recording:
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise RecordingError("录音不是 WAV 文件")
    kind, sound, place = 0, b"", 12
    while place + 8 <= len(content):
        name, size = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8], "little")
        chunk = content[place + 8 : place + 8 + size]
        if name == b"fmt " and len(chunk) >= 16:
            kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", chunk[:16])
            if (kind, bits) not in {(PCM, 16), (A_LAW, 8), (MU_LAW, 8)} or channels != 1 or rate != RATE:
                raise RecordingError("录音不是 8 kHz 单声道的 A 律、µ 律或 16 位线性")
        elif name == b"data":
            sound = chunk
            break
        place += 8 + size + size % 2
    if not kind or not sound:
        raise RecordingError("录音里没有声音")
    return Recording(_lawful(kind, sound))


def _lawful(kind: int, sound: bytes) -> bytes:
    if kind == A_LAW:
        return sound
    if kind == PCM:
        return a_law(sound)
    return sound.translate(_MU_TO_A)


def _inverse() -> bytes:
    """µ-law octets to A-law ones, by the linear value between them."""
    found = bytearray()
    for octet in range(256):
        value = ~octet & 0xFF
        magnitude = (((value & 15) << 3) + 132 << ((value >> 4) & 7)) - 132
        found += a_law(struct.pack("<h", -magnitude if value & 0x80 else magnitude))
    return bytes(found)


_MU_TO_A = _inverse()
