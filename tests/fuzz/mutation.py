"""Octets that are nearly right: what a broken, foreign or hostile sender might send instead of the given examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import TypeAlias

Damage: TypeAlias = Callable[[Random, bytes], bytes]

ODD_OCTETS = bytes([0, 1, 2, 3, 5, 8, 0x0D, 0x20, 0x26, 0x3C, 0x7F, 0x80, 0xBF, 0xC0, 0xD8, 0xF0, 0xFE, 0xFF])
"""Ends of ranges, signs with a meaning in markup, beginnings of characters that need more octets."""

ODD_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Where counters and lengths turn over."""

MOST_DAMAGES = 4
"""Ways in which one example is damaged at a time."""


def mutate(examples: Sequence[bytes], *, seed: int, longest: int, tokens: Sequence[bytes] = ()) -> Iterator[bytes]:
    """Endless damaged copies of `examples`, the same ones for the same `seed`, of at most `longest` octets.

    `tokens` are words of the format (a tag, a command, a delimiter) that are put in where they do not belong.
    """
    random = Random(seed)
    damages: list[Damage] = [_flip, _set, _number, _remove, _end, _noise, _repeat, _move, _swell(longest)]
    damages += [_splice(examples)] * 2
    if tokens:
        damages += [_insert(tokens)] * 2
    right = frozenset(examples)
    while True:
        frame = random.choice(examples)
        for _ in range(random.randint(1, MOST_DAMAGES)):
            frame = random.choice(damages)(random, frame)
        if frame[:longest] not in right:
            yield frame[:longest]


def _span(random: Random, frame: bytes, most: int = 64) -> tuple[int, int]:
    """Where a piece of `frame` begins and ends."""
    start = random.randint(0, len(frame))
    return start, min(len(frame), start + random.randint(1, most))


def _flip(random: Random, frame: bytes) -> bytes:
    if not frame:
        return frame
    at = random.randrange(len(frame))
    return frame[:at] + bytes([frame[at] ^ 1 << random.randrange(8)]) + frame[at + 1 :]


def _set(random: Random, frame: bytes) -> bytes:
    at = random.randint(0, len(frame))
    return frame[:at] + bytes([random.choice(ODD_OCTETS)]) + frame[at + 1 :]


def _number(random: Random, frame: bytes) -> bytes:
    at, width = random.randint(0, len(frame)), random.choice((1, 2, 4))
    number = random.choice(ODD_NUMBERS) & (1 << 8 * width) - 1
    return frame[:at] + number.to_bytes(width) + frame[at + width :]


def _remove(random: Random, frame: bytes) -> bytes:
    start, end = _span(random, frame)
    return frame[:start] + frame[end:]


def _end(random: Random, frame: bytes) -> bytes:
    return frame[: random.randint(0, len(frame))]


def _noise(random: Random, frame: bytes) -> bytes:
    at = random.randint(0, len(frame))
    return frame[:at] + random.randbytes(random.randint(1, 16)) + frame[at:]


def _repeat(random: Random, frame: bytes) -> bytes:
    start, end = _span(random, frame)
    return frame[:end] + frame[start:end] * random.randint(1, 8) + frame[end:]


def _move(random: Random, frame: bytes) -> bytes:
    start, end = _span(random, frame)
    rest = frame[:start] + frame[end:]
    at = random.randint(0, len(rest))
    return rest[:at] + frame[start:end] + rest[at:]


def _swell(longest: int) -> Damage:
    """As long as may be: work and memory that grow faster than the input show only there."""

    def damage(random: Random, frame: bytes) -> bytes:
        if random.random() > 0.05:
            return _noise(random, frame)
        start, end = _span(random, frame)
        piece = frame[start:end] or b"\0"
        return frame[:end] + piece * (longest // len(piece)) + frame[end:]

    return damage


def _splice(examples: Sequence[bytes]) -> Damage:
    """The beginning of one, the end of another."""

    def damage(random: Random, frame: bytes) -> bytes:
        other = random.choice(examples)
        return frame[: random.randint(0, len(frame))] + other[random.randint(0, len(other)) :]

    return damage


def _insert(tokens: Sequence[bytes]) -> Damage:
    def damage(random: Random, frame: bytes) -> bytes:
        at = random.randint(0, len(frame))
        return frame[:at] + random.choice(tokens) + frame[at:]

    return damage
