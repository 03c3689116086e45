"""A delivery key that only we can have written: anybody may mail our bounce mailbox, and claim anything."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass

from broadcaster.ports import DeliveryKey

_SEALED = re.compile(r"(?<![0-9-])([0-9]{1,12}-[0-9]{1,12}-[0-9]{1,6})\.([0-9a-f]{16})(?![0-9a-f])", re.IGNORECASE)


class Seal:
    """Writes and reads sealed keys, such as `7-12-1.0f3a9c5b7e21d846`; letters, digits, "-" and "." only."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def write(self, key: DeliveryKey) -> str:
        """The key with its seal: 16 hex digits of HMAC-SHA-256."""
        return f"{key}.{self.mark(str(key))}"

    def read(self, text: str) -> DeliveryKey | None:
        """The first sealed key in `text`, wherever it stands; None when there is none or its seal is wrong."""
        for key, mark in _SEALED.findall(text):
            if hmac.compare_digest(self.mark(key), mark.lower()):
                return DeliveryKey.parse(key)
        return None

    @staticmethod
    def occurs(text: str) -> bool:
        """Whether anything in `text` looks like a sealed key."""
        return _SEALED.search(text) is not None

    def mark(self, text: str) -> str:
        """16 hex digits that nobody else can find for `text`."""
        return hmac.digest(self._secret, text.encode("utf-8", "replace"), "sha256").hex()[:16]


@dataclass(frozen=True, slots=True)
class Seals:
    """Those on return paths, envelope ids and Message-IDs, and those on the address for answers (None: not read)."""

    bounce: Seal
    reply: Seal | None
