"""Numbers as gateways write them."""

from __future__ import annotations


def national(number: str) -> str:
    """A mainland number without the country's code."""
    digits = number.lstrip("+")
    return digits[2:] if digits.startswith("86") and len(digits) == 13 else digits
