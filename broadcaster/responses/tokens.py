"""Reply tokens: the short, signed name of one delivery in the link of its message. Whoever holds it may answer for
it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct

from broadcaster.errors import UnauthenticatedError

SIGNATURE_BYTES = 16
"""128 bits of HMAC-SHA256: beyond guessing, and 27 characters of link in all."""

_PLACE = struct.Struct(">II")


class Tokens:
    """Signs and reads tokens with the installation's secret. A token lives as long as its alert answers."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError("A secret of at least 16 bytes is needed.")
        self._mac = hmac.new(hashlib.sha256(b"daohu reply link\0" + secret).digest(), digestmod=hashlib.sha256)

    def sign(self, alert_id: int, ordinal: int) -> str:
        """The token of a delivery."""
        place = _PLACE.pack(alert_id, ordinal)
        return base64.urlsafe_b64encode(place + self._signature(place)).rstrip(b"=").decode()

    def read(self, token: str) -> tuple[int, int]:
        """(alert id, ordinal) of a token made here; `UnauthenticatedError` for any other text."""
        raw = _decode(token)
        place = raw[: _PLACE.size]
        if len(raw) != _PLACE.size + SIGNATURE_BYTES or not hmac.compare_digest(
            raw[_PLACE.size :], self._signature(place)
        ):
            raise UnauthenticatedError("这个链接无效。", remedy="请使用短信或微信中的完整链接。")
        alert_id, ordinal = _PLACE.unpack(place)
        return alert_id, ordinal

    def _signature(self, place: bytes) -> bytes:
        mac = self._mac.copy()
        mac.update(place)
        return mac.digest()[:SIGNATURE_BYTES]


def _decode(token: str) -> bytes:
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""
