"""The file formats that broadcasts are made in, and making them. Blocks: call it from a worker thread."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from broadcaster.errors import UnavailableError
from channels.speech.ffmpeg import REMEDY, FfmpegError, run
from channels.speech.segment import AudioSegment

NO_SPACE = "No space left on device"
TIMEOUT = 120.0
PEAK = 0.89  # of full scale: -1 dBFS
LIMITER = f"alimiter=level=disabled:limit={PEAK}:attack=5:release=50:latency=1"


@dataclass(frozen=True, slots=True)
class Encoding:
    """One file format: suffix and media type of the file, and ffmpeg's words for it."""

    name: str
    suffix: str
    media_type: str
    arguments: tuple[str, ...]


MP3 = Encoding("mp3", ".mp3", "audio/mpeg", ("-ar", "22050", "-c:a", "libmp3lame", "-b:a", "48k", "-f", "mp3"))
A_LAW = Encoding("alaw", ".wav", "audio/wav", ("-ar", "8000", "-c:a", "pcm_alaw", "-f", "wav"))
PCM = Encoding("pcm8k", ".wav", "audio/wav", ("-ar", "8000", "-c:a", "pcm_s16le", "-f", "wav"))
AMR = Encoding("amr", ".amr", "audio/amr", ("-ar", "8000", "-c:a", "libopencore_amrnb", "-b:a", "12.2k", "-f", "amr"))


def encode(segment: AudioSegment, encoding: Encoding, path: Path) -> None:
    """Write the mono `segment` to `path`, peaks limited to -1 dBFS. Raises `UnavailableError`; OSError: disk full."""
    source = ("-f", "s16le", "-ar", str(segment.frame_rate), "-ac", "1", "-i", "pipe:0")
    target = ("-af", LIMITER, "-ac", "1", *encoding.arguments, "-map_metadata", "-1", "-fflags", "+bitexact", "-y")
    try:
        run((*source, *target, f"file:{path}"), segment.raw_data, timeout=TIMEOUT)
    except FfmpegError as error:
        if NO_SPACE in str(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise UnavailableError(f"音频编码失败（{encoding.name}）：{error}", remedy=REMEDY) from error
