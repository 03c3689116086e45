"""Reply tokens: the short, signed name of one delivery in the link of its message. Whoever holds it may answer for it.

Signed with HMAC-SHA256, cut to 128 bits (RFC 2104 section 5), so that nobody can answer for somebody else by counting
upwards; 32 characters up to alert 16,383 and delivery 2,097,151, because a link costs characters of a text message.

    place   varint(alert), varint(ordinal), 3 bytes: the expiry in ten minutes since 2020, all ones for never
    token   base64url(place ‖ signature), without padding
"""

from __future__ import annotations

import hmac
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from broadcaster.errors import UnauthenticatedError

SIGNATURE_BYTES = 16
LONGEST_TOKEN = 48
"""Characters; anything longer is not one of ours."""

_SINCE = datetime(2020, 1, 1, tzinfo=UTC)
_STEP = timedelta(minutes=10)
_EXPIRY_BYTES = 3
_NEVER = 256**_EXPIRY_BYTES - 1


class Tokens:
    """Signs and reads tokens with the installation's secret.

    Whether an alert still takes answers is the ledger's to say; the expiry keeps old messages from being keys for ever.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError("A secret of at least 16 bytes is needed.")
        self._key = hmac.digest(secret, b"daohu reply link", "sha256")

    def sign(self, alert_id: int, ordinal: int, expires: datetime | None = None) -> str:
        """The token of a delivery, good until `expires` (rounded up to ten minutes), or for ever."""
        return self.of_alert(alert_id, expires)(ordinal)

    def of_alert(self, alert_id: int, expires: datetime | None = None) -> Callable[[int], str]:
        """From the ordinals of one alert to their tokens, for whoever needs thousands."""
        head, tail = _varint(alert_id), _expiry(expires)
        key, digest, encode = self._key, hmac.digest, urlsafe_b64encode

        def token(ordinal: int) -> str:
            place = head + _varint(ordinal) + tail
            return encode(place + digest(key, place, "sha256")[:SIGNATURE_BYTES]).rstrip(b"=").decode("ascii")

        return token

    def read(self, token: str, now: datetime | None = None) -> tuple[int, int]:
        """(alert id, ordinal) of a token; `UnauthenticatedError` for any other text, and from its expiry on."""
        place = self._verified(token)
        expiry = int.from_bytes(place[-_EXPIRY_BYTES:], "big")
        if now is not None and expiry != _NEVER and now >= _SINCE + expiry * _STEP:
            raise UnauthenticatedError("这个链接已经过期。", remedy="预警已经结束；如需帮助请拨打值班电话。")
        alert_id, ordinal = _numbers(place[:-_EXPIRY_BYTES])
        return alert_id, ordinal

    def _verified(self, token: str) -> bytes:
        raw = _decode(token)
        place, signature = raw[:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]
        genuine = hmac.compare_digest(hmac.digest(self._key, place, "sha256")[:SIGNATURE_BYTES], signature)
        if not genuine or urlsafe_b64encode(raw).rstrip(b"=") != token.encode("ascii"):
            raise UnauthenticatedError("这个链接无效。", remedy="请使用短信或微信中的完整链接。")
        return place


def _decode(token: str) -> bytes:
    """The bytes of a token; none at all for what cannot be one."""
    if len(token) > LONGEST_TOKEN:
        return b""
    try:
        return b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first, the top bit set on all but the last (as Protocol Buffers write it)."""
    if number < 128:
        return number.to_bytes(1, "big")
    if number < 16384:
        return bytes((number & 127 | 128, number >> 7))
    if number < 2097152:
        return bytes((number & 127 | 128, number >> 7 & 127 | 128, number >> 14))
    return bytes((number & 127 | 128,)) + _varint(number >> 7)


def _numbers(varints: bytes) -> list[int]:
    """The numbers of a place that we signed ourselves."""
    numbers: list[int] = []
    number = shift = 0
    for byte in varints:
        number |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            numbers.append(number)
            number = shift = 0
    return numbers


def _expiry(moment: datetime | None) -> bytes:
    steps: int = _NEVER if moment is None else min(max(-((_SINCE - moment) // _STEP), 0), _NEVER - 1)
    return steps.to_bytes(_EXPIRY_BYTES, "big")
