"""CRC-16 with the reflected polynomial A001, in the two ways in which instruments use it."""

from __future__ import annotations


def _of(octet: int) -> int:
    for _ in range(8):
        octet = (octet >> 1) ^ 0xA001 if octet & 1 else octet >> 1
    return octet


_TABLE = tuple(map(_of, range(256)))


def modbus(data: bytes) -> int:
    """As Modbus has it: each octet against the low one of the register, which begins at FFFF."""
    value = 0xFFFF
    for octet in data:
        value = (value >> 8) ^ _TABLE[(value ^ octet) & 0xFF]
    return value


def hj212(data: bytes) -> int:
    """As HJ 212-2017 (annex A) has it: each octet against the high one, which takes the place of both."""
    value = 0xFFFF
    for octet in data:
        value = _TABLE[(value >> 8) ^ octet]
    return value
