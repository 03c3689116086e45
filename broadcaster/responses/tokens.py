"""Reply tokens: the short, signed name of one delivery in the link of its message. Whoever holds it may answer for it.

Signed with HMAC-SHA256, cut to 128 bits (RFC 2104 section 5), so that nobody can answer for somebody else by counting
upwards; always 32 characters, because a link costs characters of a text message.

    place   64 bits: 20 the alert, 23 the delivery's ordinal, 21 the expiry in ten minutes since 2020 (all ones: never)
    token   base64url(place ‖ signature)
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from broadcaster.errors import UnauthenticatedError

SIGNATURE_BYTES = 16
LENGTH = 32
"""Characters of every token."""

_BLOCK = 64
"""Bytes of a block of SHA-256."""

MOST_ALERTS, MOST_DELIVERIES = 2**20, 2**23

_SINCE = datetime(2020, 1, 1, tzinfo=UTC)
_STEP = timedelta(minutes=10)
_EXPIRY_BITS, _ORDINAL_BITS = 21, 23
_NEVER: int = 2**_EXPIRY_BITS - 1


class Tokens:
    """Signs and reads tokens with the installation's secret.

    Whether an alert still takes answers is the ledger's to say; the expiry keeps old messages from being keys for ever.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError("A secret of at least 16 bytes is needed.")
        self._key: bytes = hmac.digest(secret, b"daohu reply link", "sha256")
        # HMAC (RFC 2104) begins with one block of each hash that depends on the key alone: made once, it costs 1.7 µs a
        # token instead of 4.2.
        block = self._key.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def sign(self, alert_id: int, ordinal: int, expires: datetime | None = None) -> str:
        """The token of a delivery, good until `expires` (rounded up to ten minutes), or for ever."""
        return self.of_alert(alert_id, expires)(ordinal)

    def of_alert(self, alert_id: int, expires: datetime | None = None) -> Callable[[int], str]:
        """From the ordinals of one alert to their tokens, for whoever needs thousands."""
        if not 0 <= alert_id < MOST_ALERTS:
            raise ValueError(f"Alert {alert_id} has no room in a token.")
        head = alert_id << _ORDINAL_BITS + _EXPIRY_BITS
        tail = _expiry(expires)
        inner, outer, encode = self._inner.copy, self._outer.copy, urlsafe_b64encode

        def token(ordinal: int) -> str:
            if not 0 <= ordinal < MOST_DELIVERIES:
                raise ValueError(f"Delivery {ordinal} has no room in a token.")
            place = (head | ordinal << _EXPIRY_BITS | tail).to_bytes(8, "big")
            first = inner()
            first.update(place)
            second = outer()
            second.update(first.digest())
            return encode(place + second.digest()[:SIGNATURE_BYTES]).decode("ascii")

        return token

    def read(self, token: str, now: datetime | None = None) -> tuple[int, int]:
        """(alert id, ordinal) of a token; `UnauthenticatedError` for any other text, and from its expiry on."""
        place: int = int.from_bytes(self._verified(token), "big")
        expiry = place & _NEVER
        if now is not None and expiry != _NEVER and now >= _SINCE + expiry * _STEP:
            raise UnauthenticatedError("这个链接已经过期。", remedy="预警已经结束；如需帮助请拨打值班电话。")
        return place >> _ORDINAL_BITS + _EXPIRY_BITS, place >> _EXPIRY_BITS & MOST_DELIVERIES - 1

    def digest(self, text: str) -> str:
        """A hash of `text` that nobody can look up without the installation's secret: for what must not be written down
        but may have to be compared."""
        return hmac.digest(self._key, b"digest\0" + text.encode("utf-8", "surrogatepass"), "sha256").hex()

    def _verified(self, token: str) -> bytes:
        raw = urlsafe_b64decode(token) if len(token) == LENGTH and _ALPHABET.issuperset(token) else b""
        place, signature = raw[:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]
        if not hmac.compare_digest(hmac.digest(self._key, place, "sha256")[:SIGNATURE_BYTES], signature):
            raise UnauthenticatedError("这个链接无效。", remedy="请使用短信或微信中的完整链接。")
        return place


_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def _expiry(moment: datetime | None) -> int:
    if moment is None:
        return _NEVER
    steps: int = -((_SINCE - moment) // _STEP)
    return min(max(steps, 0), _NEVER - 1)
