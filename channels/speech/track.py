"""A finished broadcast as frames for a line: what drivers send that stream (RTP, SIP, ONVIF).

    track = await load(envelope.message.audio, Line.A_LAW)
    for frame in track:          # 20 ms each; pace them yourself
        …

The decoded samples are kept beside the broadcast's file, so that they are decoded once, whatever the number of
terminals, calls and processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from broadcaster.errors import UnavailableError
from broadcaster.ports import Audio
from channels.speech.decode import FORMATS
from channels.speech.ffmpeg import REMEDY, FfmpegError, run

FRAME = 0.02  # s, the packet time of nearly every telephone and speaker (RFC 3551 4.2)
TIMEOUT = 60.0
DIGEST_BYTES = 32


class Line(Enum):
    """How a line wants samples: ffmpeg's name of the format, samples/s, bytes of a sample, the octets of silence."""

    A_LAW = ("alaw", 8000, 1, b"\xd5")
    """G.711 A-law (RTP payload type 8)."""
    MU_LAW = ("mulaw", 8000, 1, b"\xff")
    """G.711 µ-law (RTP payload type 0)."""
    PCM = ("s16le", 8000, 2, b"\0\0")
    """Signed 16-bit, little-endian, 8 kHz."""
    WIDE_PCM = ("s16le", 16000, 2, b"\0\0")
    """Signed 16-bit, little-endian, 16 kHz."""

    def __init__(self, codec: str, rate: int, width: int, silence: bytes) -> None:
        self.codec = codec
        self.rate = rate
        self.width = width
        self.silence = silence

    @property
    def frame_bytes(self) -> int:
        """The octets of one frame of `FRAME` seconds."""
        return round(self.rate * FRAME) * self.width


@dataclass(frozen=True, slots=True)
class Track:
    """All samples of a broadcast, as whole frames; the last one is filled up with silence."""

    line: Line
    samples: bytes

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.samples) / self.line.width / self.line.rate

    def __len__(self) -> int:
        return len(self.samples) // self.line.frame_bytes

    def __getitem__(self, number: int) -> bytes:
        """Frame `number` from 0; IndexError past the end."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        start = number * self.line.frame_bytes
        return self.samples[start : start + self.line.frame_bytes]

    def __iter__(self) -> Iterator[bytes]:
        return (self[number] for number in range(len(self)))


async def load(audio: Audio, line: Line) -> Track:
    """The broadcast `audio` as `line` wants it; `UnavailableError` when it cannot be read or decoded now."""
    return await asyncio.to_thread(_load, audio, line)


def _load(audio: Audio, line: Line) -> Track:
    place = audio.path.with_name(f"{audio.path.name}.{line.name.lower()}")
    kept = _kept(place, audio, line)
    if kept is None:
        kept = _decoded(audio, line)
        _keep(place, audio, kept)
    return Track(line, kept)


def _kept(place: Path, audio: Audio, line: Line) -> bytes | None:
    """What was decoded before of this very file, unless it is damaged."""
    try:
        written = place.read_bytes()
    except OSError:
        return None
    digest, samples = written[:DIGEST_BYTES], written[DIGEST_BYTES:]
    whole = samples and len(samples) % line.frame_bytes == 0 and digest == _digest(audio, samples)
    return samples if whole else None


def _keep(place: Path, audio: Audio, samples: bytes) -> None:
    """Write it down for the others; where the disk does not take it, they decode for themselves."""
    part = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
    with contextlib.suppress(OSError):
        try:
            part.write_bytes(_digest(audio, samples) + samples)
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)


def _decoded(audio: Audio, line: Line) -> bytes:
    # As in `decode`: only what is on stdin may be read.
    source = ("-protocol_whitelist", "pipe", "-format_whitelist", FORMATS, "-i", "pipe:0", "-map", "0:a:0")
    try:
        content = audio.path.read_bytes()
        samples = run(
            (*source, "-ac", "1", "-ar", str(line.rate), "-f", line.codec, "pipe:1"), content, timeout=TIMEOUT
        )
    except OSError as error:
        raise UnavailableError(f"广播音频读不出：{error.strerror}。", remedy="请检查 [data] dir 目录。") from error
    except FfmpegError as error:
        raise UnavailableError(f"广播音频解不出：{error}", remedy=REMEDY) from error
    if not samples:
        raise UnavailableError("广播音频里没有声音。", remedy=REMEDY)
    missing = -len(samples) % line.frame_bytes
    return samples + line.silence * (missing // line.width)


def _digest(audio: Audio, samples: bytes) -> bytes:
    return hashlib.sha256(audio.sha256.encode() + samples).digest()
