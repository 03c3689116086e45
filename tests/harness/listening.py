"""Ears for tests: how loud, how high and how silent samples are, by other means than what made them."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator


def numbers(samples: bytes) -> array[int]:
    """Signed 16-bit little-endian samples as numbers."""
    return array("h", samples)


def part(wave: array[int], rate: int, start: float, end: float) -> array[int]:
    """From `start` to `end`, in seconds."""
    return wave[round(start * rate) : round(end * rate)]


def level(wave: array[int]) -> float:
    """RMS in dBFS; -inf for silence."""
    square = sum(value * value for value in wave) / max(1, len(wave))
    return 10 * math.log10(square / 32768**2) if square else -math.inf


def share(wave: array[int], rate: int, hertz: float) -> float:
    """The part of the power that is a sine of `hertz`, 0 to 1, by Goertzel's algorithm."""
    turn = 2 * math.pi * hertz / rate
    factor, before, last = 2 * math.cos(turn), 0.0, 0.0
    for value in wave:
        before, last = last, value + factor * last - before
    power = last * last + before * before - factor * last * before
    total = sum(value * value for value in wave)
    return 2 * power / len(wave) / total if total else 0.0


def pitch(wave: array[int], rate: int, low: int = 400, high: int = 1400, step: int = 20) -> int:
    """The frequency between `low` and `high` that is strongest, to `step` Hz."""
    return max(range(low, high + 1, step), key=lambda hertz: share(wave, rate, hertz))


def windows(wave: array[int], rate: int, seconds: float) -> Iterator[array[int]]:
    """The wave in whole windows of that length."""
    size = round(seconds * rate)
    return (wave[start : start + size] for start in range(0, len(wave) - size + 1, size))
