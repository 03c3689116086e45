"""SM2 signatures (GB/T 32918.2) over SM3: keys as operators have them, signatures as r and s of 32 octets each.

The scheme is `gmalg`'s, its curve ours (`curve.py`): half a millisecond for a signature, two to verify one, on a core
that has nothing else to do. An event loop has, so they are made beside it. The hash is OpenSSL's, through
`cryptography`: a report of a megabyte is hashed in no time.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from gmalg.base import Hash
from gmalg.sm2 import SM2Core

from broadcaster.errors import InputError
from channels.loudspeaker.signing.curve import N, P, Point, Sm2Curve

ID = b"1234567812345678"
"""The signer's distinguishing identifier where none is agreed (GB/T 35276)."""

WIDTH = 32
"""Octets of r, of s, of a coordinate, of a private key."""

_CURVE = Sm2Curve()
_CURVE_OID = bytes.fromhex("06082a811ccf5501822d")  # 1.2.156.10197.1.301
_VERSION = 0xA0  # the tag of a certificate's version, which those of the first have not
_INCOMPLETE = "密钥的 DER 编码不完整。"
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----")
_HEX = re.compile(r"[0-9A-Fa-f]+")


class _Sm3(Hash):  # type: ignore[misc]
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._hash = hashes.Hash(hashes.SM3())

    def update(self, data: bytes) -> None:
        self._hash.update(data)

    def value(self) -> bytes:
        return self._hash.copy().finalize()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Whose signatures can be verified; `InputError` for a point that is not on the curve."""

    point: Point

    def __post_init__(self) -> None:
        x, y = self.point
        if not (0 <= x < P and 0 <= y < P) or not _CURVE.ec.isvalid(self.point):
            raise InputError("公钥不是 SM2 曲线上的点。")

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Whether `signature` (r and s) is this key's over `data`."""
        if len(signature) != 2 * WIDTH:
            return False
        r, s = int.from_bytes(signature[:WIDTH]), int.from_bytes(signature[WIDTH:])
        try:
            good: bool = SM2Core(_CURVE, _Sm3()).verify(data, r, s, ID, self.point)
        except OverflowError:  # the library's point at infinity, which no signature leads to
            return False
        return good

    @classmethod
    def read(cls, text: str) -> PublicKey:
        """From a certificate or public key in PEM, or the point in hex (with or without 04 before); `InputError`
        otherwise."""
        text = text.strip()
        if _HEX.fullmatch(text) and len(text) in (4 * WIDTH, 4 * WIDTH + 2):
            return cls(_point(bytes.fromhex(text if len(text) % 4 else f"04{text}")))
        kind, content = _pem(text)
        try:
            if kind == "PUBLIC KEY":
                return cls(_subject(_whole(content)))
            if kind == "CERTIFICATE":
                body = _children(_children(_whole(content))[0][1])
                versioned = body[0][0] == _VERSION
                return cls(_subject(body[5 + versioned][1]))
        except IndexError as problem:
            raise InputError(_INCOMPLETE) from problem
        raise InputError(f"{kind} 不是公钥或证书。")


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key held by this program."""

    secret: int = field(repr=False)
    _public: Point = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 1 <= self.secret < N - 1:
            raise InputError("私钥不在 SM2 的范围内。")
        object.__setattr__(self, "_public", _CURVE.kG(self.secret))

    def sign(self, data: bytes) -> bytes:
        """r and s over `data`."""
        r, s = SM2Core(_CURVE, _Sm3()).sign(data, self.secret, ID, self._public)
        return bytes(r.to_bytes(WIDTH) + s.to_bytes(WIDTH))

    def public(self) -> PublicKey:
        """What others verify with."""
        return PublicKey(self._public)

    @classmethod
    def read(cls, text: str) -> PrivateKey:
        """From PEM (SEC 1 or PKCS #8, not encrypted) or 64 digits of hex; `InputError` otherwise."""
        text = text.strip()
        if _HEX.fullmatch(text) and len(text) == 2 * WIDTH:
            return cls(int(text, 16))
        kind, content = _pem(text)
        if kind not in ("PRIVATE KEY", "EC PRIVATE KEY"):
            raise InputError(f"{kind} 不是未加密的私钥。")
        try:
            if kind == "PRIVATE KEY":
                inner = _children(_whole(content))
                if _CURVE_OID not in inner[1][1]:
                    raise InputError("私钥不是 SM2 的。")
                content = inner[2][1]
            return cls(int.from_bytes(_children(_whole(content))[1][1]))
        except IndexError as problem:
            raise InputError(_INCOMPLETE) from problem


def _subject(content: bytes) -> Point:
    """The point of a SubjectPublicKeyInfo, whose content this is."""
    algorithm, bits = _children(content)[:2]
    if _CURVE_OID not in algorithm[1]:
        raise InputError("公钥不是 SM2 的。")
    return _point(bits[1][1:])


def _point(octets: bytes) -> Point:
    if len(octets) != 2 * WIDTH + 1 or octets[0] != 4:
        raise InputError("公钥应为未压缩的点：04 和两个 32 字节的坐标。")
    return int.from_bytes(octets[1 : WIDTH + 1]), int.from_bytes(octets[WIDTH + 1 :])


def _pem(text: str) -> tuple[str, bytes]:
    """The kind and content of the last block: OpenSSL writes the curve's parameters before a key."""
    blocks = _PEM.findall(text)
    if not blocks:
        raise InputError("密钥应为 PEM 或十六进制。")
    kind, content = blocks[-1]
    try:
        return kind, base64.b64decode("".join(content.split()), validate=True)
    except binascii.Error as problem:
        raise InputError("密钥的 PEM 内容不是 base64。") from problem


def _whole(content: bytes) -> bytes:
    """The content of the one value that `content` is."""
    return _children(content)[0][1]


def _children(content: bytes) -> list[tuple[int, bytes]]:
    """The values in a row of DER (ITU-T X.690): tag and content of each."""
    found, at = [], 0
    while at + 2 <= len(content):
        tag, length, at = content[at], content[at + 1], at + 2
        if length >= 0x80:
            octets = length & 0x7F
            length, at = int.from_bytes(content[at : at + octets]), at + octets
        if len(content) - at < length:
            break
        found.append((tag, content[at : at + length]))
        at += length
    if at != len(content) or not found:
        raise InputError(_INCOMPLETE)
    return found
