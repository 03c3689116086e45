"""One level for all voices: measured as ears hear it (EBU R 128, ITU-R BS.1770), set before anything is added.

Blocks for some tens of ms: call it from a worker thread.
"""

from __future__ import annotations

import math
import re

from broadcaster.errors import InputError, UnavailableError
from channels.speech.ffmpeg import REMEDY, FfmpegError, run
from channels.speech.synthesizer import Speech

LEVEL = -18.0  # LUFS of the words; 5 above what broadcasters agreed on (-23): loudspeakers stand outdoors
QUIETEST = -69.0  # LUFS; the gate of the measurement is at -70, below it there is nothing to be heard
SHORT = 0.45  # s; the measurement takes blocks of 400 ms, so a shorter sound is repeated until there is one
PEAK = 0.89  # of full scale: -1 dBFS
PASSES = 4
CLOSE = 0.2  # LU from `LEVEL`
TIMEOUT = 60.0
_INTEGRATED = re.compile(rb"lavfi\.r128\.I=(-?[\d.]+|-?inf|nan)")


def limiter(peak: float) -> str:
    """The filter that keeps peaks below `peak` of full scale."""
    return f"alimiter=level=disabled:limit={peak}:attack=5:release=50:latency=1"


def measure(samples: bytes, sample_rate: int) -> float:
    """The integrated loudness in LUFS of signed 16-bit mono samples; -inf for silence. `UnavailableError`."""
    if not samples:
        return -math.inf
    least = math.ceil(SHORT * sample_rate * 2 / len(samples))
    told = _run(
        samples * max(1, least), sample_rate, "ebur128=metadata=1,ametadata=mode=print:file=-", ("-f", "null", "-")
    )
    found = _INTEGRATED.findall(told)
    loudness = float(found[-1]) if found else -math.inf
    return loudness if loudness > QUIETEST else -math.inf


def levelled(speech: Speech, sample_rate: int) -> bytes:
    """The words at `LEVEL`, peaks below -1 dBFS, as signed 16-bit mono samples at `sample_rate`. `InputError` when
    there is nothing to be heard, `UnavailableError` when ffmpeg fails."""
    loudness = measure(speech.samples, speech.sample_rate)
    if loudness == -math.inf:
        raise InputError("播报文字里没有能读出的字。", remedy="请写入要播报的文字。")
    gain = LEVEL - loudness
    for _ in range(PASSES):
        words = _amplified(speech, gain, sample_rate)
        missing = LEVEL - measure(words, sample_rate)
        if abs(missing) < CLOSE:
            break
        gain += missing  # what the limiter took from the peaks
    return words


def _amplified(speech: Speech, gain: float, sample_rate: int) -> bytes:
    filters = f"volume={gain:.2f}dB:precision=double,{limiter(PEAK)}"
    return _run(speech.samples, speech.sample_rate, filters, ("-ar", str(sample_rate), "-f", "s16le", "pipe:1"))


def _run(samples: bytes, sample_rate: int, filters: str, target: tuple[str, ...]) -> bytes:
    source = ("-f", "s16le", "-ar", str(sample_rate), "-ac", "1", "-i", "pipe:0")
    try:
        return run((*source, "-af", filters, *target), samples, timeout=TIMEOUT)
    except FfmpegError as error:
        raise UnavailableError(f"音频响度无法调整：{error}", remedy=REMEDY) from error
