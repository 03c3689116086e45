"""G.711 (ITU-T): the two laws, one octet a sample, and linear samples of 16 bits."""

from __future__ import annotations

import array
import sys

SILENCE = {8: b"\xd5", 0: b"\xff"}
"""The octet of silence, by payload type: A-law, µ-law."""


def _from_a(octet: int) -> int:
    octet ^= 0x55
    segment, mantissa = (octet >> 4) & 7, octet & 15
    magnitude = (mantissa << 4) + 8 if segment == 0 else ((mantissa << 4) + 0x108) << (segment - 1)
    return magnitude if octet & 0x80 else -magnitude


def _to_mu(sample: int) -> int:
    sign, magnitude = (0x80, -sample) if sample < 0 else (0, sample)
    magnitude = min(magnitude, 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | (magnitude >> (exponent + 3)) & 15) & 0xFF


def _to_a(sample: int) -> int:
    sign, magnitude = (0, -sample - 1) if sample < 0 else (0x80, sample)
    magnitude = min(magnitude, 32767) >> 4
    segment = max(0, magnitude.bit_length() - 4) if magnitude > 15 else 0
    mantissa = magnitude & 15 if segment < 2 else (magnitude >> (segment - 1)) & 15
    return (sign | segment << 4 | mantissa) ^ 0x55


A_TO_MU = bytes(_to_mu(_from_a(octet)) for octet in range(256))


def mu_law(a_law: bytes) -> bytes:
    """The same sound in the other law."""
    return a_law.translate(A_TO_MU)


def a_law(samples: bytes) -> bytes:
    """Linear samples (16 bits, little endian) in A-law."""
    linear = array.array("h", samples[: len(samples) // 2 * 2])
    if sys.byteorder == "big":
        linear.byteswap()
    known: dict[int, int] = {}
    return bytes(known[one] if one in known else known.setdefault(one, _to_a(one)) for one in linear)
