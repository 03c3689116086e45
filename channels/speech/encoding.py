"""The file formats that broadcasts are made in, and making them. Blocks: call it from a worker thread."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from broadcaster.errors import UnavailableError
from broadcaster.ports import Sound
from channels.speech.ffmpeg import REMEDY, FfmpegError, run
from channels.speech.loudness import PEAK, limiter
from channels.speech.segment import AudioSegment

NO_SPACE = "No space left on device"
TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Encoding:
    """One file format: suffix and media type of the file, and ffmpeg's words for it. `peak` is what the peaks are
    limited to before, as a part of full scale: a codec that draws waves of its own overshoots."""

    name: str
    suffix: str
    media_type: str
    arguments: tuple[str, ...]
    peak: float = PEAK


SPEECH = Encoding("speech", ".wav", "audio/wav", ())
"""Spoken words, as they are kept to become broadcasts: signed 16-bit samples at the tones' rate."""

MP3 = Encoding("mp3", ".mp3", "audio/mpeg", ("-ar", "22050", "-c:a", "libmp3lame", "-b:a", "48k", "-f", "mp3"))
A_LAW = Encoding("alaw", ".wav", "audio/wav", ("-ar", "8000", "-c:a", "pcm_alaw", "-f", "wav"))
MU_LAW = Encoding("ulaw", ".wav", "audio/wav", ("-ar", "8000", "-c:a", "pcm_mulaw", "-f", "wav"))
PCM = Encoding("pcm8k", ".wav", "audio/wav", ("-ar", "8000", "-c:a", "pcm_s16le", "-f", "wav"))
WIDE_PCM = Encoding("pcm16k", ".wav", "audio/wav", ("-ar", "16000", "-c:a", "pcm_s16le", "-f", "wav"))
OPUS = Encoding(
    "opus", ".ogg", "audio/ogg", ("-ar", "48000", "-c:a", "libopus", "-b:a", "24k", "-application", "voip", "-f", "ogg")
)
AMR = Encoding(
    "amr", ".amr", "audio/amr", ("-ar", "8000", "-c:a", "libopencore_amrnb", "-b:a", "12.2k", "-f", "amr"), 0.75
)

ENCODINGS: Mapping[Sound, Encoding] = MappingProxyType(
    {
        Sound.MP3: MP3,
        Sound.A_LAW: A_LAW,
        Sound.MU_LAW: MU_LAW,
        Sound.PCM: PCM,
        Sound.WIDE_PCM: WIDE_PCM,
        Sound.OPUS: OPUS,
        Sound.AMR: AMR,
    }
)


def encode(segment: AudioSegment, encoding: Encoding, path: Path) -> None:
    """Write the mono `segment` to `path`, its peaks limited. Raises `UnavailableError`; OSError: disk full."""
    source = ("-f", "s16le", "-ar", str(segment.frame_rate), "-ac", "1", "-i", "pipe:0")
    target = (
        "-af",
        limiter(encoding.peak),
        "-ac",
        "1",
        *encoding.arguments,
        "-map_metadata",
        "-1",
        "-fflags",
        "+bitexact",
        "-y",
    )
    try:
        run((*source, *target, f"file:{path}"), segment.raw_data, timeout=TIMEOUT)
    except FfmpegError as error:
        if NO_SPACE in str(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise UnavailableError(f"音频编码失败（{encoding.name}）：{error}", remedy=REMEDY) from error
