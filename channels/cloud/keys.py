"""Our key of a message where a provider gives it back: as it is, or shortened where there is little room for it."""

from __future__ import annotations

import re

from broadcaster.ports import DeliveryKey

LONGEST = 40
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SHORT = re.compile(r"[0-9a-z]{1,7}\.[0-9a-z]{1,7}\.[0-9a-z]{1,4}\Z")


def key_of(written: str) -> DeliveryKey | None:
    """The key that `str()` or `shortened` wrote; None for anything else."""
    if not written.isascii() or len(written) > LONGEST:
        return None
    if _SHORT.match(written):
        return DeliveryKey(*(int(part, 36) for part in written.split(".")))
    try:
        return DeliveryKey.parse(written)
    except ValueError:
        return None


def shortened(key: DeliveryKey, most: int) -> str:
    """The key in at most so many characters, "" where it needs more."""
    written = ".".join(map(_base36, key))
    return written if len(written) <= most else ""


def _base36(number: int) -> str:
    digits = ""
    while number >= 36:
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return DIGITS[number] + digits
