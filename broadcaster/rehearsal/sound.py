"""The terminal's ears: ffmpeg decodes whatever comes, apart from the code that made it."""

from __future__ import annotations

import array
import asyncio
import sys
from typing import NamedTuple

from imageio_ffmpeg import get_ffmpeg_exe

RATE = 8000
"""Samples per second that are listened to: enough to know length and level."""

PATIENCE = 60.0
"""Seconds after which a file that still decodes is given up."""


class SoundError(ValueError):
    """The file does not decode to sound."""


class Sound(NamedTuple):
    """Length in seconds; the loudest sample as a share of full scale."""

    seconds: float
    peak: float


async def listen(content: bytes) -> Sound:
    """Decode `content`, whatever its format; raises SoundError."""
    decoder = await asyncio.create_subprocess_exec(
        get_ffmpeg_exe(), "-v", "error", "-i", "pipe:0", "-f", "s16le", "-ac", "1", "-ar", str(RATE), "pipe:1",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE):
            raw, _ = await decoder.communicate(content)
    except TimeoutError as problem:
        raise SoundError("The file takes too long to decode.") from problem
    finally:
        if decoder.returncode is None:
            decoder.kill()
            await decoder.wait()
    if decoder.returncode != 0 or len(raw) < 2:
        raise SoundError("The file does not decode to sound.")
    samples = array.array("h", raw[: len(raw) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return Sound(len(samples) / RATE, max(abs(max(samples)), abs(min(samples))) / 32768)
