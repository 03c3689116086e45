"""How the lower platform of the rehearsal signs and verifies: an EBDS by the table of its 74 octets, SM2 over SM3."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SM3, Hash
from defusedxml import ElementTree
from gmalg.base import Hash as Gathers
from gmalg.ellipticcurve import ECDLP
from gmalg.sm2 import SM2Core

CURVE = ECDLP(
    int("FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF", 16),
    int("FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC", 16),
    int("28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93", 16),
    (
        int("32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7", 16),
        int("BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0", 16),
    ),
    int("FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123", 16),
)
WHO = b"1234567812345678"


class SealError(ValueError):
    """No signature, or not a good one by somebody who is known."""


class _Digest(Gathers):  # type: ignore[misc]
    def __init__(self) -> None:
        self._gathered = b""

    def reset(self) -> None:
        self._gathered = b""

    def update(self, data: bytes) -> None:
        self._gathered += bytes(data)

    def value(self) -> bytes:
        digest = Hash(SM3())
        digest.update(self._gathered)
        return digest.finalize()


@dataclass(frozen=True, slots=True)
class Seals:
    """`secret` and `serial` are the platform's; `clients` the public keys of those who may come, by their certificates'
    serial numbers, as hex of 04, x and y; `timed`: the time is signed too."""

    secret: int
    serial: str
    clients: Mapping[str, str]
    older: bool
    timed: bool

    def check(self, document: bytes, seal: bytes | None) -> None:
        """SealError unless somebody who is known has signed `document`."""
        if seal is None:
            raise SealError("没有签名")
        try:
            root = ElementTree.fromstring(seal)
            value = base64.b64decode(root.findtext("SignatureValue") or "", validate=True)
        except (ElementTree.ParseError, ValueError) as problem:
            raise SealError("签名文件读不懂") from problem
        if len(value) != 74:
            raise SealError("签名值不是 74 字节")
        moment, serial, r, s = value[:4], value[4:10].hex(), value[10:42], value[42:]
        named = root.findtext("SignatureCert/CertSN") if self.older else root.findtext("CertSN")
        key = self.clients.get(serial)
        if key is None or named != serial:
            raise SealError("证书没有登记")
        point = int(key[2:66], 16), int(key[66:], 16)
        signed = document + moment if self.timed else document
        if not SM2Core(CURVE, _Digest()).verify(signed, int.from_bytes(r), int.from_bytes(s), WHO, point):
            raise SealError("签名不对")

    def make(self, ebdid: str, document: bytes) -> bytes:
        """The signature file of `document`."""
        moment = int(time.time()).to_bytes(4)
        r, s = SM2Core(CURVE, _Digest()).sign(document + moment if self.timed else document, self.secret, WHO)
        value = moment + bytes.fromhex(self.serial) + r.to_bytes(32) + s.to_bytes(32)
        if self.older:
            how = (
                f"<Version>1.0</Version><RelatedEBD><EBDID>{ebdid}</EBDID></RelatedEBD><SignatureCert>"
                f"<CertType>01</CertType><IssuerID>1</IssuerID><CertSN>{self.serial}</CertSN></SignatureCert>"
                f"<SignatureTime>{moment.hex()}</SignatureTime><DigestAlgorithm>SM3</DigestAlgorithm>"
                "<SignatureAlgorithm>SM2</SignatureAlgorithm>"
            )
        else:
            how = (
                f"<Version>1</Version><RelatedEBD><EBDID>{ebdid}</EBDID></RelatedEBD><CertSN>{self.serial}</CertSN>"
                "<SignatureAlgorithm>SM2-SM3</SignatureAlgorithm>"
            )
        said = base64.b64encode(value).decode()
        return f'<?xml version="1.0"?><Signature>{how}<SignatureValue>{said}</SignatureValue></Signature>'.encode()
