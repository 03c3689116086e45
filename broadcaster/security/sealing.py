"""Passwords that others gave us: sealed with the installation's key before the database sees them."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from broadcaster.errors import UnavailableError

_NONCE = 12


class Sealing:
    """AES-256-GCM (NIST SP 800-38D) with a key of its own, derived from the installation's."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(hmac.new(key, b"sealing:1", hashlib.sha256).digest())

    def seal(self, text: str, of: str) -> bytes:
        """`text`, to be opened with the same key and for the same `of` alone."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, text.encode(), of.encode())

    def open(self, sealed: bytes, of: str) -> str:
        """What was sealed; `UnavailableError` where it was with another key."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], of.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise UnavailableError(
                "存下的口令打不开：它是用另一把密钥封存的。",
                remedy="请重新填写口令，或恢复原来的 security.secret_key。",
            ) from error
