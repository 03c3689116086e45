"""The seal of WeChat's callbacks: AES over what only the platform and we may read.

Layout (消息加解密说明, 公众号 and 企业微信 alike): key = base64(EncodingAESKey + "="), 32 octets; AES-256-CBC,
IV = the key's first 16; PKCS#7 to blocks of 32 octets; inside: 16 random octets, the content's length (4, big endian),
the content, the appid or corpid.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from broadcaster.errors import UnauthenticatedError

REMEDY = "请核对公众平台或企业微信后台的 Token、EncodingAESKey、appid（corpid）与网关的设置是否一致。"
_BLOCK = 32
_RANDOM = 16
_AES_BLOCK = 16


@dataclass(frozen=True, slots=True)
class Seal:
    """`key` has 32 octets; `owner` is the appid or corpid for which messages are sealed."""

    key: bytes = field(repr=False)
    owner: str

    def open(self, sealed: str) -> bytes:
        """The content; `UnauthenticatedError` when it was not sealed with our key for us."""
        try:
            ciphertext = base64.b64decode(sealed, validate=True)
        except (binascii.Error, ValueError) as problem:
            raise _unreadable() from problem
        if not ciphertext or len(ciphertext) % _AES_BLOCK:
            raise _unreadable()
        plain = _unpadded(_through(self._cipher().decryptor(), ciphertext))
        start = _RANDOM + 4
        if len(plain) < start:
            raise _unreadable()
        end = start + int.from_bytes(plain[_RANDOM:start], "big")
        if end > len(plain) or not hmac.compare_digest(plain[end:], self.owner.encode()):
            raise _unreadable()
        return plain[start:end]

    def close(self, content: bytes) -> str:
        """`content` sealed, in base64."""
        plain = secrets.token_bytes(_RANDOM) + len(content).to_bytes(4, "big") + content + self.owner.encode()
        padding = _BLOCK - len(plain) % _BLOCK
        return base64.b64encode(_through(self._cipher().encryptor(), plain + bytes([padding]) * padding)).decode()

    def _cipher(self) -> Cipher[CBC]:
        return Cipher(AES256(self.key), CBC(self.key[:_AES_BLOCK]))


def key_of(encoding_aes_key: str) -> bytes:
    """The 32 octets that an EncodingAESKey (43 characters of base64) stands for; ValueError for anything else."""
    if len(encoding_aes_key) != 43:
        raise ValueError("an EncodingAESKey has 43 characters")
    return base64.b64decode(f"{encoding_aes_key}=", validate=True)


def _through(context: CipherContext, octets: bytes) -> bytes:
    return context.update(octets) + context.finalize()


def _unpadded(plain: bytes) -> bytes:
    padding = plain[-1]
    if not 1 <= padding <= min(_BLOCK, len(plain)) or plain[-padding:] != plain[-1:] * padding:
        raise _unreadable()
    return plain[:-padding]


def _unreadable() -> UnauthenticatedError:
    return UnauthenticatedError("微信回调的密文解不开。", remedy=REMEDY)
