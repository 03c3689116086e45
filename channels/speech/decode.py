"""What an audio file really holds: decoded to samples and measured, as a terminal that plays it would hear it."""

from __future__ import annotations

from dataclasses import dataclass

from broadcaster.errors import InputError
from channels.speech.ffmpeg import FfmpegError, run
from channels.speech.segment import AudioSegment

FORMATS = "mp3,wav,amr,ogg"
REMEDY = "请给出 MP3、WAV、AMR 或 Ogg 音频文件。"
HEADER_BYTES = 44  # RIFF + fmt + data, as ffmpeg writes them with +bitexact


@dataclass(frozen=True, slots=True)
class Decoded:
    """Length in seconds; `peak` and `rms` in dBFS (0 is full scale, -inf silence); samples/s as in the file."""

    seconds: float
    peak: float
    rms: float
    sample_rate: int


def decode(data: bytes, *, timeout: float = 30.0) -> Decoded:
    """Decode a whole file. Blocks for some tens of ms: call it from a worker thread.

    Raises `InputError` when it is not one of the formats or holds no sound, `UnavailableError` when ffmpeg cannot run.
    """
    # Only what is on stdin may be read: a hostile playlist must not make us open files or addresses.
    source = ("-protocol_whitelist", "pipe", "-format_whitelist", FORMATS, "-i", "pipe:0", "-map", "0:a:0")
    try:
        wave = run(
            (*source, "-ac", "1", "-c:a", "pcm_s16le", "-fflags", "+bitexact", "-f", "wav", "pipe:1"),
            data,
            timeout=timeout,
        )
    except FfmpegError as error:
        raise InputError(f"音频无法解码：{error}", remedy=REMEDY) from error
    if len(wave) <= HEADER_BYTES:
        raise InputError("音频里没有声音。", remedy=REMEDY)
    return _measure(wave)


def _measure(wave: bytes) -> Decoded:
    sample_rate = int.from_bytes(wave[24:28], "little")
    segment = AudioSegment(wave[HEADER_BYTES:], sample_width=2, frame_rate=sample_rate, channels=1)
    return Decoded(segment.duration_seconds, segment.max_dBFS, segment.dBFS, sample_rate)
