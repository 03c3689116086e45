"""Attention tones: what is heard before and after the words, one for each colour.

They must not be taken for the air-raid siren (人民防空警报, reserved by law) nor for the 853/960 Hz signal of the
United States' EAS; so these are short sweeps and steps between 500 and 1,300 Hz, quicker as the warning is graver.
A drill never uses a real tone: only the chime.
"""

from __future__ import annotations

import math
import sys
from array import array
from dataclasses import dataclass
from functools import lru_cache

SAMPLE_RATE = 22_050
FADE = 0.01  # s at both ends of a burst, so that it does not click
AMPLITUDE = 0.25 * math.sqrt(2)  # of full scale: a sine of -12 dBFS RMS, above the speech, below the ceiling


@dataclass(frozen=True, slots=True)
class Burst:
    """From `start` Hz to `end` Hz in `seconds`, then `rest` seconds of silence."""

    start: float
    end: float
    seconds: float
    rest: float = 0.0


@dataclass(frozen=True, slots=True)
class Tone:
    """Bursts one after the other."""

    bursts: tuple[Burst, ...]

    @property
    def seconds(self) -> float:
        """How long the tone is."""
        return sum(_samples(burst.seconds) + _samples(burst.rest) for burst in self.bursts) / SAMPLE_RATE


def _two_step(high: float, low: float, seconds: float, times: int) -> tuple[Burst, ...]:
    return (Burst(high, high, seconds), Burst(low, low, seconds)) * times


ATTENTION = {
    "red": Tone((Burst(500, 1300, 0.5, 0.05),) * 6),
    "orange": Tone(_two_step(1100, 700, 0.35, 4)),
    "yellow": Tone(_two_step(900, 600, 0.5, 2)),
    "blue": Tone((*_two_step(800, 600, 0.5, 1), Burst(600, 600, 0.3))),
}
CHIME = Tone((Burst(659, 659, 0.3, 0.05), Burst(523, 523, 0.3, 0.05), Burst(784, 784, 0.5, 0.2)))
CLOSING = Tone((Burst(784, 784, 0.25, 0.05), Burst(523, 523, 0.4)))
BEEP = Tone((Burst(800, 800, 0.25, 0.1),) * 2)


@lru_cache(maxsize=16)
def samples(tone: Tone) -> bytes:
    """The tone as signed 16-bit little-endian mono samples at `SAMPLE_RATE`."""
    wave = array("h")
    for burst in tone.bursts:
        wave.extend(_burst(burst))
        wave.extend([0] * _samples(burst.rest))
    if sys.byteorder == "big":
        wave.byteswap()
    return wave.tobytes()


def _burst(burst: Burst) -> array[int]:
    count = _samples(burst.seconds)
    fade = _samples(FADE)
    wave = array("h")
    phase = 0.0
    for index in range(count):
        frequency = burst.start + (burst.end - burst.start) * index / count
        phase += 2 * math.pi * frequency / SAMPLE_RATE
        envelope = min(1.0, index / fade, (count - index) / fade)
        wave.append(round(32767 * AMPLITUDE * envelope * math.sin(phase)))
    return wave


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)
